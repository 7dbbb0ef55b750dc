from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.incoming import BRAIN_CHARACTERS, for_brain, language_of, normalise

any_text = st.text(alphabet=st.characters())


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  hello \r\n world\t!", "hello \n world\t!"),
        ("k\x00ill", "kill"),
        ("a\ud800b", "a\ufffdb"),
        ("abc\u202edef", "abcdef"),
        ("e\u0301", "é"),
        ("/restart", "/restart"),
        ("👩‍👩‍👧 🙂", "👩‍👩‍👧 🙂"),
        ("\x01\x02 \x7f", ""),
    ],
)
def test_what_is_typed_becomes_plain_text(typed, kept):
    assert normalise(typed) == kept


@given(any_text)
def test_normalised_text_can_be_stored_and_stays_as_it_is(text):
    once = normalise(text)
    once.encode()  # no lone surrogates
    assert "\x00" not in once
    assert normalise(once) == once


@given(st.text(alphabet="ab \n", min_size=1, max_size=20))
def test_the_brain_gets_the_beginning_of_a_long_message(part):
    text = normalise(part * BRAIN_CHARACTERS)
    beginning = for_brain(text)
    assert len(beginning) <= BRAIN_CHARACTERS
    assert text.startswith(beginning)


def test_a_long_message_is_cut_between_words():
    text = "word " * 1000
    assert for_brain(text).split() == ["word"] * (BRAIN_CHARACTERS // 5)
    assert len(for_brain("x" * 9000)) == BRAIN_CHARACTERS


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Cuánto dura el programa?", "es"),
        ("necesito ayuda con mi hijo", "es"),
        ("can I keep my job", "en"),
        ("I\u2019m not okay", "en"),
    ],
)
def test_the_language_of_ordinary_sentences_is_guessed(text, language):
    other = "en" if language == "es" else "es"
    assert language_of(text, otherwise=other) == language


@pytest.mark.parametrize("text", ["", "🙂", "123", "ok"])
def test_without_a_sign_the_language_stays(text):
    assert language_of(text, otherwise="es") == "es"
    assert language_of(text, otherwise="en") == "en"
