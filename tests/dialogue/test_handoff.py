"""The hand-off reaches a person: by phone while the line is open, by callback otherwise."""

from datetime import datetime

import pytest

from bot.store import reading
from bot.store.handoffs import Handoffs
from tests.dialogue.visitor import THANKSGIVING

SATURDAY = datetime.fromisoformat("2026-11-28T03:00:00-05:00")
TEN_TO_SIX = datetime.fromisoformat("2026-11-23T17:55:00-05:00")


@pytest.fixture
def record(assistant):
    """The record that staff find for a visitor's conversation."""

    def find(visitor):
        with reading(assistant.engine) as connection:
            return Handoffs(connection).find(visitor.conversation)

    return find


def test_while_the_line_is_open_the_number_and_a_code_are_given(ask, record):
    visitor = ask("greater_boston").says("I want to talk to someone")
    visitor.hears("handoff_open", "888-278-0716", visitor.state.reference)
    reference, found = record(visitor)
    assert reference == visitor.state.reference
    assert found.kind == "phone"


def test_on_thanksgiving_the_visitor_hears_when_the_line_opens(ask):
    visitor = ask("greater_boston", now=THANKSGIVING).says("can I talk to a person")
    visitor.hears("handoff_closed", "Friday", "8:30 AM Eastern").is_asked("consent")


def test_minutes_before_closing_no_live_transfer_is_promised(ask):
    ask("greater_boston", now=TEN_TO_SIX).says("talk to a person").does_not_hear("now: 888")


def test_a_clinic_without_a_phone_offers_a_callback_at_any_hour(ask):
    visitor = ask("time_wellness_georgia").says("I want to talk to a person")
    visitor.hears("handoff_no_phone").is_asked("consent").is_at(handoff="callback")


def test_a_callback_is_stored_only_after_a_yes_and_then_confirmed(ask, record):
    visitor = ask("greater_boston", now=THANKSGIVING).says("can someone call me")
    visitor.is_asked("name").says("my name is Ana").is_asked("phone")
    visitor.says("617-555-0142").is_asked("best_time").says("after 5")
    visitor.is_asked("ok_voicemail").says("no")
    visitor.is_asked("confirm").hears("callback_confirm", "Ana", "(617) 555-0142", "after 5")
    assert record(visitor) is None
    visitor.presses("Yes").hears("callback_done", visitor.state.reference, "Friday")
    _, found = record(visitor)
    assert (found.name, found.phone, found.best_time) == ("Ana", "+16175550142", "after 5")
    assert found.ok_voicemail == "no"
    assert "Ana" in found.consent


def test_a_refused_confirmation_stores_nothing(ask, record):
    visitor = ask("greater_boston").says("please call me back").says("Bo").says("617 555 0142")
    visitor.says("any time").says("yes").is_asked("confirm").says("no").hears("callback_cancelled")
    assert record(visitor) is None


def test_a_second_request_updates_the_first_and_keeps_the_code(ask, record):
    visitor = ask("greater_boston").says("call me back").says("Bo").says("617 555 0142")
    visitor.says("mornings").says("yes").says("yes").hears("callback_done")
    code = visitor.state.reference
    visitor.says("can you call me back again please").is_asked("confirm").says("yes")
    visitor.hears("callback_updated", code)
    assert record(visitor)[0] == code


@pytest.mark.parametrize("wrong", ["617 555", "banana", "12345678901234567"])
def test_a_wrong_number_is_explained_and_asked_again(ask, wrong):
    visitor = ask("greater_boston").says("call me back").says("Bo").is_asked("phone")
    visitor.says(wrong).is_asked("phone")
    visitor.says("617-555-0142").is_asked("best_time")


def test_a_name_can_be_skipped(ask):
    ask("greater_boston").says("call me back").presses("Skip").is_asked("phone")


def test_a_question_in_the_form_is_answered_and_is_not_taken_for_a_name(ask, record):
    visitor = ask("greater_boston").says("call me back").is_asked("name")
    visitor.says("how long does the program take?").hears("faq_program_length")
    visitor.hears("callback_name").is_asked("name").says("Lee").is_asked("phone")


def test_declining_the_callback_is_accepted(ask):
    visitor = ask("greater_boston", now=SATURDAY).says("can I speak to someone")
    visitor.is_asked("consent").says("no thanks").hears("handoff_declined").is_asked(None)


def test_consent_leads_into_the_form(ask):
    visitor = ask("time_wellness_georgia").says("I need to speak to a person").is_asked("consent")
    visitor.says("yes please").is_asked("name")


def test_the_record_carries_level_answers_and_language(ask, record):
    visitor = ask("greater_boston").says("quiero saber qué programa me conviene")
    visitor.is_at(language="es").presses("Para mí").presses("No").says("Massachusetts")
    visitor.says("quiero hablar con una persona").hears("handoff_open")
    _, found = record(visitor)
    assert found.language == "es"
    assert found.answers["state"] == "MA"
    assert found.answers["safety_now"] == "no"
