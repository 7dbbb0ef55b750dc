"""The hand-off reaches a person: by phone while the line is open, by callback otherwise."""

from datetime import datetime

import pytest

from bot.handoff.reference import normalise
from tests.dialogue.visitor import THANKSGIVING

SATURDAY = datetime.fromisoformat("2026-11-28T03:00:00-05:00")
FIVE_TO_SIX = datetime.fromisoformat("2026-11-23T17:55:00-05:00")


def test_while_the_line_is_open_the_number_and_a_code_are_given(ask, record):
    visitor = ask("greater_boston").says("I want to talk to someone")
    visitor.hears("handoff_open", "888-278-0716", "Read this code out", visitor.state.reference)
    assert normalise(visitor.state.reference) == visitor.state.reference
    reference, found = record(visitor)
    assert reference == visitor.state.reference
    assert found.kind == "phone"


def test_instead_of_calling_a_visitor_may_be_called(ask):
    visitor = ask("greater_boston").says("I want to talk to someone").hears("handoff_open")
    visitor.presses("Call me back instead").is_asked("name")


def test_on_thanksgiving_the_visitor_hears_when_the_line_opens(ask):
    visitor = ask("greater_boston", now=THANKSGIVING).says("can I talk to a person")
    visitor.hears("handoff_closed", "We open tomorrow (Friday) at 8:30 AM Eastern")
    visitor.is_asked("consent")


def test_on_a_saturday_the_visitor_hears_monday(ask):
    visitor = ask("greater_boston", now=SATURDAY).says("can I talk to a person")
    visitor.hears("handoff_closed", "We open Monday at 8:30 AM Eastern")


def test_minutes_before_closing_no_live_transfer_is_promised(ask):
    visitor = ask("greater_boston", now=FIVE_TO_SIX).says("talk to a person")
    visitor.hears("handoff_closing_soon", "can't promise").does_not_hear("talk to our team now")
    visitor.is_asked("consent").is_at(handoff="callback")


def test_a_clinic_without_a_phone_offers_a_callback_at_any_hour(ask):
    visitor = ask("time_wellness_georgia").says("I want to talk to a person")
    visitor.hears("handoff_no_phone").is_asked("consent").is_at(handoff="callback")


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
    assert (found.language, found.state) == ("es", "MA")
    assert found.answers["state"] == "MA"
    assert found.answers["safety_now"] == "no"
    assert "age_band" in found.unknown
    assert found.rules_version


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_the_open_line_is_told_the_same_way_in_spanish(ask, channel):
    visitor = ask("greater_boston", channel).says("quiero hablar con una persona, por favor")
    visitor.is_at(language="es", handoff="phone")
    for words in ("888-278-0716", visitor.state.reference):
        assert words in visitor.text


def test_hours_that_cannot_be_read_promise_nothing_and_are_logged(ask, assistant, caplog):
    clinic = assistant.clinics["greater_boston"]
    broken = clinic.copy(update={"hours": clinic.hours.copy(update={"rule": "nine to five"})})
    assistant.clinics["greater_boston"] = broken
    try:
        visitor = ask("greater_boston").says("I want to talk to someone")
        visitor.hears("handoff_unknown_hours", "888-278-0716", "988", "911").is_asked("consent")
        visitor.does_not_hear("We open", "now:")
    finally:
        assistant.clinics["greater_boston"] = clinic
