"""Language follows the visitor, but short words do not flip it."""

import pytest

from bot.nlu.language import decide_language, requested_language


@pytest.mark.parametrize("text", ["hola", "¿puedo trabajar?", "mi hijo toma pastillas"])
def test_the_first_message_decides(text):
    assert decide_language(text, None) == "es"


@pytest.mark.parametrize(
    "text", ["hello", "hi there", "can I keep my job", "help", "", "617 555 0142", "😀"]
)
def test_english_is_the_default(text):
    assert decide_language(text, None) == "en"


@pytest.mark.parametrize("text", ["si", "no", "ok", "Carlos Mendez", "Boston", "617 555 0142"])
@pytest.mark.parametrize("current", ["en", "es"])
def test_short_answers_keep_the_language(text, current):
    assert decide_language(text, current) == current


def test_a_clear_sentence_switches_in_both_directions():
    assert decide_language("¿cuánto cuesta el programa intensivo?", "en") == "es"
    assert decide_language("how much does the program cost", "es") == "en"


def test_a_request_names_the_language_or_means_the_other_one():
    assert requested_language("in spanish please", "en") == "es"
    assert requested_language("¿podemos hablar en inglés?", "es") == "en"
    assert requested_language("otro idioma", "es") == "en"


@pytest.mark.parametrize(
    "text",
    [
        "I don't speak English",
        "my english is not good",
        "no hablo inglés",
        "no ingles por favor",
        "she does not speak much english",
        "hablo poco ingles",
    ],
)
def test_a_language_that_is_not_spoken_is_not_the_one_that_is_wanted(text):
    assert requested_language(text, "en") == "es"
