"""A message of danger tells staff, in the transaction that stores it."""

from __future__ import annotations

import pytest

from bot.clinic.profile import Notifications
from bot.gateway.turn import Turns
from bot.store import Alerts, Messages, reading, writing
from bot.store.outbox import Outbox
from tests.gateway.conftest import CLINIC, CLOSED, dead


@pytest.fixture
def turns(clinics, screen, words, engine, brain, deadline) -> Turns:
    told = Notifications(coordinators=["intake@clinic.example"])
    return Turns(
        clinics={CLINIC: clinics[CLINIC].copy(update={"notifications": told})},
        screen=screen,
        words=words,
        engine=engine,
        brain=brain,
        deadline=deadline,
    )


def payloads(engine):
    with reading(engine) as db:
        return [each.payload for each in Outbox(db).undelivered()]


async def test_danger_at_night_without_a_brain_is_told_with_its_code(turns, engine, brain):
    brain.answer = dead
    conversation = (await turns.open(CLINIC, now=CLOSED)).conversation
    await turns.take(conversation, now=CLOSED, text="danger")
    answer = await turns.take(conversation, now=CLOSED, text="danger again")
    assert payloads(engine) == [
        {
            "clinic_name": "Greater Boston",
            "code": answer.state.reference,
            "urgency": "urgent",
        }
    ]


async def test_an_ordinary_message_tells_nobody(turns, engine):
    conversation = (await turns.open(CLINIC, now=CLOSED)).conversation
    await turns.take(conversation, now=CLOSED, text="hello, uneasy today")
    assert payloads(engine) == []


async def test_a_visitor_in_danger_is_helped_when_staff_cannot_be_told(turns, engine):
    conversation = (await turns.open(CLINIC, now=CLOSED)).conversation
    with writing(engine) as db:
        db.exec_driver_sql("DROP TABLE notification")
    answer = await turns.take(conversation, now=CLOSED, text="danger")
    assert answer.messages[0].response.startswith("crisis_self")
    with reading(engine) as db:
        assert Alerts(db).of(conversation) == []
        assert [m.direction for m in Messages(db).after(conversation)] == ["out"]
