"""Where the law or the licence does not allow it, no level is suggested; help always is."""

import pytest

from tests.dialogue.test_triage import fill_in

GATED = ["Illinois", "Nevada", "Maine", "Tennessee"]
UNLICENSED = ["Texas", "California"]
PROGRAMS = ("IOP", "PHP", "outpatient", "Outpatient", "inpatient care")


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize("state", [*GATED, *UNLICENSED])
def test_no_level_is_suggested(ask, channel, state):
    visitor = fill_in(ask("greater_boston", channel), state=state, symptom_severity="severe")
    visitor.does_not_hear(*PROGRAMS).is_at(handoff="phone")
    assert "where you live" in visitor.text


def test_in_spanish(ask):
    visitor = fill_in(ask("greater_boston", language="es"), state="Illinois")
    visitor.hears("result_gated", "donde vive")


def test_fewer_questions_are_asked_where_no_level_may_be_shown(ask):
    allowed = fill_in(ask("greater_boston")).asked
    gated = fill_in(ask("greater_boston"), state="Illinois").asked
    assert len(gated) < len(allowed)
    assert "safety_now" in gated


@pytest.mark.parametrize(
    ("clinic", "state"),
    [("greater_boston", "Massachusetts"), ("time_wellness_georgia", "Georgia")],
)
def test_the_clinics_own_states_are_open(ask, clinic, state):
    fill_in(ask(clinic), state=state, recurring_crises="yes").hears("result_level")


def test_questions_about_programs_are_answered_in_a_gated_state(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("Illinois")
    visitor.says("what is iop?").hears("faq_what_is_iop").is_asked("age_band")


@pytest.mark.parametrize("state", GATED)
def test_crisis_help_comes_in_every_state(ask, state):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says(state)
    visitor.says("I want to kill myself").hears("crisis_self", "988")


def test_moving_to_a_gated_state_takes_the_level_away_from_the_visitor(ask):
    visitor = fill_in(ask("greater_boston"), recurring_crises="yes").hears("result_level")
    visitor.says("actually I live in Illinois").hears("result_gated").does_not_hear("IOP")


def test_the_state_asked_for_is_the_state_of_the_person_in_need(ask):
    visitor = ask("greater_boston").says("find a program for my son, he's 22").says("no")
    visitor.is_asked("state").hears("ask_state", "your son").says("Illinois")
    visitor.is_asked("substance_use")
