"""The product as it is run: `handrail serve`, two real brains, real model, real HTTP."""

from __future__ import annotations

import concurrent.futures
import threading
import time

import pytest

from tests.gateway.installation import Installation


class WebVisitor:
    """A visitor at the HTTP API of an installation."""

    def __init__(self, installation: Installation):
        self.web = installation.web
        opened = self.web.post("/api/conversations", json={"clinic": "greater_boston"}).json()
        self.path = f"/api/conversations/{opened['conversation']}/messages"
        self.headers = {"Authorization": f"Bearer {opened['token']}"}
        self.sent = 0

    def says(self, text: str) -> dict:
        self.sent += 1
        answer = self.web.post(
            self.path, json={"id": f"m{self.sent}", "text": text}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["messages"], "nobody may be left without an answer"
        return answer.json()


def transcript(visitor: WebVisitor) -> list[dict]:
    return visitor.web.get(visitor.path, headers=visitor.headers).json()["messages"]


def heard(visitor: WebVisitor) -> list[tuple[str, str]]:
    return [(message["from"], message["text"]) for message in transcript(visitor)]


def responses(answer: dict) -> list[str]:
    return [message["response"] for message in answer["messages"]]


@pytest.fixture(scope="module")
def product(settings, tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("product") / "var")
    process = installation.start("-m", "bot.cli", "serve", "--brains", "2")
    installation.read_until(process, "answers at")
    yield installation
    installation.stop()


@pytest.fixture
def ready(product):
    product.until(lambda: product.status("/readyz") == 200)
    return product


def test_danger_is_answered_while_the_brain_is_still_loading(product):
    answer = WebVisitor(product).says("I want to kill myself")
    assert responses(answer)[0].startswith("crisis_self")
    assert "988" in answer["messages"][0]["text"]


def test_a_question_is_answered_from_the_clinics_profile(ready):
    answer = WebVisitor(ready).says("can i keep my job during iop?")
    assert responses(answer) == ["faq_work_school"]


def test_two_messages_at_once_are_both_answered_in_order(ready):
    visitor = WebVisitor(ready)
    visitor.says("find a program")
    answers: dict[str, dict] = {}

    def send(identity: str, text: str) -> None:
        answers[identity] = visitor.web.post(
            visitor.path, json={"id": identity, "text": text}, headers=visitor.headers
        ).json()

    threads = [
        threading.Thread(target=send, args=("a", "me")),
        threading.Thread(target=send, args=("b", "is medication included in iop?")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answer["messages"] for answer in answers.values())
    seqs = [message["seq"] for message in transcript(visitor)]
    assert seqs == sorted(seqs)
    assert visitor.says("no")["state"]["open_question"] == "state"


def test_a_brain_killed_in_the_middle_of_turns_costs_no_answer_and_doubles_none(ready):
    said = ["find a program", "me", "no", "Massachusetts", "I'm 34"]
    ready.until(lambda: all(ready.web.get("/readyz").json()["brains"].values()))
    undisturbed = WebVisitor(ready)
    for text in said:
        undisturbed.says(text)
    visitors, begun = [WebVisitor(ready) for _ in range(8)], threading.Barrier(9)

    def walk(visitor: WebVisitor) -> None:
        begun.wait()
        for text in said:
            visitor.says(text)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        walking = [pool.submit(walk, visitor) for visitor in visitors]
        begun.wait()
        while not any(len(transcript(visitor)) > 1 for visitor in visitors):
            pass
        ready.kill("bot.brain")
        danger = WebVisitor(ready).says("I want to die")
        for one in walking:
            one.result()
    assert responses(danger)[0].startswith("crisis_self")
    assert [heard(visitor) for visitor in visitors] == [heard(undisturbed)] * len(visitors)


def test_messages_sent_all_through_a_restart_are_all_answered(ready):
    visitors = [WebVisitor(ready) for _ in range(3)]
    answers: list[dict] = []

    def talk(visitor: WebVisitor) -> None:
        for number in range(12):
            answers.append(visitor.says(f"is medication included? ({number})"))

    threads = [threading.Thread(target=talk, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    ready.kill("bot.brain")
    for thread in threads:
        thread.join()
    assert len(answers) == 36
    assert time.monotonic() - started < 36 * 3.5, "every answer comes within its deadline"


def test_what_was_typed_is_in_no_log(product):
    WebVisitor(product).says("my secret word is zanzibarquartz and my number is 617 555 0142")
    log = (product.data / "stderr").read_text()
    assert "turn" in log
    assert "zanzibarquartz" not in log
    assert "555 0142" not in log


def test_a_second_start_on_the_same_data_is_refused(product):
    second = product.start("-m", "bot.cli", "serve")
    assert second.wait(30) == 3
