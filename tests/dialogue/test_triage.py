"""The questionnaire leads to the level that the rules give."""

import pytest

from tests.dialogue.visitor import MONDAY_MORNING

ANSWERS = {
    "for_whom": "me",
    "safety_now": "no",
    "state": "Massachusetts",
    "age_band": "I'm 34",
    "substance_use": "no",
    "withdrawal_risk": "no",
    "symptom_severity": "mild",
    "daily_functioning": "managing",
    "needs_24h_care": "no",
    "recent_care": "none",
    "stability": "stable",
    "weekly_enough": "yes",
    "recurring_crises": "no",
    "medication_support": "no",
    "support_at_home": "my wife helps a lot",
    "emotion_regulation": "no",
    "availability": "evenings",
}


def fill_in(visitor, **answers):
    """Start the questionnaire and answer every question; these answers differ."""
    visitor.says("I want to find out which program fits")
    asked = []
    while (item := visitor.state.open_question) in ANSWERS:
        asked.append(item)
        assert len(asked) <= 12, asked
        visitor.says({**ANSWERS, **answers}[item])
    visitor.asked = asked
    if visitor.state.open_question == "confirm":
        visitor.says("that's right")
    return visitor


LEVELS = [
    ({}, "outpatient"),
    ({"symptom_severity": "moderate"}, "iop"),
    ({"recurring_crises": "yes"}, "iop"),
    ({"symptom_severity": "severe", "daily_functioning": "most of it has stopped"}, "php"),
    ({"substance_use": "next to other things", "withdrawal_risk": "sick or shaky"}, "inpatient"),
]


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize(("answers", "level"), LEVELS)
def test_answers_lead_to_their_level(ask, channel, answers, level):
    visitor = fill_in(ask("greater_boston", channel), **answers).is_at(level=level)
    assert "888-278-0716" in visitor.text
    assert visitor.state.reference in visitor.text
    visitor.is_at(handoff="phone", open_question=None)


IN_SPANISH = {
    "for_whom": "yo",
    "safety_now": "no",
    "state": "Massachusetts",
    "age_band": "tengo 34 años",
    "substance_use": "no tomo nada",
    "withdrawal_risk": "no",
    "symptom_severity": "leve",
    "daily_functioning": "me las arreglo",
    "needs_24h_care": "no",
    "recent_care": "ninguna",
    "stability": "estable",
    "weekly_enough": "sí",
    "recurring_crises": "no",
    "medication_support": "no",
    "support_at_home": "mi esposa me ayuda mucho",
    "emotion_regulation": "no",
    "availability": "por la tarde",
}


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize(
    ("answers", "level"),
    [
        ({}, "outpatient"),
        ({"symptom_severity": "moderado"}, "iop"),
        ({"symptom_severity": "grave", "daily_functioning": "casi todo se detuvo"}, "php"),
        ({"substance_use": "tomo cerveza", "withdrawal_risk": "tiemblo y sudo"}, "inpatient"),
        ({"safety_now": "sí, ahora"}, "crisis_assessment"),
        ({"withdrawal_risk": "veo cosas", "substance_use": "a veces"}, "emergency"),
    ],
)
def test_spanish_answers_lead_to_their_level(ask, channel, answers, level):
    visitor = ask("greater_boston", channel).says("¿qué programa me conviene?")
    while (item := visitor.state.open_question) in IN_SPANISH:
        visitor.says({**IN_SPANISH, **answers}[item])
    if visitor.state.open_question == "confirm":
        visitor.says("sí, así es")
    visitor.is_at(level=level, language="es")


def test_the_result_is_orientation_and_says_that_a_clinician_decides(ask):
    visitor = fill_in(ask("greater_boston"), recurring_crises="yes")
    visitor.hears("result_level", "not a diagnosis", "clinician")
    visitor.does_not_hear("you need", "You need", "LOCUS", "ASAM")


def test_the_clinics_differ_on_moderate_symptoms_with_strong_support(ask):
    moderate = {"symptom_severity": "moderate", "state": "Georgia"}
    fill_in(ask("time_wellness_georgia"), **moderate).is_at(level="outpatient")


def test_severe_safety_answers_end_the_questions_at_once(ask):
    visitor = ask("greater_boston").says("help me find the right program").says("me")
    visitor.is_asked("safety_now").presses("Yes, now").hears("crisis_self", "988")
    visitor.is_at(level="crisis_assessment", handoff="crisis", tier="crisis_self")


def test_a_plan_about_to_be_acted_on_is_an_emergency(ask):
    visitor = ask("greater_boston").says("help me find the right program").says("me")
    visitor.is_asked("safety_now").presses("Yes, and it may happen soon")
    visitor.hears("emergency", "911").is_at(level="emergency", tier="emergency")


def test_someone_else_in_danger_gets_help_for_the_helper(ask):
    visitor = ask("greater_boston").says("I want to find a program for my son")
    visitor.is_asked("safety_now").presses("Yes, now")
    visitor.is_at(level="crisis_assessment", tier="crisis_other")


def test_a_minor_gets_no_level_but_a_person(ask):
    visitor = fill_in(ask("greater_boston"), age_band="she is 15", for_whom="my daughter")
    visitor.hears("result_minor").does_not_hear("IOP", "PHP")
    assert visitor.state.handoff == "phone"


@pytest.mark.parametrize("state", ["Illinois", "Texas"])
def test_no_level_where_the_law_or_the_licence_does_not_allow_it(ask, state):
    fill_in(ask("greater_boston"), state=state).hears("result_gated").does_not_hear("IOP")


def test_everything_skipped_leads_to_a_person(ask):
    unknown = dict.fromkeys(ANSWERS, "not sure")
    fill_in(ask("greater_boston"), **unknown).is_at(level="consultation")


def test_buttons_answer_as_well_as_words(ask):
    visitor = ask("greater_boston", now=MONDAY_MORNING).says("hi").presses("Find what fits")
    visitor.is_asked("for_whom").presses("For me").is_asked("safety_now").presses("No")
    visitor.is_asked("state").says("MA").is_asked("age_band").presses("18 or older")


def test_an_old_button_changes_its_answer_and_the_open_question_stays(ask):
    visitor = ask("greater_boston").says("find a program").says("me").presses("No")
    visitor.is_asked("state").says("MA").is_asked("age_band")


def test_who_tells_of_themselves_is_asked_no_more_for_whom_it_is(ask):
    visitor = ask("greater_boston").says("find a program").is_asked("for_whom")
    visitor.says("im 28, panic attacks every day, had to quit my job").is_asked("safety_now")
