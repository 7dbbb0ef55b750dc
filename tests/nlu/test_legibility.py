"""Messages without words that can be read, and signs that answer something."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bot.nlu.evaluate import read_examples
from bot.nlu.examples import intent_by_example
from bot.nlu.legibility import meaning_of_placeholder, meaning_of_signs, unread
from bot.nlu.other_languages import given_away_by
from bot.vocabulary import ONLY_LINK, OTHER_SCRIPT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("помогите мне", OTHER_SCRIPT),
        ("https://example.org/a?b=1", ONLY_LINK),
        ("www.example.org", ONLY_LINK),
        ("what is https://example.org", None),
        ("Je cherche de l'aide pour mon fils", OTHER_SCRIPT),
        ("combien ça coûte ?", OTHER_SCRIPT),
        ("meu filho usa drogas e preciso de ajuda", OTHER_SCRIPT),
        ("ich brauche Hilfe für meine Tochter", OTHER_SCRIPT),
        ("vorrei sapere quanto costa la terapia", OTHER_SCRIPT),
        ("kailangan ko ng tulong para sa anak ko", OTHER_SCRIPT),
        ("tôi cần giúp đỡ cho con trai tôi", OTHER_SCRIPT),
        ("my name is 李", None),
        ("my name is Jean-Pierre Dubois", None),
        ("Maria da Silva", None),
        ("bonsoir", OTHER_SCRIPT),
        ("Potrzebuję pomocy dla mojego syna", OTHER_SCRIPT),
        ("Bonjour, do you have someone who speaks French?", None),
        ("je je je", None),
        ("es mio, no chao", None),
        ("do you speak french", None),
        ("i ned hlp w my drnking plz", None),
        ("nesesito alluda pa mi ijo", None),
        ("12345", None),
        ("", None),
    ],
)
def test_why_words_cannot_be_read(text, why):
    assert unread(text) == why


def test_no_english_or_spanish_message_is_taken_for_another_language():
    files = sorted(Path(__file__).parent.glob("heldout_*.jsonl"))
    held_out = [each.text for file in files for each in read_examples(file, "any")]
    known = list(intent_by_example())[::10]
    assert len(held_out) > 1000
    assert [text for text in (*held_out, *known) if unread(text) == OTHER_SCRIPT] == []


def test_the_words_of_other_languages_are_not_ours():
    counted = Counter(
        word for text in intent_by_example() for word in set(re.findall(r"\w+", text.lower()))
    )
    _, words = given_away_by()
    assert [word for word in words if counted[word] > 1] == []


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("👍", "affirm"),
        ("👍🏽👍🏽", "affirm"),
        (" 👎 ", "deny"),
        ("❤️", "thank"),
        ("🤷‍♀️", "unsure"),
    ],
)
def test_a_sign_that_answers_is_read(text, meaning):
    assert meaning_of_signs(text) == meaning


@pytest.mark.parametrize("text", ["😭", "🙏🙏🙏", "👍😭", "👍👎", "...", " ", "!!"])
def test_other_signs_say_nothing_clear(text):
    assert meaning_of_signs(text) == "nlu_fallback"


@pytest.mark.parametrize("text", ["?", "👍 ok", "yes", "5"])
def test_words_and_a_question_mark_are_left_to_the_model(text):
    assert meaning_of_signs(text) is None


@pytest.mark.parametrize(
    "text", ["null", "undefined", "NaN", "asdf", "asdfghjkl", "[object Object]"]
)
def test_what_stands_for_nothing_is_neither_yes_nor_no(text):
    assert meaning_of_placeholder(text) == "nlu_fallback"


@pytest.mark.parametrize(
    "text", ["test", "Testing 123", "this is a test", "just testing", "prueba"]
)
def test_who_tries_whether_somebody_is_there_is_greeted(text):
    assert meaning_of_placeholder(text) == "greet"


@pytest.mark.parametrize(
    "text", ["no", "none", "drug test", "test results", "that is not true", "n"]
)
def test_other_words_are_no_placeholders(text):
    assert meaning_of_placeholder(text) is None
