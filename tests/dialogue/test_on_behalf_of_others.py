"""A parent, a partner, a friend or a caseworker asks for somebody else."""

import pytest

from bot.safety.replies import is_crisis_response
from tests.dialogue.test_triage import fill_in


@pytest.mark.parametrize(
    ("first", "person"),
    [
        ("I need help for my son", "your son"),
        ("looking for a program for my wife", "your wife"),
        ("I need help for my mother, she's 70", "your mother"),
        ("necesito ayuda para mi hija", "su hija"),
        ("busco un programa para mi esposo", "su esposo"),
    ],
)
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_questions_call_the_person_by_what_was_told(ask, channel, first, person):
    visitor = ask("greater_boston", channel).says(first).is_asked("safety_now")
    assert person in visitor.text
    assert person in visitor.says("no").text


def test_whoever_presses_the_button_hears_this_person(ask):
    visitor = ask("greater_boston").says("find a program").presses("For someone else")
    assert "this person" in visitor.text


def test_the_person_is_called_so_after_a_side_question_too(ask):
    visitor = ask("greater_boston").says("find a program for my son").says("no").says("MA")
    visitor.is_asked("age_band").says("thanks").hears("ask_age_band", "your son")


@pytest.mark.parametrize(
    "said",
    [
        "honestly I can't do this anymore, I want to die myself",
        "and I want to kill myself too",
        "it is me, I am thinking about ending my life",
    ],
)
def test_the_helpers_own_danger_is_heard(ask, said):
    visitor = ask("greater_boston").says("I need help for my son").is_asked("safety_now")
    visitor.says(said)
    assert any(is_crisis_response(name, "crisis_self") for name in visitor.responses)
    visitor.is_at(tier="crisis_self")


def test_the_helpers_own_danger_is_heard_in_spanish(ask):
    visitor = ask("greater_boston").says("necesito ayuda para mi hijo").says("no")
    visitor.says("la verdad es que yo también me quiero morir").is_at(tier="crisis_self")


def test_a_yes_to_the_safety_question_helps_the_helper(ask):
    visitor = ask("greater_boston").says("help me find a program for my brother")
    visitor.is_asked("safety_now").says("yes, he does")
    visitor.is_at(tier="crisis_other", level="crisis_assessment", handoff="crisis")
    assert "988" in visitor.text


def test_for_an_adult_the_helper_hears_that_the_adult_decides(ask):
    visitor = fill_in(ask("greater_boston"), for_whom="my husband", age_band="he's 45")
    visitor.hears("result_for_other", "your husband", "okay before sharing")


def test_for_oneself_consent_of_another_is_no_matter(ask):
    assert "result_for_other" not in fill_in(ask("greater_boston")).responses


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize(
    ("age", "for_whom", "who"),
    [("she is 15", "my daughter", "parent"), ("I'm 16", "me", "parent")],
)
def test_for_a_minor_no_level_is_shown_but_staff_get_it(ask, channel, age, for_whom, who):
    visitor = fill_in(
        ask("greater_boston", channel), for_whom=for_whom, age_band=age, symptom_severity="moderate"
    )
    visitor.does_not_hear("IOP", "PHP", "Outpatient").is_at(level="iop", handoff="phone")
    assert who in visitor.text
    assert "under 18" in visitor.text


def test_a_mother_asks_for_a_sixteen_year_old(ask):
    visitor = ask("greater_boston").says("I'm looking for help for my son, he is 16")
    visitor.is_asked("safety_now")
    fewer = []
    while visitor.state.open_question not in (None, "confirm"):
        fewer.append(visitor.state.open_question)
        visitor.says({"state": "MA", "symptom_severity": "moderate"}.get(fewer[-1], "no"))
    assert "age_band" not in fewer
    visitor.says("yes").hears("result_minor", "parent or guardian", "school")


def test_a_mother_in_spanish(ask):
    visitor = ask("greater_boston").says("necesito ayuda para mi hija, tiene 15 años")
    visitor.is_asked("safety_now")
    while visitor.state.open_question not in (None, "confirm"):
        visitor.says("no" if visitor.state.open_question != "symptom_severity" else "moderado")
    visitor.says("sí").hears("result_minor", "tutor").does_not_hear("IOP")
