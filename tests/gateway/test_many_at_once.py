"""Fifty visitors ask for a call in the same moment: as many records as requests."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.store import Messages, reading
from bot.store.handoffs import Handoffs
from bot.store.tables import handoff
from bot.turns import BotMessage, TurnReply, TurnRequest, TurnState
from tests.gateway.conftest import CLINIC, CLOSED

VISITORS = 50


@pytest.fixture
def desk(engine, clinics) -> HandoffDesk:
    return HandoffDesk(engine, clinics)


@pytest.fixture(autouse=True)
def patient(monkeypatch) -> None:
    """A busy machine changes nothing: it is counted, not timed."""
    monkeypatch.setattr("bot.gateway.turn.STORE_SECONDS", 60.0)
    monkeypatch.setattr("bot.store.engine.BUSY_SECONDS", 60.0)


@pytest.fixture
def promising(brain, desk):
    """A brain that does at the last "yes" what the real one does: record, then promise."""

    def answer(request: TurnRequest) -> TurnReply:
        record = HandoffRecord(
            conversation=request.conversation,
            clinic=CLINIC,
            channel="web",
            kind="callback",
            language="en",
            tier="none",
            phone=request.text,
        )
        code = desk.record(record, CLOSED).reference
        state = TurnState(handoff="callback", reference=code)
        return TurnReply([BotMessage(f"Your code is {code}.", "callback_done")], state)

    brain.answer = answer


@pytest.mark.parametrize("persons", [VISITORS, 1])
async def test_fifty_requests_at_once_are_stored_and_promised_once_a_person(
    turns, engine, promising, persons
):
    opened = [(await turns.open(CLINIC, now=CLOSED)).conversation for _ in range(VISITORS)]

    async def ask(number: int) -> tuple[str, str | None]:
        conversation = opened[number]
        phone = f"+161755501{number % persons:02}"
        answer = await turns.take(conversation, now=CLOSED, text=phone)
        assert answer.messages[0].response == "callback_done"
        return conversation, answer.state.reference

    asked = dict(await asyncio.gather(*map(ask, range(VISITORS))))
    with reading(engine) as db:
        stored = set(db.execute(sa.select(handoff.c.reference)).scalars())
        found = {conversation: Handoffs(db).find(conversation)[0] for conversation in asked}
        spoken = [len(Messages(db).after(conversation)) for conversation in asked]
    assert len(asked) == VISITORS
    assert len(stored) == persons
    assert set(asked.values()) == stored
    assert found == asked
    assert set(spoken) == {3}  # greeting, number, code
