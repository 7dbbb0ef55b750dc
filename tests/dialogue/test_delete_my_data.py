"""A visitor who wants to be forgotten is asked once, and told truly what is gone."""

from __future__ import annotations

import uuid

import pytest

from bot.store import Alerts, Audit, Conversations, Messages, TrackerEvents, reading
from bot.store.handoffs import Handoffs
from tests.dialogue.visitor import THANKSGIVING

SECRET = "my neighbour Quillonbert says iop helps, is that so?"


@pytest.fixture
def left(assistant):
    """What the store still has of a visitor's conversation."""

    class Left:
        def __init__(self, visitor):
            with reading(assistant.engine) as db:
                self.messages = Messages(db).after(visitor.conversation)
                self.events = TrackerEvents(db).read(visitor.conversation)
                self.record = Handoffs(db).find(visitor.conversation)
                self.alerts = Alerts(db).of(visitor.conversation)
                self.audit = Audit(db).of(visitor.conversation)
                self.state = Conversations(db).find(visitor.conversation).state

    return Left


@pytest.fixture
def phone():
    """A number that no other test uses."""
    return f"617-{200 + uuid.uuid4().int % 700}-{uuid.uuid4().int % 10000:04d}"


def with_a_request(ask, phone, **how):
    visitor = ask(now=THANKSGIVING, **how).says("can someone call me").says("Quillonbert")
    visitor.says(phone)
    while visitor.state.open_question not in (None, "confirm"):
        visitor.says("not sure")
    return visitor.says("yes")


def test_nothing_is_deleted_before_a_yes(ask, left):
    visitor = ask().says(SECRET).says("delete my data").hears("delete_my_data", "can't be undone")
    assert SECRET in [message.text for message in left(visitor).messages]


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_after_a_yes_nothing_that_was_said_is_left(ask, left, channel):
    visitor = ask(channel=channel).says(SECRET).says("find a program").says("me")
    visitor.says("please delete all my data").says("yes, I am Quillonbert")
    visitor.hears("data_deleted", "I've deleted this chat")
    after = left(visitor)
    assert [message.direction for message in after.messages] == ["in", "out"]
    assert not any("Quillonbert" in message.text for message in after.messages)
    assert (after.events, after.record) == ([], None)
    assert (after.state.level, after.state.open_question) == (None, None)


def test_the_button_does_the_same(ask, left):
    visitor = ask().says(SECRET).says("delete my data").presses("Yes, delete it")
    visitor.hears("data_deleted")
    assert left(visitor).events == []


def test_in_spanish_it_is_asked_and_told_in_spanish(ask, left):
    visitor = (
        ask().says("¿qué es iop?").says("borren mis datos").hears("delete_my_data", "¿Lo borro?")
    )
    visitor.says("sí").hears("data_deleted", "Borré este chat")
    assert left(visitor).events == []
    visitor.says("hola").is_at(language="es")


def test_a_no_keeps_everything(ask, left):
    visitor = ask().says(SECRET).says("delete my data").says("no")
    visitor.hears("delete_my_data_kept")
    assert SECRET in [message.text for message in left(visitor).messages]


def test_a_yes_to_something_else_deletes_nothing(ask, left):
    visitor = ask().says("delete my data").says("what is iop?").says("yes")
    assert "data_deleted" not in visitor.responses
    assert left(visitor).events


def test_a_request_is_deleted_too_and_the_visitor_knows_that_nobody_calls(ask, left, phone):
    visitor = with_a_request(ask, phone)
    assert left(visitor).record is not None
    visitor.says("delete my data").says("yes")
    visitor.hears("data_deleted_request_deleted", "nobody will call you").is_at(reference=None)
    assert left(visitor).record is None


def test_a_request_for_help_in_danger_is_kept_and_said_so(ask, left):
    visitor = ask().says(SECRET).says("I want to kill myself").says("delete my data")
    visitor.presses("Yes, delete it").hears("data_deleted_crisis_kept", "988")
    after = left(visitor)
    assert after.record is not None
    assert after.alerts
    assert [m.text for m in after.messages if m.tier == "crisis_self"] == ["I want to kill myself"]
    assert not any("Quillonbert" in message.text for message in after.messages)
    assert after.events == []
    assert after.state.tier == "crisis_self"


def test_somebody_elses_request_with_the_same_number_is_not_deleted(ask, left, phone):
    first = with_a_request(ask, phone)
    second = with_a_request(ask, phone)
    second.says("delete my data").says("yes").hears("data_deleted_shared_kept")
    assert left(first).record is not None
    assert left(second).record is None


def test_the_deletion_is_audited_without_words(ask, left):
    visitor = ask().says(SECRET).says("delete my data").says("yes")
    [entry] = left(visitor).audit
    assert (entry.actor, entry.action) == ("visitor", "data.deleted")
    assert "Quillonbert" not in str(entry.details)


def test_danger_in_the_confirmation_is_answered_as_danger(ask, left):
    visitor = ask().says("delete my data").says("yes, I want to kill myself")
    assert visitor.responses[0].startswith("crisis_self")
    assert left(visitor).alerts


def test_in_the_middle_of_a_form_it_is_asked_and_not_taken_for_an_answer(ask, left):
    visitor = ask(now=THANKSGIVING).says("can someone call me").is_asked("name")
    visitor.says("delete my data").hears("delete_my_data").says("yes").hears("data_deleted")
    assert left(visitor).events == []


def test_the_conversation_can_go_on_after_it(ask):
    visitor = ask().says("delete my data").says("yes").says("what is iop?")
    visitor.hears("faq_what_is_iop")
