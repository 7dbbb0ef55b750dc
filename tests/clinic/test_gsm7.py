"""SMS length: which characters cost what, and where a text becomes two parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clinic import gsm7


def test_the_alphabet_has_the_size_that_the_standard_gives():
    assert len(set(gsm7.BASIC)) == len(gsm7.BASIC) == 127
    assert len(set(gsm7.EXTENSION)) == len(gsm7.EXTENSION) == 10
    assert not set(gsm7.BASIC) & set(gsm7.EXTENSION)


def test_the_alphabet_is_in_the_standards_order():
    places = {"@": 0, "\n": 10, "\r": 13, "_": 17, " ": 31, "0": 47, "A": 64, "a": 96, "à": 126}
    assert {character: gsm7.BASIC.index(character) for character in places} == places


@pytest.mark.parametrize("character", "ñÑéüÜ¿¡à@_$")
def test_these_fit(character: str):
    assert gsm7.septets(character) == 1


@pytest.mark.parametrize("character", "^{}\\[]~|€")
def test_these_cost_two(character: str):
    assert gsm7.septets(character) == 2


@pytest.mark.parametrize("character", "áíóúçÁ\u2019\u201c\u2013\u2014\u2026`\t\u00a0🙂")
def test_these_do_not_fit(character: str):
    assert gsm7.outside(f"a{character}b{character}") == (character,)
    with pytest.raises(ValueError, match="not in the GSM"):
        gsm7.septets(character)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # an escaped character is not split
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("🙂" * 35, 1),
        ("🙂" * 36, 2),
        ("🙂" * 66, 2),
        ("🙂" * 67, 3),  # nor is a surrogate pair: 33 in 67 places
    ],
)
def test_segments(text: str, parts: int):
    assert gsm7.segments(text) == parts


@given(st.text(alphabet=gsm7.BASIC + gsm7.EXTENSION + "áó🙂"), st.text(alphabet="ab€á🙂"))
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str):
    assert gsm7.segments(text + more) >= gsm7.segments(text)
