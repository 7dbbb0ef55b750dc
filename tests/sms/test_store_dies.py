"""The database fails after a text was acknowledged: nothing is lost, and nobody is left alone."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store import Conversations, StoreError, writing
from bot.store.sms_contacts import SmsContacts
from bot.store.sms_inbox import SmsInbox
from tests.gateway.conftest import dead
from tests.sms.test_sending import rest, twilio_at  # noqa: F401


@pytest.fixture
def provider(rest):  # noqa: F811
    return twilio_at(rest.url)


@pytest.fixture
def gone(database):
    """The database's file is taken away, and comes back."""

    @contextmanager
    def away():
        kept = [each for each in database.parent.glob(f"{database.name}*") if each.exists()]
        for each in kept:
            each.rename(each.with_name(f"away-{each.name}"))
        yield
        for each in database.parent.glob(f"{database.name}*"):
            each.unlink()  # what an attempt to open it has made
        for each in kept:
            each.with_name(f"away-{each.name}").rename(each)

    return away


@pytest.fixture
def stuck(engine):
    """The database gives no answer, and no error either, for as long as it lasts."""

    @contextmanager
    def waiting():
        flows = threading.Event()
        sa.event.listen(engine, "checkout", wait := lambda *_: flows.wait())
        try:
            yield
        finally:
            sa.event.remove(engine, "checkout", wait)
            flows.set()

    return waiting


async def acknowledged(phone, app, text: str) -> None:
    """The text is committed and acknowledged, and not yet worked."""
    texting = app.state.texting
    begin, texting._begin = texting._begin, lambda _: None
    assert (await phone.posts(phone.body(text))).text.endswith("<Response></Response>")
    texting._begin = begin


async def work(phone, app) -> None:
    """One look for texts that wait."""
    app.state.texting._begin(phone.conversation)
    await phone.settled()
    await app.state.texting._speak()


async def test_who_may_be_in_danger_hears_at_once_and_is_answered_when_the_store_is_back(
    phone,
    app,
    gone,
    rest,  # noqa: F811
):
    await acknowledged(phone, app, "danger")
    phone.conversation = phone.contact().conversation
    with gone():
        await work(phone, app)
        [text] = rest.came
        assert text["To"] == phone.number
        assert "988" in text["Body"]
    await work(phone, app)
    assert "988" in phone.outbox()[0]["text"]
    assert len(rest.came) == 1


async def test_everybody_else_hears_after_half_a_minute(phone, app, gone, clock, rest):  # noqa: F811
    await acknowledged(phone, app, "when are you open")
    phone.conversation = phone.contact().conversation
    with gone():
        await work(phone, app)
        assert rest.came == []
        clock.forward(seconds=31)
        for _ in range(2):
            await work(phone, app)
        [text] = rest.came
        assert "988" in text["Body"]
    await work(phone, app)
    assert phone.outbox()[0]["text"].endswith("You said: when are you open")


async def test_a_store_that_is_back_soon_makes_no_second_answer(
    phone,
    app,
    gone,
    clock,
    rest,  # noqa: F811
):
    await acknowledged(phone, app, "when are you open")
    phone.conversation = phone.contact().conversation
    with gone():
        await work(phone, app)
    await work(phone, app)
    clock.forward(minutes=5)
    await work(phone, app)
    assert len(phone.outbox()) == 1
    assert rest.came == []


async def test_a_stop_is_not_confirmed_before_it_is_on_record(phone, app, gone, clock, rest):  # noqa: F811
    await acknowledged(phone, app, "STOP")
    phone.conversation = phone.contact().conversation
    with gone():
        clock.forward(minutes=1)
        await work(phone, app)
    assert rest.came == []
    await work(phone, app)
    assert "opted out" in phone.outbox()[0]["text"]


async def test_a_text_that_always_fails_is_answered_by_ourselves(
    phone,
    app,
    clock,
    rest,  # noqa: F811
    monkeypatch,
):
    monkeypatch.setattr(SmsInbox, "done", lambda *_: 1 / 0)
    await acknowledged(phone, app, "hello")
    phone.conversation = phone.contact().conversation
    clock.forward(minutes=1)
    await work(phone, app)
    assert len(rest.came) == 1


async def test_twilio_being_away_as_well_is_no_trouble_for_others(phone, app, gone, rest):  # noqa: F811
    await acknowledged(phone, app, "danger")
    phone.conversation = phone.contact().conversation
    rest.says = (503, {"code": 20500, "message": "no", "status": 503})
    with gone():
        await work(phone, app)
    await work(phone, app)
    assert "988" in phone.outbox()[0]["text"]


async def test_a_dead_brain_is_no_failing_store(phone, app, brain, rest):  # noqa: F811
    brain.answer = dead
    await phone.texts("hello")
    assert rest.came == []


@pytest.mark.parametrize("state", ["in_charge_until", "opted_out"])
async def test_a_text_that_nobody_answers_is_kept_for_staff_though_the_store_fails_for_a_moment(
    phone, app, clock, engine, monkeypatch, state
):
    await phone.texts("hello")
    phone.conversation = phone.contact().conversation
    with writing(engine) as db:
        when = clock() + timedelta(hours=1)
        SmsContacts(db).change(phone.conversation, clock(), **{state: when})
    with monkeypatch.context() as broken:
        broken.setattr(Conversations, "standing", fails)
        await phone.texts("tomorrow at ten, please")
    await work(phone, app)
    assert ("in", "tomorrow at ten, please") in phone.transcript()


async def test_a_store_that_is_stuck_keeps_nobody_in_danger_waiting(
    phone,
    app,
    stuck,
    monkeypatch,
    rest,  # noqa: F811
):
    await acknowledged(phone, app, "danger")
    phone.conversation = phone.contact().conversation
    with stuck(), monkeypatch.context() as hasty:
        # Only here: a store that works may take longer on a busy machine.
        hasty.setattr("bot.gateway.texting.STORE_SECONDS", 0.1)
        await asyncio.wait_for(work(phone, app), 20)
        [text] = rest.came
        assert "988" in text["Body"]
    await work(phone, app)
    assert "988" in phone.outbox()[0]["text"]


async def test_whatever_twilio_answers_texts_that_wait_are_looked_for_again(phone, app, gone, rest):  # noqa: F811
    rest.says = (200, ["not what Twilio says"])
    await acknowledged(phone, app, "danger")
    phone.conversation = phone.contact().conversation
    with gone():
        await work(phone, app)
    await work(phone, app)
    assert "988" in phone.outbox()[0]["text"]


def fails(*_) -> None:
    raise StoreError("the disk had a bad moment")
