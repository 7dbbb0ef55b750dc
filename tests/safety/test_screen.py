"""What the screen, lexicon alone, says about a message."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety.screen import Screen, load_screen
from bot.vocabulary import TIERS, tier_at_least

SCREEN = load_screen()


def tier(text: str) -> str:
    return SCREEN.read(text).tier


@pytest.mark.parametrize(
    "text",
    [
        "now I want to end my life",
        "I am not ok and I want to kill myself",
        "No, I want to kill myself",
        "no i want to kill myself",
        "I can\u2019t stop thinking about killing myself",
        "im sucidal",
        "kms",
        "I'm not suicidal, I just want to kill myself",
        "quiero morirme",
        "ya no quiero vivir",
        "I used to think life was good, now I want to die",
        "My brother killed himself last year and now I want to die too",
        "I never felt like killing myself so badly",
        "my mom thinks I want to die, and she is right",
        "Do you take insurance? Also I want to kill myself.",
    ],
)
def test_a_present_first_person_hit_is_never_cancelled(text: str) -> None:
    assert tier_at_least(tier(text), "crisis_self")


@pytest.mark.parametrize(
    "text",
    [
        "My son is 16 and he has been cutting himself",
        "my daughter has been cutting",
        "she says she started cutting again",
        "my kid is cutting again",
    ],
)
def test_self_harm_told_of_somebody_else_is_theirs(text: str) -> None:
    assert tier(text) == "crisis_other"


@pytest.mark.parametrize(
    "text",
    [
        "my mom knows I started cutting again",
        "my mom left and been cutting ever since",
        "he makes me want to cut",
        "my son started cutting. I want to cut too",
        "my therapist knows. started cutting again",
    ],
)
def test_somebody_else_in_the_message_does_not_take_the_writers_self_harm(text: str) -> None:
    assert tier(text) == "crisis_self"


@pytest.mark.parametrize(
    "text",
    [
        "make it stop",
        "stop the pain",
        "I want it to stop",
        "I feel hopeless",
        "i feel so hopless",
        "there is no hope",
        "theres no hope for me",
        "i cant go on",
        "nothing matters anymore",
        "i dont feel safe",
        "haz que pare",
        "ya no tengo esperanza",
    ],
)
def test_hopelessness_and_begging_for_an_end_get_the_direct_question(text: str) -> None:
    assert tier(text) == "concern"


@pytest.mark.parametrize(
    "text",
    [
        "make it stop texting me",
        "stop texting",
        "I want it to stop calling me",
        "can I stop the pain meds before I start",
        "I'm a hopeless romantic",
        "my wife is feeling hopeless",
        "is there hope for people like my brother",
        "I don't feel safe driving at night",
        "I can't go on Tuesdays",
        "quiero que paren de mandarme mensajes",
    ],
)
def test_words_of_stopping_and_hope_that_mean_something_else_are_calm(text: str) -> None:
    assert tier(text) == "none"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I overdosed an hour ago", "emergency"),
        ("I took 12,500mg of tylenol", "emergency"),
        ("he has a knife and is threatening me", "emergency"),
        ("my son wants to die", "crisis_other"),
        ("she wants to kill herself", "crisis_other"),
        ("I'm scared to go home", "crisis_other"),
        ("I want to kill my boss", "crisis_other"),
        ("I'm not suicidal but I don't want to wake up tomorrow", "concern"),
        ("If I ever wanted to kill myself, who would I call?", "concern"),
        ("I'm so lonely and I used to cut myself as a teenager", "concern"),
        ("I'm not suicidal", "none"),
        ("I don't want to kill myself", "none"),
        ("No tengo pensamientos suicidas", "none"),
        ("I used to hurt myself as a teenager but not anymore", "none"),
        ("This wait is killing me", "none"),
        ("Suicide Squad was a fun film", "none"),
        ("If you want to die, call 988", "none"),
        ("the hero in that film kills himself", "none"),
        ("Do you take Blue Cross?", "none"),
        ("", "none"),
    ],
)
def test_context_decides_the_tier(text: str, expected: str) -> None:
    assert tier(text) == expected


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I am not suicidal", "negated_risk"),
        ("I tried to end my life ten years ago and I am well now", "past_risk"),
    ],
)
def test_past_and_denied_risk_is_named_so_that_it_can_be_acknowledged(
    text: str, category: str
) -> None:
    assert SCREEN.read(text).categories == (category,)


def test_evidence_points_at_the_words() -> None:
    text = "Hi there! I really want to KILL\u200b myself."
    found = {text[each.start : each.end] for each in SCREEN.read(text).evidence}
    assert "KILL\u200b myself" in found


def test_a_disclosure_inside_a_long_story_is_found() -> None:
    story = (
        "My week was busy. The kids had the flu, the car broke down and my boss moved two "
        "deadlines. My sister came over and we cooked. I paid the rent late again. Some nights "
        "I lie there and think about killing myself. Then the alarm rings and I go to work "
        "as if nothing happened. I also wanted to ask which days the groups meet. "
    )
    assert tier(story) == "crisis_self"


def test_two_concerns_of_different_kinds_add_up() -> None:
    assert tier("no one would miss me") == "concern"
    assert tier("life isn't worth living") == "concern"
    assert tier("no one would miss me and life isn't worth living") == "crisis_self"


class _Broken:
    def read(self, text: str, tokens=()):
        raise RuntimeError(f"cannot read {text}")


def test_a_failing_part_gives_at_least_concern_and_is_logged_without_the_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    screen = Screen(SCREEN._lexicon, _Broken())
    with caplog.at_level(logging.ERROR):
        reading = screen.read("my secret words")
    assert (reading.tier, reading.failed) == ("concern", True)
    assert screen.failures == 1
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


def test_a_failing_part_does_not_hide_what_the_other_saw() -> None:
    reading = Screen(SCREEN._lexicon, _Broken()).read("I want to kill myself")
    assert (reading.tier, reading.failed) == ("crisis_self", True)


# Any Unicode; plain words mixed in, so that patterns are reached too.
WORDS = st.sampled_from(
    [
        "i",
        "I'm",
        "don't",
        "want",
        "to",
        "die",
        "kill",
        "myself",
        "my",
        "son",
        "not",
        "never",
        "suicide",
        "pills",
        "no",
        "quiero",
        "vivir",
        "morir",
        "if",
        ",",
        ".",
        "?",
        '"',
        "'",
        "*",
        "@",
        "12,500mg",
        "k1ll",
        "aaaa",
        "used",
        "ago",
        "💊",
        "🔫",
    ]
)
MIXED = st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=30).map(" ".join)


@given(MIXED)
def test_any_unicode_is_read_without_failing(text: str) -> None:
    reading = SCREEN.read(text)
    assert reading.tier in TIERS
    assert not reading.failed
    for each in reading.evidence:
        assert 0 <= each.start < each.end <= len(text)


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_case_apostrophes_and_spacing_change_nothing(text: str) -> None:
    expected = SCREEN.read(text).tier
    assert tier(text.upper()) == expected
    assert tier(text.title()) == expected
    assert tier(text.replace("'", "\u2019")) == expected
    assert tier(text.replace("'", "")) == expected
    assert tier("  " + text.replace(" ", " \t ") + " ") == expected


@pytest.mark.parametrize(
    "flood",
    [
        "\U0001f48a" * 10_000,
        "I want to kill myself and I do not want to live. " * 204,
        "my son wants to die because i want to " * 263,
        "'\"*" * 3_333,
        "a" * 10_000,
    ],
    ids=["emoji", "repeated disclosure", "no full stops", "marks", "one word"],
)
def test_ten_thousand_characters_take_no_time(flood: str) -> None:
    best = min(_seconds(flood) for _ in range(3))
    assert best < 0.5  # a bound that only a quadratic slip breaks; bench/ has the figures


def _seconds(text: str) -> float:
    began = time.perf_counter()
    SCREEN.read(text)
    return time.perf_counter() - began
