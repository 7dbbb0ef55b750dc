"""Codes are read out on the phone: short, unmistakable, self-checking."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bot.handoff.reference import ALPHABET, LENGTH, new_reference, normalise


@given(st.integers())
def test_a_code_is_six_unambiguous_characters_in_two_groups(seed):
    code = new_reference(Random(seed))
    assert len(code.replace("-", "")) == LENGTH
    assert set(code.replace("-", "")) <= set(ALPHABET)
    assert not set(code) & set("01OILS")


@given(st.integers())
def test_a_code_is_recognised_however_it_is_typed(seed):
    code = new_reference(Random(seed))
    assert normalise(code) == code
    assert normalise(" " + code.lower().replace("-", " ")) == code


@given(
    st.integers(),
    st.integers(min_value=0, max_value=LENGTH - 1),
    st.sampled_from(ALPHABET),
)
def test_one_wrong_character_is_noticed(seed, position, wrong):
    characters = list(new_reference(Random(seed)).replace("-", ""))
    if characters[position] == wrong:
        return
    characters[position] = wrong
    assert normalise("".join(characters)) is None


def test_something_else_is_no_code():
    for text in ("", "K7", "hello there", "K7M-4QXX", "123-456"):
        assert normalise(text) is None
