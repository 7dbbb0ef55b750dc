"""Folding: many ways of typing, one way of reading, and the way back to the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety.lexicon import load_lexicon
from bot.safety.normalise import tokenise

SPELLING = load_lexicon().spelling


def words(text: str) -> str:
    return " ".join(token.word for token in tokenise(text, SPELLING))


@pytest.mark.parametrize(
    "typed",
    [
        "I don't want to",
        "I don\u2019t want to",
        "i dont want to",
        "I DON T want to",
        "I do not   want\tto",
        "\uff29 do not want to",
        "I d\u200bon't wa\u00adnt to",
        "I don't wanna",
    ],
)
def test_one_sentence_typed_in_many_ways_reads_the_same(typed: str) -> None:
    assert words(typed) == "i do not want to"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("kms", "kill myself"),
        ("suiciiiidal", "suicidal"),
        ("sucidal", "suicidal"),
        ("siucidal", "suicidal"),
        ("su*cide", "suicide"),
        ("k1ll my5elf", "kill myself"),
        ("s u i c i d e", "suicide"),
        ("sewerslide", "suicide"),
        ("imready", "i am ready"),
        ("good bye", "goodbye"),
        ("Má\u0301s PÍLDORAS", "mas pildoras"),
        ("12,500mg", "thousands mg"),
        ("\U0001f52b", "\U0001f52b"),
    ],
)
def test_misspellings_slang_and_masks_are_read(typed: str, read: str) -> None:
    assert words(typed) == read


@pytest.mark.parametrize("ordinary", ["overdue", "calling", "herself", "grilling"])
def test_an_ordinary_word_is_not_taken_for_a_weighty_one(ordinary: str) -> None:
    assert words(ordinary) == ordinary


def test_offsets_point_into_the_original_text() -> None:
    text = "Well\u2026 I\u2019m “s\u00fciciiidal”, ok?"
    token = next(each for each in tokenise(text, SPELLING) if each.word == "suicidal")
    assert text[token.start : token.end] == "s\u00fciciiidal"


@given(st.text())
def test_any_text_can_be_folded_and_offsets_stay_inside(text: str) -> None:
    for token in tokenise(text, SPELLING):
        assert 0 <= token.start < token.end <= len(text)
        assert token.word
