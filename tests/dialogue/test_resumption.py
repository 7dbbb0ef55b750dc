"""Somebody comes back after a pause: a short recap, and nothing goes on without a yes."""

import pytest


@pytest.fixture
def asked_for_age(ask):
    visitor = ask("greater_boston").says("I want to find a program")
    return visitor.says("me").says("no").says("MA").is_asked("age_band")


def test_an_hour_later_a_greeting_gets_a_recap_and_shall_we_go_on(asked_for_age):
    asked_for_age.waits(hours=1).says("hi").hears("triage_welcome_back", "Massachusetts", "go on?")
    asked_for_age.does_not_hear("What would help you?").is_asked("consent")
    asked_for_age.presses("Yes, go on").is_asked("age_band").says("41").is_asked("substance_use")


def test_an_answer_an_hour_later_counts_before_going_on(asked_for_age):
    asked_for_age.waits(hours=1).says("I'm 50").hears("triage_welcome_back", "18 or older")
    asked_for_age.is_asked("consent").says("yes please").is_asked("substance_use")


def test_a_question_an_hour_later_is_answered_first(asked_for_age):
    asked_for_age.waits(hours=1).says("can i work while i do this?")
    assert asked_for_age.responses == ["faq_work_school", "triage_welcome_back"]
    # A second question is answered without asking "shall we go on?" again.
    assert asked_for_age.says("is medication included?").responses == ["faq_medication_management"]
    asked_for_age.is_asked("consent").says("ok let's continue").is_asked("age_band")


def test_a_short_pause_changes_nothing(asked_for_age):
    asked_for_age.waits(minutes=30).says("I'm 50").is_asked("substance_use")
    asked_for_age.does_not_hear("Welcome back")


def test_welcome_is_said_once(asked_for_age):
    asked_for_age.waits(hours=3).says("hello").is_asked("consent")
    asked_for_age.says("yes").is_asked("age_band").does_not_hear("Welcome back")


def test_not_now_leaves_the_answers_where_they_are(asked_for_age):
    asked_for_age.waits(hours=2).says("hi").is_asked("consent").says("no")
    asked_for_age.hears("pause").is_asked("consent")
    asked_for_age.waits(hours=20).says("ok, go on").is_asked("age_band")


def test_starting_over_is_offered(asked_for_age):
    asked_for_age.waits(hours=2).says("hi").presses("Start over").is_asked(None)
    asked_for_age.says("find a program").is_asked("for_whom")


def test_a_person_is_offered(asked_for_age):
    asked_for_age.waits(hours=2).says("hi").presses("Talk to a person").is_at(handoff="phone")


def test_a_yes_to_going_on_is_no_yes_to_the_safety_question(ask):
    visitor = ask("greater_boston").says("find a program").says("me").is_asked("safety_now")
    visitor.waits(hours=1).says("hello?").is_asked("consent").says("yes")
    visitor.is_at(tier="none", level=None).is_asked("safety_now")


def test_danger_after_a_pause_is_answered_first_and_alone(asked_for_age):
    asked_for_age.waits(hours=1).says("I want to kill myself").hears("crisis_self", "988")
    asked_for_age.does_not_hear("Welcome back").is_at(tier="crisis_self")


def test_a_correction_after_a_pause(asked_for_age):
    asked_for_age.waits(hours=1).says("hi").says("actually it's Georgia, not Massachusetts")
    asked_for_age.hears("triage_changed", "Georgia").is_asked("age_band")


def test_the_recap_is_asked_again_after_a_pause(ask):
    from tests.dialogue.test_corrections import confirming

    visitor = confirming(ask("greater_boston")).waits(hours=1).says("hi")
    visitor.hears("triage_recap_short").is_asked("confirm").says("yes").is_at(level="outpatient")


def test_by_sms_in_spanish(ask):
    visitor = ask("greater_boston", "sms").says("quiero saber qué programa me conviene").says("1")
    visitor.is_asked("safety_now").says("1").is_asked("state").waits(hours=1).says("hola")
    assert "¿Seguimos?" in visitor.text
    visitor.is_asked("consent").says("1").is_asked("state")


@pytest.mark.parametrize("words", ["I have to go now, bye", "let me pause here, back later"])
def test_somebody_who_leaves_is_let_go(asked_for_age, words):
    asked_for_age.says(words).does_not_hear("Back to my question").is_asked("age_band")
    asked_for_age.waits(hours=5).says("hi again").is_asked("consent")
