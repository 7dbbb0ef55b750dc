"""What the brain keeps of a dialogue is written with the turn: both, or neither."""

from __future__ import annotations

import dataclasses

import pytest

from bot.store import Messages, TrackerEvents, reading, writing
from bot.store.records import Incoming, Outgoing
from bot.turns import DialogueRow, mark_of
from tests.events import append
from tests.gateway.conftest import CLINIC, OPEN, SHORT, says


@pytest.fixture
async def conversation(turns):
    return (await turns.open(CLINIC, now=OPEN)).conversation


@pytest.fixture
def remembers(engine, brain):
    """A brain that keeps what it was told, as the real one does; `remembers()`: what is kept."""

    def answer(request):
        with reading(engine) as db:
            seq = (TrackerEvents(db).newest(request.conversation) or (0, ""))[0] + 1
        sealed = TrackerEvents.seal(engine, request.conversation, seq, request.text)
        return dataclasses.replace(says("Fine."), row=DialogueRow(seq, sealed))

    brain.answer = answer

    def kept(conversation: str) -> list[str]:
        with reading(engine) as db:
            return TrackerEvents(db).read(conversation)

    return kept


def newest(engine, conversation) -> str:
    with reading(engine) as db:
        return mark_of(TrackerEvents(db).newest(conversation)[1])


async def test_the_dialogue_is_written_with_the_turn_and_told_of_at_the_next_one(
    turns, brain, engine, conversation, remembers
):
    await turns.take(conversation, now=OPEN, text="one")
    assert brain.requests[-1].newest is None
    written = newest(engine, conversation)
    await turns.take(conversation, now=OPEN, text="two")
    assert brain.requests[-1].newest == written
    assert remembers(conversation) == ["one", "two"]


async def test_a_row_in_place_of_all_leaves_no_other(turns, brain, conversation, remembers):
    await turns.take(conversation, now=OPEN, text="one")
    answer = brain.answer

    def shortened(request):
        reply = answer(request)
        return dataclasses.replace(reply, row=dataclasses.replace(reply.row, in_place_of_all=True))

    brain.answer = shortened
    await turns.take(conversation, now=OPEN, text="both")
    assert remembers(conversation) == ["both"]


async def test_an_answer_that_comes_too_late_leaves_no_trace_in_the_dialogue(
    turns_with, brain, remembers
):
    hasty = turns_with(deadline=SHORT, patience=SHORT)
    conversation = (await hasty.open(CLINIC, now=OPEN)).conversation
    brain.seconds = 10 * SHORT
    await hasty.take(conversation, now=OPEN, text="one")
    assert remembers(conversation) == []


async def test_a_row_that_cannot_be_written_takes_the_turn_with_it(
    turns, brain, engine, conversation, remembers, monkeypatch
):
    def broken(*_):
        raise OSError("disk")

    monkeypatch.setattr(TrackerEvents, "keep", broken)
    answer = await turns.take(conversation, now=OPEN, text="one", message_id="m1")
    assert answer.messages[0].response == "unavailable_open"
    monkeypatch.undo()
    with reading(engine) as db:
        assert len(Messages(db).after(conversation)) == 1  # the greeting
    answer = await turns.take(conversation, now=OPEN, text="one", message_id="m1")
    assert answer.responses == ("echo",)
    assert remembers(conversation) == ["one"]


async def test_the_brain_is_asked_again_if_another_gateway_was_faster(
    turns, brain, engine, conversation, remembers
):
    answer = brain.answer

    def overtaken(request):
        brain.answer = answer
        reply = answer(request)
        with writing(engine) as db:
            append(db, conversation, reply.row.seq, ["of another gateway"])
        return reply

    brain.answer = overtaken
    await turns.take(conversation, now=OPEN, text="one")
    assert [request.newest is None for request in brain.requests] == [True, False]
    assert remembers(conversation) == ["of another gateway", "one"]
    with reading(engine) as db:
        said = [message.text for message in Messages(db).after(conversation)[1:]]
    assert said == ["one", "Fine."]


async def test_a_message_that_another_gateway_has_answered_meanwhile_gets_that_answer(
    turns, brain, engine, conversation, remembers
):
    answer = brain.answer

    def overtaken(request):
        reply = answer(request)
        incoming = Incoming("m1", request.text, request.reading, OPEN)
        with writing(engine) as db:
            Messages(db).add_turn(conversation, incoming, [Outgoing("Done.", "done", (), OPEN)])
        return reply

    brain.answer = overtaken
    told = await turns.take(conversation, now=OPEN, text="one", message_id="m1")
    assert [message.text for message in told.messages] == ["Done."]
    assert len(brain.requests) == 1
    assert remembers(conversation) == []
