"""Messages without words that can be read, and signs that answer something."""

import pytest

from bot.nlu.legibility import meaning_of_signs, unread
from bot.vocabulary import ONLY_LINK, OTHER_SCRIPT


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("помогите мне", OTHER_SCRIPT),
        ("https://example.org/a?b=1", ONLY_LINK),
        ("www.example.org", ONLY_LINK),
        ("what is https://example.org", None),
        ("my name is 李", None),
        ("12345", None),
        ("", None),
    ],
)
def test_why_words_cannot_be_read(text, why):
    assert unread(text) == why


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
