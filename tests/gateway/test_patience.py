"""How long a message waits for the brain: danger never beyond the deadline, calm while it moves."""

from __future__ import annotations

import asyncio

import pytest

from bot.gateway.neighbours import Alone
from bot.gateway.turn import Turns
from tests.gateway.conftest import CLINIC, OPEN, SHORT

LONG = 30.0


@pytest.fixture
def busy(turns_with, brain) -> Turns:
    """A gateway whose brain answers others all the time, and "slow" messages never."""
    turns = turns_with(deadline=SHORT, patience=LONG)
    answer = brain.turn

    async def turn(request):
        if "slow" in request.text:
            brain.held.append(asyncio.get_running_loop().create_future())
            await brain.held[-1]
        return await answer(request)

    brain.turn, brain.held = turn, []
    return turns


class SlowNeighbour(Alone):
    """Another gateway that has every conversation for some seconds."""

    def __init__(self, seconds: float):
        self._seconds = seconds

    async def hold(self, conversation: str, seconds: float) -> bool:
        await asyncio.sleep(min(seconds, self._seconds))
        return seconds >= self._seconds


@pytest.fixture
def behind_a_neighbour(turns_with) -> Turns:
    """A gateway whose conversations another one has for longer than the deadline."""
    return turns_with(deadline=SHORT, patience=LONG, neighbours=SlowNeighbour(2 * SHORT))


async def say(turns: Turns, text: str) -> str:
    conversation = (await turns.open(CLINIC, now=OPEN)).conversation
    return (await turns.take(conversation, now=OPEN, text=text)).messages[0].response


async def go_on_until(turns: Turns, waiting: asyncio.Task, seconds: float) -> None:
    """The brain answers somebody else's messages meanwhile."""
    end = asyncio.get_running_loop().time() + seconds
    while not waiting.done() and asyncio.get_running_loop().time() < end:
        await say(turns, "hello")


async def test_a_calm_message_waits_while_others_are_answered(busy, brain):
    waiting = asyncio.create_task(say(busy, "slow"))
    await go_on_until(busy, waiting, 3 * SHORT)
    assert not waiting.done()
    brain.held[0].set_result(None)
    assert await waiting == "echo"


async def test_a_calm_message_is_answered_by_ourselves_once_nothing_moves(busy, brain):
    await say(busy, "hello")
    started = asyncio.get_running_loop().time()
    assert (await say(busy, "slow")).startswith("unavailable")
    assert asyncio.get_running_loop().time() - started < LONG / 2


async def test_danger_gets_help_at_the_deadline_however_many_others_are_answered(busy, brain):
    waiting = asyncio.create_task(say(busy, "slow danger"))
    await go_on_until(busy, waiting, LONG / 2)
    assert (await waiting).startswith("crisis_self")
    assert brain.held[0].cancelled()


async def test_danger_does_not_wait_behind_a_patient_message_of_its_conversation(busy, brain):
    conversation = (await busy.open(CLINIC, now=OPEN)).conversation
    calm, danger = (
        asyncio.create_task(busy.take(conversation, now=OPEN, text=text))
        for text in ("slow", "danger")
    )
    await go_on_until(busy, danger, LONG / 2)
    assert (await danger).messages[0].response.startswith("crisis_self")
    assert (await calm).messages[0].response.startswith("unavailable")


async def test_a_calm_text_is_not_patient_because_the_next_one_is_not_read_yet(busy, brain):
    conversation = (await busy.open(CLINIC, "sms", now=OPEN)).conversation
    waiting = asyncio.create_task(busy.take(conversation, now=OPEN, text="slow"))
    await go_on_until(busy, waiting, LONG / 2)
    assert (await waiting).messages[0].response.startswith("unavailable")


async def test_patience_has_an_end(busy, monkeypatch):
    monkeypatch.setattr(busy, "_patience", 2 * SHORT)
    waiting = asyncio.create_task(say(busy, "slow"))
    await go_on_until(busy, waiting, LONG / 2)
    assert (await waiting).startswith("unavailable")


@pytest.mark.parametrize(("text", "urgent"), [("hello", False), ("danger", True), ("uneasy", True)])
async def test_the_brain_is_told_what_must_not_wait(turns, brain, text, urgent):
    conversation = (await turns.open(CLINIC, now=OPEN)).conversation
    await turns.take(conversation, now=OPEN, text=text)
    assert brain.requests[-1].urgent is urgent


async def test_a_calm_message_waits_for_another_gateway(behind_a_neighbour):
    assert await say(behind_a_neighbour, "hello") == "echo"


async def test_danger_waits_for_no_other_gateway_beyond_the_deadline(behind_a_neighbour):
    assert (await say(behind_a_neighbour, "danger")).startswith("crisis_self")
