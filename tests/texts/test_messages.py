"""The fixed texts: complete, consistent, short enough for SMS."""

import pytest

from bot.reviewed import DataError
from bot.texts.messages import load_texts
from bot.vocabulary import FAQ_TOPICS, VISITOR_ACTS, faq_intent

INTENTS = {*VISITOR_ACTS, *map(faq_intent, FAQ_TOPICS)}


@pytest.fixture(scope="module")
def texts():
    return load_texts()


def test_every_choice_means_an_intent_that_exists(texts):
    assert {choice.intent for choice in texts.choices.values()} <= INTENTS


def test_placeholders_are_filled_in(texts):
    assert texts.text("reach_open", "en", line="888-555-0100").endswith("888-555-0100.")


def test_a_forgotten_value_is_an_error_not_a_brace_on_the_screen(texts):
    with pytest.raises(KeyError):
        texts.text("reach_open", "en")


def test_sms_gets_its_own_shorter_text(texts):
    web = texts.text("greet", "en", "web", clinic="X")
    sms = texts.text("greet", "en", "sms", clinic="X")
    assert len(sms) < len(web)
    for needed in ("automated", "911", "988", "HELP", "STOP"):
        assert needed in sms


def test_no_text_claims_to_be_a_professional_or_gives_orders(texts):
    for message in texts.messages.values():
        spoken = message.en.lower()
        for forbidden in ("you need ", "as a therapist", "as your counselor", "diagnosed with"):
            assert forbidden not in spoken, message.id


def broken(tmp_path, text):
    path = tmp_path / "messages.yml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("choices: {}\nmessages:\n  - {id: a, why: w, en: x}\n", 3, "es"),
        ('choices: {}\nmessages:\n  - {id: a, why: w, en: "{n}", es: x}\n', 3, "placeholders"),
        (
            "choices: {}\nmessages:\n  - {id: a, why: w, en: x, es: y}\n"
            "  - {id: a, why: w, en: x, es: y}\n",
            4,
            "twice",
        ),
        ("choices: {}\nmessages:\n  - {id: a, why: w, en: x, es: y, buttons: [b]}\n", 3, "choice"),
    ],
)
def test_mistakes_are_reported_with_their_line(tmp_path, text, line, words):
    with pytest.raises(DataError) as caught:
        load_texts(broken(tmp_path, text))
    assert f":{line}: " in str(caught.value)
    assert words in str(caught.value)
