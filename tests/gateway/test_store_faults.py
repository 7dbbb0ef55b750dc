"""The store fails in the middle of a turn: the visitor is told the truth, once."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.gateway.guarantee import is_crisis_response
from bot.store import Messages, reading
from tests.gateway.conftest import CLINIC, OPEN, SHORT, says

PROMISE = "We will call you tomorrow."


@pytest.fixture
async def conversation(turns):
    opened = await turns.open(CLINIC, now=OPEN)
    return opened.conversation


@pytest.fixture
def stuck(engine) -> Iterator[threading.Event]:
    """Cleared, it keeps whoever asks the database waiting: nothing comes, and nothing fails."""
    flows = threading.Event()
    flows.set()
    sa.event.listen(engine, "checkout", lambda *_: flows.wait())
    yield flows
    flows.set()


@pytest.fixture
def disk(engine):
    """`disk["pages"]`: how many pages the database may have."""
    space = {"pages": 1_000_000}

    def limit(connection, _record, _proxy) -> None:
        connection.execute(f"PRAGMA max_page_count = {space['pages']}").close()

    sa.event.listen(engine, "checkout", limit)
    return space


async def fill_up(turns, conversation, disk) -> None:
    disk["pages"] = 1  # SQLite takes the present size
    for _ in range(100):
        answer = await turns.take(conversation, now=OPEN, text="hello " * 300)
        if answer.messages[0].response == "unavailable_open":
            return
    raise AssertionError("the disk was never full")


async def test_on_a_full_disk_nothing_is_promised_and_danger_is_still_answered(
    turns, brain, conversation, disk
):
    await fill_up(turns, conversation, disk)
    brain.answer = lambda _: says(PROMISE)
    answer = await turns.take(conversation, now=OPEN, text="call me " * 300, message_id="m1")
    assert PROMISE not in [message.text for message in answer.messages]
    danger = await turns.take(conversation, now=OPEN, text="danger " * 300)
    assert is_crisis_response(danger.messages[0].response, "crisis_self")


async def test_with_space_again_the_repeated_message_is_stored_once(
    turns, brain, engine, conversation, disk
):
    await fill_up(turns, conversation, disk)
    await turns.take(conversation, now=OPEN, text="call me " * 300, message_id="m1")
    disk["pages"] = 1_000_000
    brain.answer = lambda _: says(PROMISE)
    for _ in range(2):
        answer = await turns.take(conversation, now=OPEN, text="call me " * 300, message_id="m1")
        assert [message.text for message in answer.messages] == [PROMISE]
    with reading(engine) as db:
        said = [message.client_id for message in Messages(db).after(conversation)]
    assert said.count("m1") == 1


async def test_a_removed_database_promises_nothing_and_danger_is_still_answered(
    turns, brain, conversation, database
):
    def answer_and_remove(_):
        for part in database.parent.glob(f"{database.name}*"):
            part.unlink()
        return says(PROMISE)

    brain.answer = answer_and_remove
    answer = await turns.take(conversation, now=OPEN, text="call me")
    assert answer.messages[0].response == "unavailable_open"
    danger = await turns.take(conversation, now=OPEN, text="danger")
    assert is_crisis_response(danger.messages[0].response, "crisis_self")


async def test_a_clock_that_jumps_back_keeps_the_order_of_what_was_said(
    turns, engine, conversation
):
    for number, hours in enumerate((0, -1, 1, 0)):
        now = OPEN + timedelta(hours=hours)
        await turns.take(conversation, now=now, text=f"message {number}")
    with reading(engine) as db:
        said = [m.text for m in Messages(db).after(conversation) if m.direction == "in"]
    assert said == [f"message {number}" for number in range(4)]


async def test_a_long_message_of_danger_does_not_wait_for_a_database_that_is_stuck(
    turns_with, conversation, stuck
):
    turns = turns_with(deadline=SHORT)
    stuck.clear()
    threads = min(32, (os.cpu_count() or 1) + 4)  # that asyncio has for all such work
    calm = [
        asyncio.create_task(turns.take(f"{CLINIC}.{number}", now=OPEN, text="hello"))
        for number in range(threads)
    ]
    await asyncio.sleep(0)
    long = "there is so much to say " * 300 + "danger"
    try:
        answer = await asyncio.wait_for(turns.take(conversation, now=OPEN, text=long), 10)
    finally:
        stuck.set()
        await asyncio.gather(*calm, return_exceptions=True)
    assert is_crisis_response(answer.messages[0].response, "crisis_self")
