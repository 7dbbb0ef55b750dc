"""A text that will never arrive, or that waits too long, is seen by people."""

from __future__ import annotations

import pytest
import structlog

from bot.handoff.desk import HandoffDesk
from bot.notify.wording import subject_of
from bot.store import reading
from bot.store.outbox import Outbox
from bot.store.sms_outbox import SmsOutbox
from bot.worker.readiness import say_if_texts_are_late
from tests.console.night import record
from tests.sms.conftest import CLINIC
from tests.sms.test_sending import make_worker, refusing, rest, told, worker  # noqa: F401


@pytest.fixture(scope="session")
def clinics(clinics):
    """Somebody at the clinic is told."""
    clinic = clinics[CLINIC]
    told = clinic.notifications.copy(update={"coordinators": ["desk@clinic.example"]})
    return {**clinics, CLINIC: clinic.copy(update={"notifications": told})}


def ask(phone, engine, clinics, clock, **fields) -> str:
    asked = record(phone.contact().conversation, channel="sms", phone=phone.number, **fields)
    return HandoffDesk(engine, clinics).record(asked, clock()).reference


def notices(engine) -> list[tuple[str, str]]:
    """What staff are told of lost texts: code, and the whole line."""
    with reading(engine) as db:
        found = [each for each in Outbox(db).undelivered() if each.kind == "lost_text"]
    return [(each.subject, subject_of(each.kind, each.payload)) for each in found]


async def test_staff_hear_of_a_text_that_is_refused_once_a_day(
    phone,
    worker,  # noqa: F811
    rest,  # noqa: F811
    engine,
    clinics,
    clock,
):
    await phone.texts("call me")
    code = ask(phone, engine, clinics, clock)
    rest.says = refusing(21614)
    worker.deliver_due()
    await phone.texts("hello?")
    worker.deliver_due()
    assert notices(engine) == [
        (code, f"[Greater Boston] A text could not be delivered: request {code}")
    ]


async def test_crisis_help_that_does_not_arrive_is_urgent(phone, worker, rest, engine):  # noqa: F811
    await phone.texts("danger")
    rest.says = refusing(30005)
    worker.deliver_due()
    [(_, line)] = notices(engine)
    assert "urgent request" in line


async def test_a_callback_that_says_undelivered_is_told_as_well(
    phone,
    worker,  # noqa: F811
    engine,
    clinics,
    clock,
):
    await phone.texts("call me")
    ask(phone, engine, clinics, clock)
    worker.deliver_due()
    [row] = phone.outbox()
    for _ in range(2):
        await told(phone, row["id"], "undelivered", ErrorCode="30003")
    assert len(notices(engine)) == 1
    with reading(engine) as db:
        [lost] = SmsOutbox(db).lost(phone.contact().conversation)
    assert (lost.kind, lost.reason) == ("reply", "30003: the phone is off or out of reach")


@pytest.mark.parametrize(("text", "count"), [("hello", 0), ("danger", 1)])
async def test_an_answer_to_who_opted_out_with_twilio_may_be_lost_crisis_help_not(
    phone,
    worker,  # noqa: F811
    rest,  # noqa: F811
    engine,
    clinics,
    clock,
    text,
    count,
):
    await phone.texts(text)
    ask(phone, engine, clinics, clock)
    rest.says = refusing(21610)
    worker.deliver_due()
    assert len(notices(engine)) == count


async def test_what_is_not_sent_because_of_an_opt_out_is_not_lost(phone, engine):
    await phone.texts("hello")
    await phone.texts("STOP")
    with reading(engine) as db:
        assert SmsOutbox(db).lost(phone.contact().conversation) == []


async def texts_of(phone) -> dict[str, int]:
    return (await phone.web.get("/readyz")).json()["texts"]


async def test_readyz_counts_what_waits_fails_is_late_and_is_lost(
    phone,
    worker,  # noqa: F811
    rest,  # noqa: F811
    clock,
):
    nothing = {"unanswered": 0, "waiting": 0, "failing": 0, "late": 0, "lost": 0}
    assert await texts_of(phone) == nothing
    await phone.texts("hello")
    assert await texts_of(phone) == {**nothing, "waiting": 1}
    rest.says = refusing(20500, 503)
    worker.deliver_due()
    clock.forward(minutes=6)
    assert await texts_of(phone) == {**nothing, "waiting": 1, "failing": 1, "late": 1}
    rest.says = refusing(21614)
    worker.deliver_due()
    assert await texts_of(phone) == {**nothing, "lost": 1}


async def test_the_worker_says_that_texts_are_late(phone, engine, clock):
    await phone.texts("hello")
    with structlog.testing.capture_logs() as logs:
        say_if_texts_are_late(engine, clock())
        clock.forward(minutes=7)
        say_if_texts_are_late(engine, clock())
    assert [(each["event"], each["oldest_minutes"]) for each in logs] == [
        ("texts wait too long", 7)
    ]
