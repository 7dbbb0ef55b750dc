"""Somebody in danger stands in the coordinators' queue, whatever else they leave or fails."""

from __future__ import annotations

import pytest

from bot.gateway.guarantee import CRISIS_TIERS
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.store import Alerts, reading
from bot.store.handoffs import Handoffs
from bot.turns import TurnState
from tests.gateway.conftest import CLINIC, OPEN, dead, says
from tests.gateway.test_turns import OF_TIER


@pytest.fixture
async def conversation(turns) -> str:
    return (await turns.open(CLINIC, now=OPEN)).conversation


@pytest.fixture
def record(engine, conversation):
    def find():
        with reading(engine) as db:
            return Handoffs(db).find(conversation)

    return find


@pytest.mark.parametrize("tier", CRISIS_TIERS)
@pytest.mark.parametrize("answer", [dead, lambda _: says("echo")])
async def test_danger_without_any_contact_details_is_queued(
    turns, brain, conversation, record, tier, answer
):
    brain.answer = answer
    answered = await turns.take(conversation, now=OPEN, text=f"I am in {OF_TIER[tier]}")
    code, found = record()
    assert (found.kind, found.tier, found.clinic) == ("crisis", tier, CLINIC)
    assert (found.tier_rule, found.safety_category) == (f"test_{tier}", "test")
    assert answered.state.reference == code


async def test_a_disclosure_that_only_the_brain_understood_is_queued(
    turns, brain, conversation, record, engine
):
    brain.answer = lambda _: says("help", state=TurnState(tier="crisis_self", handoff="crisis"))
    await turns.take(conversation, now=OPEN, text="yes")
    assert (record()[1].kind, record()[1].tier) == ("crisis", "crisis_self")
    await turns.take(conversation, now=OPEN, text="no")
    with reading(engine) as db:
        assert len(Alerts(db).of(conversation)) == 1


async def test_a_record_that_is_there_is_raised_and_keeps_its_number(
    turns, clinics, engine, conversation, record
):
    asked = HandoffRecord(
        conversation, CLINIC, "web", "callback", "en", "none", phone="+16175550142"
    )
    recorded = HandoffDesk(engine, clinics).record(asked, OPEN)
    await turns.take(conversation, now=OPEN, text="danger")
    code, found = record()
    assert code == recorded.reference
    assert (found.kind, found.tier, found.phone) == ("crisis", "crisis_self", "+16175550142")


async def test_the_code_stays_while_the_brain_knows_of_none(turns, conversation, record):
    await turns.take(conversation, now=OPEN, text="danger")
    answered = await turns.take(conversation, now=OPEN, text="what is iop?")
    assert answered.state.reference == record()[0]


@pytest.mark.parametrize("text", ["hello", "I feel uneasy"])
async def test_what_is_no_danger_is_not_queued(turns, conversation, record, text):
    await turns.take(conversation, now=OPEN, text=text)
    assert record() is None


async def test_a_repeated_message_queues_once(turns, conversation, record, engine):
    for _ in range(2):
        await turns.take(conversation, now=OPEN, text="danger", message_id="m1")
    with reading(engine) as db:
        assert len(Alerts(db).of(conversation)) == 1
    assert record() is not None


async def test_a_queue_that_cannot_be_written_still_leaves_the_visitor_with_help(
    turns, engine, conversation
):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE handoff_conversation")
    answered = await turns.take(conversation, now=OPEN, text="danger")
    assert "988" in answered.messages[0].text
