"""Replies as people give them: short, sloppy, long-winded, in two languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.care.answers import (
    relation_told,
    tells_of_need,
    tells_whom_and_age,
    understand,
    volunteered,
)
from bot.care.questionnaire import load_questionnaire
from bot.care.rules import valid_values
from bot.reviewed import Document
from bot.vocabulary import ITEMS, UNKNOWN

REPLIES: dict[str, dict[str, list[str]]] = Document(Path(__file__).with_name("replies.yml")).data
UNCLEAR = "UNCLEAR"

CASES = [
    (item, text, None if value == UNCLEAR else value)
    for item, by_value in REPLIES.items()
    for value, texts in by_value.items()
    for text in texts
]


@pytest.mark.parametrize(("item", "text", "value"), CASES)
def test_reply_is_understood(item: str, text: str, value: str | None) -> None:
    assert understand(item, text, "en") == value


def test_there_are_replies_for_every_value_of_every_item() -> None:
    assert set(REPLIES) == set(ITEMS)
    for item, by_value in REPLIES.items():
        assert {UNKNOWN, UNCLEAR} < set(by_value)
        assert set(ITEMS[item]) <= set(by_value)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_label_means_its_value_in_either_language(language: str) -> None:
    for item in load_questionnaire().items.values():
        for choice in item.choices:
            for label in (choice.label.en, choice.label.es):
                for typed in (label, label.lower(), label.upper(), f" {label}. "):
                    assert understand(item.name, typed, language) == choice.value


@pytest.mark.parametrize(
    ("number", "choice"),
    [("1", 0), ("2", 1), (" 2. ", 1), ("#1", 0), ("option 2", 1), ("the first one", 0), ("dos", 1)],
)
def test_the_number_of_a_choice_is_that_choice(number: str, choice: int) -> None:
    for item in load_questionnaire().items.values():
        if item.choices:
            assert understand(item.name, number, "en") == item.choices[choice].value


def test_a_number_that_is_no_choice_is_unclear() -> None:
    assert understand("weekly_enough", "7", "en") is None
    assert understand("weekly_enough", "0", "en") is None


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "😀😀", "🔪", "\x00\x07", "?", "你好", "http://example.org"]
)
def test_what_says_nothing_is_unclear(text: str) -> None:
    for item in ITEMS:
        assert understand(item, text, "en") is None
    assert volunteered(text) == {}


def test_spanish_replies_in_a_spanish_conversation() -> None:
    assert understand("substance_use", "no, no tomo nada", "es") == "none"
    assert understand("safety_now", "no sé", "es") == UNKNOWN
    assert understand("for_whom", "mi hermana", "es") == "someone_else"
    assert understand("age_band", "once", "es") == "under_18"
    assert understand("stability", "no, recaí", "es") == "not_stable"


@pytest.mark.parametrize(
    ("curly", "plain"), [("I don\u2019t drink", "I don't drink"), ("S\u00cd", "si"), ("NO", "no")]
)
def test_spelling_does_not_matter(curly: str, plain: str) -> None:
    for item in ITEMS:
        assert understand(item, curly, "en") == understand(item, plain, "en")


def test_an_unknown_item_or_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        understand("mood", "low", "en")
    with pytest.raises(KeyError):
        understand("safety_now", "no", "fr")


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("I just finished PHP and can't sleep", {"for_whom": "self", "recent_care": "php"}),
        ("for my son, he's 16", {"for_whom": "someone_else", "age_band": "under_18"}),
        ("my 16 year old son needs help", {"for_whom": "someone_else", "age_band": "under_18"}),
        (
            "my daughter just got out of the hospital",
            {"for_whom": "someone_else", "recent_care": "inpatient"},
        ),
        ("I'm 34 and live in Georgia", {"age_band": "adult", "state": "GA"}),
        ("hi, I live in Boston, MA", {"state": "MA"}),
        (
            "I'm 45 and I need help for my son, he is 17",
            {"for_whom": "someone_else", "age_band": "under_18"},
        ),
        ("weekly therapy isn't enough anymore", {"weekly_enough": "no"}),
        ("I have anger issues", {"emotion_regulation": "yes"}),
        ("been sober 3 years but I have bad mood swings", {"recurring_crises": "yes"}),
        ("can only do evenings", {"availability": "evenings"}),
        ("I'm an alcoholic", {"substance_use": "main_concern"}),
        ("stepping down from PHP next week. what now", {"recent_care": "php"}),
        (
            "sali del hospital hace poco y vivo en Georgia",
            {"recent_care": "inpatient", "state": "GA"},
        ),
        ("es para mi hija, tiene 15 años", {"for_whom": "someone_else", "age_band": "under_18"}),
        ("I have no one", {"support_at_home": "none"}),
    ],
)
def test_facts_told_unasked_are_taken_up(text: str, facts: dict[str, str]) -> None:
    assert volunteered(text) == facts


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "What is PHP?",
        "what's the difference between iop and outpatient",
        "Do you take 16 year olds?",
        "can I do IOP after I finish PHP?",
        "I have not finished PHP",
        "if I left rehab early what happens",
        "I'm 30 days sober",
        "my wife helps a lot",
        "do you treat dual diagnosis?",
        "I don't have anger issues",
        "I don't know if he is addicted",
        "ok, call me or text me in the morning",
        "is the clinic in Georgia?",
        "I read about Virginia Woolf",
        "3 days a week is a lot",
        "I need 20 minutes",
        "no",
        "yes please",
        "the movie was about rehab",
    ],
)
def test_nothing_is_taken_up_from_questions_denials_and_asides(text: str) -> None:
    assert volunteered(text) == {}


@settings(max_examples=300)
@given(st.sampled_from(list(ITEMS)), st.text(max_size=200), st.sampled_from(["en", "es"]))
def test_any_text_gives_a_value_or_nothing(item: str, text: str, language: str) -> None:
    assert understand(item, text, language) in {None, UNKNOWN, *valid_values(item)}
    for name, value in volunteered(text).items():
        assert value in valid_values(name)


@settings(max_examples=200)
@given(st.sampled_from(CASES), st.sampled_from([str.upper, str.lower, lambda t: f"  {t}\n"]))
def test_case_and_blanks_do_not_matter(case: tuple, change: object) -> None:
    item, text, value = case
    if item != "state":  # "in" and "IN" differ
        assert understand(item, change(text), "en") == value  # type: ignore[operator]


def test_a_very_long_message_is_read_quickly_enough() -> None:
    text = "I have been thinking about this for a long time and I drink a bit. " * 150
    assert understand("substance_use", text, "en") == "alongside"


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("my wife", "wife"),
        ("My 16 year old son", "son"),
        ("it's for our daughter, she's 12", "daughter"),
        ("my dad's drinking again", "father"),
        ("para mi mamá", "mother"),
        ("my best friend", "friend"),
        ("my wife and our son", None),
        ("someone else", None),
        ("me", None),
    ],
)
def test_whom_they_ask_for_is_heard(text: str, relation: str | None) -> None:
    assert relation_told(text) == relation


# A false "now" ends the questions with a crisis reply, and a false "no" is worse.
@pytest.mark.parametrize(
    "text",
    [
        "he's 22",
        "she's 45",
        "he is 22",
        "he is in Georgia",
        "she is in school",
        "im fine",
        "im ok",
        "he is",
        "they are ok",
        "she has a job",
        "I do yoga",
        "he does homework",
        "I am 34",
        "true crime",
        "tiene 20 años",
        "ella tiene 20",
        "no, but he's 22",
    ],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_what_only_looks_like_a_reply_says_nothing_about_safety(text: str, language: str) -> None:
    assert understand("safety_now", text, language) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("nope never", "no"),
        ("no lol", "no"),
        ("absolutely not", "no"),
        ("no creo", "no"),
        ("not that I know of", "no"),
        ("yes but not now", "past"),
        ("no but last week", "past"),
        ("sí pero ya no", "past"),
        ("yes she is", "now"),
        ("yes he does", "now"),
        ("yes lol", "now"),
        ("sí", "now"),
        ("I'm not sure", UNKNOWN),
    ],
)
def test_clear_replies_about_safety(text: str, value: str) -> None:
    assert understand("safety_now", text, "en") == value


@pytest.mark.parametrize(
    ("text", "item", "value"),
    [
        ("I'm 34, can I keep working?", "age_band", "adult"),
        ("I'm 34 and can I keep working?", "age_band", "adult"),
        ("Tengo 34, ¿puedo trabajar?", "age_band", "adult"),
        ("moderate. does it cost a lot?", "symptom_severity", "moderate"),
    ],
)
def test_an_answer_in_front_of_a_question_counts(text: str, item: str, value: str) -> None:
    assert understand(item, text, "en") == value


def test_a_question_alone_answers_nothing() -> None:
    assert understand("daily_functioning", "can I keep working?", "en") is None


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("I just finished PHP and can't sleep", True),
        ("I got out of the hospital last Tuesday", True),
        ("Acabo de salir del hospital y no duermo", True),
        ("what is php", False),
        ("my therapist mentioned php, what is it", False),
        ("do you take people who just left detox", False),
        ("tell me about dual diagnosis", False),
        ("anger management", False),
    ],
)
def test_telling_of_a_program_is_not_asking_about_it(text: str, tells: bool) -> None:
    assert tells_of_need(text) is tells


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("I need help for my daughter, she is 15", True),
        ("necesito ayuda para mi hija, tiene 15 años", True),
        ("do you take my 15 year old daughter", False),
        ("my son is 16, do you treat teens", False),
    ],
)
def test_saying_whom_and_how_old_is_not_asking_about_ages(text: str, tells: bool) -> None:
    assert tells_whom_and_age(text) is tells
