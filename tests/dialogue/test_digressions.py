"""Whatever comes in the middle of the questionnaire is answered, and the question returns."""

import pytest

from tests.dialogue.test_triage import ANSWERS


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


SIDE_QUESTIONS = [
    ("en", "can i work while i do this?", "faq_work_school"),
    ("en", "thanks", "thank"),
    ("en", "are you a bot?", "ask_if_bot"),
    ("en", "this is so annoying, you are useless", "complain"),
    ("es", "¿puedo trabajar mientras hago el programa?", "faq_work_school"),
    ("es", "gracias", "thank"),
    ("es", "¿eres un robot?", "ask_if_bot"),
    ("es", "esto es muy molesto, no sirve", "complain"),
    ("es", "¿por qué me pregunta eso?", "why_age_band"),
]


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize(("language", "said", "heard"), SIDE_QUESTIONS)
def test_side_questions_on_every_channel_in_both_languages(ask, channel, language, said, heard):
    visitor = ask("greater_boston", channel, language=language)
    visitor.says({"en": "find out what fits", "es": "qué programa me conviene"}[language])
    visitor.says({"en": "me", "es": "yo"}[language]).says("no").says("MA").is_asked("age_band")
    visitor.says(said).is_asked("age_band")
    assert visitor.responses[0] == heard
    again = {"en": "Back to my question", "es": "Volvamos a mi pregunta"}[language]
    assert again in visitor.text
    visitor.says("41").is_asked("substance_use")


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize("said", ["I'm 34, can I keep working?", "Tengo 34, ¿puedo trabajar?"])
def test_an_answer_and_a_question_in_one_message(ask, channel, said):
    visitor = ask("greater_boston", channel).says("I want to find a program").says("me")
    visitor.says("no").says("MA").is_asked("age_band").says(said).is_asked("substance_use")
    assert visitor.responses[0] == "faq_work_school"


@pytest.mark.parametrize(
    "told", ["I just finished PHP and can't sleep", "acabo de terminar PHP y no puedo dormir"]
)
def test_what_is_told_unasked_starts_the_questions(ask, told):
    visitor = ask("greater_boston").says(told).hears("triage_intro")
    asked = []
    while visitor.state.open_question not in (None, "confirm"):
        asked.append(visitor.state.open_question)
        visitor.says({**ANSWERS, "symptom_severity": "moderate"}[asked[-1]])
    assert "recent_care" not in asked
    assert "PHP" in visitor.text


def test_what_was_told_before_the_questions_is_not_asked(ask):
    visitor = ask("greater_boston").says("I live in Massachusetts, do you have evening groups?")
    visitor.says("find out what fits").says("me").is_asked("safety_now").says("no")
    visitor.is_asked("age_band")
