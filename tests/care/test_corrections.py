"""What a message changes in the answers given before."""

from __future__ import annotations

import pytest

from bot.care.corrections import corrections
from bot.care.questionnaire import load_questionnaire
from bot.care.sheet import AnswerSheet

GIVEN = {
    "for_whom": "self",
    "safety_now": "no",
    "state": "MA",
    "age_band": "adult",
    "substance_use": "alongside",
    "withdrawal_risk": "none",
    "symptom_severity": "moderate",
    "recent_care": "inpatient",
}


@pytest.mark.parametrize(
    ("text", "open_item", "changes"),
    [
        ("actually, I meant my mom", "stability", {"for_whom": "someone_else"}),
        ("no, it was in March", "stability", {"recent_care": None}),
        ("no, fue en marzo", "stability", {"recent_care": None}),
        ("change my answer about drugs", "stability", {"substance_use": None}),
        ("can I change my answer about drugs?", "stability", {"substance_use": None}),
        ("change my answer about drugs to no", "stability", {"substance_use": "none"}),
        ("cambiar mi respuesta sobre drogas", "stability", {"substance_use": None}),
        ("actually I'm 16", "stability", {"age_band": "under_18"}),
        ("en realidad tengo 16 años", None, {"age_band": "under_18"}),
        ("I meant Georgia", "stability", {"state": "GA"}),
        ("wait, I live in Illinois", "stability", {"state": "IL"}),
        ("sorry, wrong answer", "stability", {"recent_care": None}),
        ("me equivoqué", "stability", {"recent_care": None}),
        ("I made a mistake, it's severe", "stability", {"symptom_severity": "severe"}),
    ],
)
def test_a_correction_changes_one_answer(text, open_item, changes):
    assert corrections(text, "en", GIVEN, open_item=open_item) == changes


@pytest.mark.parametrize(("said", "meant"), [("no", "yes"), ("yes", "no")])
def test_yes_was_said_and_no_was_meant_and_the_other_way_round(said, meant):
    given = {"for_whom": "self", "recurring_crises": said}
    text = f"I said {said} but I meant {meant}"
    assert corrections(text, "en", given) == {"recurring_crises": meant}


def test_a_meant_yes_after_the_safety_question_is_danger():
    given = {"for_whom": "self", "safety_now": "no"}
    assert corrections("I meant yes", "en", given, open_item="state") == {"safety_now": "now"}


def test_another_person_is_named_though_it_was_someone_else_before():
    given = {**GIVEN, "for_whom": "someone_else"}
    assert corrections("I meant my son, he's 15", "en", given) == {
        "for_whom": "someone_else",
        "age_band": "under_18",
    }


@pytest.mark.parametrize(
    ("text", "open_item"),
    [
        ("actually no, it went downhill", "stability"),
        ("actually yes", "stability"),
        ("I mean, it's pretty bad", "daily_functioning"),
        ("sorry, I don't know", "stability"),
        ("oh no", "stability"),
        ("wait, can I keep working?", "stability"),
        ("my wife helps a lot", "support_at_home"),
        ("no", "stability"),
        ("they changed my medication", "medication_support"),
        ("", "stability"),
        ("thanks", "stability"),
        ("how old do I have to be?", "stability"),
    ],
)
def test_what_answers_the_open_question_or_says_nothing_changes_nothing(text, open_item):
    assert corrections(text, "en", GIVEN, open_item=open_item) == {}


def test_without_answers_there_is_nothing_to_correct():
    assert corrections("I meant my mom", "en", {}) == {}


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("no, I'm 16", {"age_band": "under_18"}),
        ("she lives in Georgia", {"state": "GA"}),
        ("no it's severe", {"symptom_severity": "severe"}),
        ("drugs: no", {"substance_use": "none"}),
        ("recent care", {"recent_care": None}),
        ("no", {}),
        ("yes", {}),
        ("that's right", {}),
        ("looks good", {}),
        ("nothing to change", {}),
        ("what about medication?", {}),
        ("is my age important?", {}),
        ("evenings are fine", {}),  # "fine" is said of the evenings, which nobody asked about
    ],
)
def test_at_the_recap_a_new_value_is_enough(text, changes):
    assert corrections(text, "en", GIVEN, invited=True) == changes


def sheet(**given):
    return AnswerSheet(load_questionnaire(), {**GIVEN, **given})


def test_what_hangs_on_a_changed_answer_is_dropped_and_the_rest_stays():
    answers = sheet(stability="not_stable")
    answers.correct({"recent_care": "php"})
    assert "stability" not in answers.given
    assert list(answers.given)[-1] == "recent_care"
    assert answers.given == {**GIVEN, "recent_care": "php"}


def test_the_same_answer_again_drops_nothing():
    answers = sheet(stability="stable")
    answers.correct({"recent_care": "inpatient"})
    assert answers.given["stability"] == "stable"


def test_an_answer_taken_back_takes_what_hangs_on_it_along():
    answers = sheet()
    answers.correct({"substance_use": None})
    assert not {"substance_use", "withdrawal_risk"} & set(answers.given)


def test_about_another_person_everything_is_asked_anew():
    answers = sheet()
    answers.correct({"for_whom": "someone_else"}, "I meant my mom")
    assert answers.given == {"for_whom": "someone_else"}
    assert answers.person("en") == "your mother"
    answers.note({"age_band": "adult"})
    answers.correct({"for_whom": "someone_else"}, "sorry, my dad")
    assert answers.given == {"for_whom": "someone_else"}
    assert answers.person("es") == "su padre"


def test_naming_the_person_later_keeps_the_answers():
    answers = AnswerSheet(load_questionnaire(), {"for_whom": "someone_else", "safety_now": "no"})
    answers.note({"for_whom": "someone_else"}, "it is for my son")
    assert answers.given == {"for_whom": "someone_else", "safety_now": "no"}
    assert answers.person("en") == "your son"


def test_every_item_is_called_by_a_topic_of_its_own():
    items = load_questionnaire().items.values()
    for language in ("en", "es"):
        topics = [item.topic.in_language(language) for item in items]
        assert len(set(topics)) == len(topics)
        assert max(map(len, topics)) <= 30
