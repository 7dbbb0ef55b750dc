"""The product as it is run: `handrail serve`, real brain, real model, real HTTP."""

from __future__ import annotations

import threading
import time

import pytest

from tests.gateway.installation import Installation

APOLOGY = "unavailable"


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


def responses(answer: dict) -> list[str]:
    return [message["response"] for message in answer["messages"]]


@pytest.fixture(scope="module")
def product(settings, tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("product") / "var")
    process = installation.start("-m", "bot.cli", "serve")
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
    transcript = visitor.web.get(visitor.path, headers=visitor.headers).json()["messages"]
    seqs = [message["seq"] for message in transcript]
    assert seqs == sorted(seqs)
    assert visitor.says("no")["state"]["open_question"] == "state"


def test_a_killed_brain_loses_no_message_and_no_answer_given_before(ready):
    visitor = WebVisitor(ready)
    visitor.says("find a program")
    visitor.says("me")
    assert visitor.says("no")["state"]["open_question"] == "state"

    brain = ready.kill("bot.brain")
    during = [visitor.says("can i work during iop?"), visitor.says("I want to die")]
    assert responses(during[0])[0].startswith((APOLOGY, "faq_work_school"))
    assert responses(during[1])[0].startswith("crisis_self")

    ready.until(lambda: ready.child("bot.brain") not in (None, brain))
    ready.until(lambda: ready.status("/readyz") == 200)
    visitor.says("keep going here")
    answer = visitor.says("Massachusetts")
    assert answer["state"]["open_question"] == "age_band", answer


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


def test_what_was_typed_is_in_no_log(ready):
    WebVisitor(ready).says("my secret word is zanzibarquartz and my number is 617 555 0142")
    log = (ready.data / "stderr").read_text()
    assert "turn" in log
    assert "zanzibarquartz" not in log
    assert "555 0142" not in log


def test_a_second_start_on_the_same_data_is_refused(ready):
    second = ready.start("-m", "bot.cli", "serve")
    assert second.wait(30) == 3
