"""Two machines on one PostgreSQL: each runs `handrail serve`, whatever fails."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator

import httpx
import pgserver
import pytest
import sqlalchemy as sa

from bot.gateway.events import Listener, Watch
from bot.gateway.neighbours import OnPostgres
from bot.gateway.order import Order
from bot.store import open_engine
from bot.store.keyring import new_keyring
from tests.gateway.installation import PATIENCE, Installation
from tests.keys import VAULT

QUESTION = "is medication included in iop?"


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Iterator[pgserver.PostgresServer]:
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield server
    server.cleanup()


def restart(server: pgserver.PostgresServer) -> None:
    """As after a crash: every connection breaks."""
    number = server.get_pid()
    os.kill(number, signal.SIGQUIT)
    while os.path.exists(f"/proc/{number}"):
        time.sleep(0.02)
    server.ensure_postgres_running()


# --- what gateways know of each other --------------------------------------------------------


@pytest.fixture
def engine(database) -> Iterator[sa.engine.Engine]:
    engine = open_engine(database.get_uri(), VAULT)
    yield engine
    engine.dispose()


@pytest.fixture
def neighbours(engine) -> Iterator[tuple[OnPostgres, OnPostgres]]:
    both = OnPostgres(engine), OnPostgres(engine)
    yield both
    for each in both:
        each.close()


async def test_a_conversation_is_held_by_one_gateway_at_a_time(neighbours):
    here, there = (Order(each) for each in neighbours)
    async with here.join("a") as place:
        assert await place.reached(0)
        async with there.join("a") as other, there.join("b") as unrelated:
            assert not await other.reached(0)
            assert await unrelated.reached(0)
    async with there.join("a") as place:
        assert await place.reached(PATIENCE)


async def test_who_waits_gets_the_conversation_when_the_other_gateway_ends(neighbours):
    here, there = neighbours
    assert await here.hold("a", 0)
    waiting = asyncio.create_task(there.hold("a", PATIENCE))
    await asyncio.sleep(0)
    here.close()
    assert await waiting


async def test_who_gives_up_waiting_holds_nothing(neighbours):
    here, there = neighbours
    assert await here.hold("a", 0)
    waiting = asyncio.create_task(there.hold("a", PATIENCE))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    here.release("a")
    assert await here.hold("a", PATIENCE)


async def test_many_turns_at_once_need_one_connection(neighbours, engine):
    here, _ = neighbours
    assert all(await asyncio.gather(*(here.hold(f"conversation {n}", 0) for n in range(64))))
    assert engine.pool.checkedout() == 0


async def test_news_are_heard_by_the_others_also_after_the_database_was_restarted(
    neighbours, database
):
    here, there = neighbours
    own: list[str] = []
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening, listening_again = asyncio.Event(), asyncio.Event()
    times = iter((listening, listening_again))
    tasks = [
        asyncio.create_task(there.listen(heard.put_nowait, lambda: next(times).set())),
        asyncio.create_task(here.listen(own.append, lambda: None)),
    ]
    await listening.wait()
    here.tell("a")
    assert await asyncio.wait_for(heard.get(), PATIENCE) == "a"
    restart(database)
    await asyncio.wait_for(listening_again.wait(), PATIENCE)
    while heard.empty():  # the connection that tells is found broken first
        here.tell("b")
        await asyncio.sleep(0.02)
    assert await heard.get() == "b"
    assert own == []
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_looks_on_at_another_gateway_is_woken(neighbours):
    here, there = (Watch(each) for each in neighbours)
    listening = asyncio.Event()
    listen = asyncio.create_task(neighbours[1].listen(there.heard, listening.set))
    await listening.wait()
    listener = Listener("a", "address", seen=1, news=False)
    with there.listening(listener):
        here.news("a")
        await asyncio.wait_for(listener.wake.wait(), PATIENCE)
    assert listener.news
    listen.cancel()


# --- two machines ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines(settings, database, tmp_path_factory) -> Iterator[list[Installation]]:
    folder = tmp_path_factory.mktemp("machines")
    made = [Installation(folder / name) for name in ("east", "west")]
    shared = {
        "HANDRAIL_DATABASE": database.get_uri(),
        "HANDRAIL_KEYS": new_keyring().written(),
        "HANDRAIL_BRAINS": "1",
    }
    # Both find an empty database: migrations run once.
    processes = [each.start("-m", "bot.cli", "serve", **shared) for each in made]
    for each, process in zip(made, processes, strict=True):
        each.read_until(process, "handrail: ready")
    yield made
    for process in processes:
        process.terminate()  # both stop at the same time
    for each in made:
        each.stop()


class Roamer:
    """A visitor whose every message may go to another machine, and goes again if it must."""

    def __init__(self, machines: list[Installation]):
        self._machines = machines
        self._next = itertools.cycle(machines)
        opened = machines[0].web.post("/api/conversations", json={"clinic": "greater_boston"})
        self.path = f"/api/conversations/{opened.json()['conversation']}/messages"
        self.headers = {"Authorization": f"Bearer {opened.json()['token']}"}
        self.numbers = itertools.count()
        self.answered = 0

    def says(self, text: str, identity: str | None = None) -> list[dict]:
        """The same message again until its answer is written down, not too fast (429)."""
        body = {"id": identity or f"m{next(self.numbers)}", "text": text}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError):
                answer = next(self._next).web.post(self.path, json=body, headers=self.headers)
                assert answer.status_code == 200, answer.text
                if answer.json()["messages"][0]["seq"] is not None:
                    self.answered += 1
                    return answer.json()["messages"]
            time.sleep(0.5)
        raise AssertionError("never answered")

    def says_at_once(self, texts: list[str]) -> None:
        with concurrent.futures.ThreadPoolExecutor(len(texts)) as pool:
            list(pool.map(self.says, texts))

    def turns(self) -> list[tuple[str, list[str]]]:
        """The transcript as both machines give it: what was said, what it was answered."""
        transcripts = [
            each.web.get(self.path, headers=self.headers).json()["messages"]
            for each in self._machines
        ]
        assert transcripts[0] == transcripts[1]
        assert [each["seq"] for each in transcripts[0]] == list(range(1, len(transcripts[0]) + 1))
        told: list[tuple[str, list[str]]] = []
        for message in transcripts[0][1:]:  # the first one greets
            if message["from"] == "visitor":
                told.append((message["text"], []))
            else:
                told[-1][1].append(message["response"])
        return told


def test_one_conversation_over_both_machines_at_once(machines):
    visitor = Roamer(machines)
    texts = [f"{QUESTION} ({number})" for number in range(8)]
    visitor.says_at_once(texts)
    told = visitor.turns()
    assert sorted(text for text, _ in told) == texts
    assert all(len(answers) == 1 and answers[0].startswith("faq_") for _, answers in told)


def test_a_dialogue_goes_on_at_the_other_machine(machines):
    visitor = Roamer(machines)
    for text in ("find a program", "me", "no", "Massachusetts"):
        visitor.says(text)
    assert visitor.says("I'm 34")[-1]["response"] == "ask_substance_use"


def test_what_is_said_at_one_machine_is_seen_at_the_other(machines):
    visitor = Roamer(machines[:1])
    events = visitor.path.replace("messages", "events")
    with machines[1].web.stream("GET", events, headers=visitor.headers) as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line.startswith("data:"))  # the greeting
        visitor.says(QUESTION)
        assert QUESTION in next(line for line in lines if line.startswith("data:"))


def test_the_same_message_to_both_machines_at_once_is_answered_once(machines):
    visitor = Roamer(machines)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: visitor.says(QUESTION, "same"), range(2))
    assert first == second
    assert len(visitor.turns()) == 1


@pytest.mark.parametrize("fault", ["database", "brain", "gateway"])
def test_whatever_fails_order_is_kept_and_each_message_is_answered_once(machines, database, fault):
    visitors = [Roamer(machines) for _ in range(3)]
    texts = [f"{QUESTION} ({number})" for number in range(6)]

    def talk(visitor: Roamer) -> None:
        for text in texts:
            visitor.says(text)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        talking = [pool.submit(talk, visitor) for visitor in visitors]
        machines[1].until(lambda: visitors[0].answered >= 2)
        if fault == "database":
            restart(database)
        else:
            machines[1].kill(f"bot.{fault}")
        for one in talking:
            one.result()
    machines[1].until(lambda: machines[1].status("/healthz") == 200)
    for visitor in visitors:
        told = visitor.turns()
        assert [text for text, _ in told] == texts
        assert [len(answers) for _, answers in told] == [1] * len(texts)
    danger = Roamer(machines).says("I want to die")
    assert danger[0]["response"].startswith("crisis_self")
