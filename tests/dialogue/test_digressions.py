"""Whatever comes in the middle of the questionnaire is answered, and the question returns."""

import pytest


@pytest.fixture
def asked_for_age(ask):
    visitor = ask("greater_boston").says("I want to find a program")
    return visitor.says("me").says("no").says("MA").is_asked("age_band")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("can i work while i do this?", "faq_work_school"),
        ("thanks", "thank"),
        ("are you a bot", "ask_if_bot"),
        ("why do you ask?", "why_age_band"),
        ("should i double my dose of zoloft?", "medical_advice"),
    ],
)
def test_a_side_question_is_answered_and_the_question_comes_back_shorter(
    asked_for_age, said, heard
):
    asked_for_age.says(said).hears(heard).hears("ask_age_band", "Back to my question")
    asked_for_age.is_asked("age_band").says("41").is_asked("substance_use")


def test_a_person_can_be_asked_for_at_any_question(asked_for_age):
    asked_for_age.says("can i just talk to a human please").hears("handoff_open")
    asked_for_age.is_asked(None).is_at(handoff="phone")


def test_the_questions_can_be_taken_up_again_where_they_were_left(asked_for_age):
    asked_for_age.says("let me talk to a person").is_asked(None)
    asked_for_age.says("ok let's find out which program fits").is_asked("age_band")


def test_going_back_changes_the_answer_before(asked_for_age):
    asked_for_age.says("go back").is_asked("state").says("Georgia").is_asked("age_band")


def test_starting_over_forgets_the_answers(asked_for_age):
    asked_for_age.says("start over").hears("restart").is_asked(None)
    asked_for_age.says("find a program that fits").is_asked("for_whom")


def test_three_answers_that_do_not_fit_get_help_then_the_question_is_left_open(asked_for_age):
    asked_for_age.says("purple").hears("help_age_band").is_asked("age_band")
    asked_for_age.says("green").hears("help_age_band").is_asked("age_band")
    asked_for_age.says("blue").hears("triage_skip")
    assert asked_for_age.state.open_question != "age_band"


def test_told_unasked_is_not_asked_again(ask):
    visitor = ask("greater_boston").says("looking for the right program for my son, he's 22")
    visitor.is_asked("safety_now").says("no").is_asked("state").says("MA")
    assert visitor.state.open_question not in ("for_whom", "age_band")
