"""How much is left is said now and then, and every question can be skipped."""

import re

import pytest

from bot.vocabulary import ITEMS
from tests.dialogue.test_danger import LONG_WAY
from tests.dialogue.test_triage import ANSWERS, fill_in


def notes_of_progress(visitor):
    """Lead a visitor through; what each reply says of progress, None where nothing."""
    heard = []
    visitor.says("find out which program fits")
    while (item := visitor.state.open_question) in ANSWERS:
        found = re.search(r"\(About (\d+) more|\((Almost done)", visitor.text)
        heard.append((item, found and (found[1] or found[2])))
        visitor.says(ANSWERS[item])
    return heard


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_the_number_of_questions_is_said_at_the_start(ask, channel):
    visitor = ask("greater_boston", channel).says("find out which program fits")
    count = int(re.search(r"about (\d+) short questions", visitor.text)[1])
    assert 8 <= count <= 12


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_progress_is_said_about_every_third_question_and_goes_down(ask, channel):
    heard = notes_of_progress(ask("greater_boston", channel))
    said = [note for _, note in heard if note]
    assert 2 <= len(said) <= len(heard) / 2
    numbers = [int(note) for note in said if note.isdigit()]
    assert numbers == sorted(numbers, reverse=True)
    assert said[-1] == "Almost done"


def test_the_number_said_is_the_number_asked_where_nothing_is_severe(ask):
    visitor = ask("greater_boston").says("find out which program fits")
    count = int(re.search(r"about (\d+) short", visitor.text)[1])
    asked = fill_in(ask("greater_boston")).asked
    assert abs(count - len(asked)) <= 2


def test_the_safety_question_stands_without_a_note(ask):
    assert dict(notes_of_progress(ask("greater_boston")))["safety_now"] is None


def test_progress_in_spanish(ask):
    visitor = ask("greater_boston", language="es").says("qué programa me conviene")
    assert re.search(r"unas \d+ preguntas", visitor.text)
    for answer in ("yo", "no", "MA"):
        visitor.says(answer)
    assert re.search(r"\(Faltan unas \d+ preguntas\.\)", visitor.text)


@pytest.mark.parametrize("channel", ["web", "sms"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_question_offers_to_be_skipped(ask, channel, language):
    visitor = ask("greater_boston", channel, language=language)
    visitor.says({"en": "find out which program fits", "es": "qué programa me conviene"}[language])
    asked = 0
    while (item := visitor.state.open_question) in LONG_WAY:
        assert visitor.buttons[-1] == {"en": "Skip", "es": "Omitir"}[visitor.state.language], item
        visitor.says(LONG_WAY[item])
        asked += 1
    assert asked >= 10


@pytest.mark.parametrize("word", ["skip", "prefer not to say", "pass", "I'd rather not say"])
def test_a_question_is_skipped_in_words(ask, word):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.is_asked("age_band").says(word)
    assert visitor.state.open_question not in (None, "age_band")


def test_skipping_everything_by_button_leads_to_a_person(ask):
    visitor = ask("greater_boston").says("find out which program fits")
    while visitor.state.open_question in ITEMS:
        visitor.presses("Skip")
    visitor.hears("triage_recap", "left open").is_asked("confirm").presses("That's right")
    visitor.is_at(level="consultation", handoff="phone")
