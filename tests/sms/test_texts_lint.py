"""Every text that can go out by SMS: alphabet, length, and what it never asks for.

`pytest -s tests/sms/test_texts_lint.py` prints the figures.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from bot.care.questionnaire import THIS_PERSON, load_questionnaire
from bot.clinic.gsm7 import outside, segments, septets
from bot.clinic.profile import answer_texts
from bot.gateway.channels import CHANNELS
from bot.gateway.own_words import WORDS as GATEWAY_WORDS
from bot.reviewed import Document
from bot.safety.replies import REPLIES
from bot.sms.keywords import load_keywords
from bot.sms.wording import WORDS
from bot.texts.messages import load_texts
from bot.turns import BotMessage, Button
from bot.vocabulary import LANGUAGES
from tests.sms.node_oracles import npm, twilio_counts  # noqa: F401

ONE_TEXT = 320
_PLACEHOLDER = re.compile(r"\{\w*\}")
_TYPICAL = "617-555-0142"  # what stands in a placeholder, about as long as most
# The gateway's own words that it says by text.
_BY_TEXT = ("unavailable", "long_message", "no_question")
_ASKS_FOR_KEYWORD = re.compile(
    r"\b(?:reply|text|type|say|write|answer|responda|escriba|conteste|diga|mande)"
    r'(?: with| us| con)? ["\']?(yes|end|cancel|quit|stop|alto|parar)\b(?! (?:to|para|salir))',
    re.I,
)


def texts(clinics) -> Iterator[tuple[str, str, str]]:
    """Name, language and words of every text, with typical values filled in."""
    for name, language, text in (*_written(clinics), *_asked()):
        yield name, language, _PLACEHOLDER.sub(_TYPICAL, text).strip()


def _written(clinics) -> Iterator[tuple[str, str, str]]:
    for path in (WORDS, None, GATEWAY_WORDS):
        found = load_texts(path) if path else load_texts()
        for message in found.messages.values():
            if path == GATEWAY_WORDS and not message.id.startswith(_BY_TEXT):
                continue
            for language in LANGUAGES:
                yield message.id, language, (message.sms or message).in_language(language)
    for reply in Document(REPLIES).data["replies"]:
        for language in LANGUAGES:
            yield reply["id"], language, reply["sms"][language]
    for clinic in clinics.values():
        for answer in answer_texts(clinic):
            if answer.channel == "sms":
                yield f"{clinic.id}{answer.location}", answer.language, answer.text


def _asked() -> Iterator[tuple[str, str, str]]:
    """Every question of the questionnaire with its numbered choices, as the phone shows it.

    Of oneself and of another person; after a side question the short one.
    """
    skip, resume = load_texts().choices["skip"], load_texts().messages["triage_resume"]
    for item, language, whom, short in product(
        load_questionnaire().items.values(), LANGUAGES, ("self", "someone_else"), (False, True)
    ):
        person = THIS_PERSON[language] if whom == "someone_else" else None
        question = item.question(language, whom, short=short, person=person)
        if short:
            question = f"{(resume.sms or resume).in_language(language)} {question}"
        chosen = [*item.choice_labels(language), skip.en if language == "en" else skip.es]
        message = BotMessage(question, item.name, [Button(label, "answer") for label in chosen])
        for shown in CHANNELS["sms"].render([message]):
            yield f"{item.name}/{whom}{'/short' if short else ''}", language, shown.text


def labels() -> Iterator[str]:
    """The words of every choice that is offered."""
    for path in (None, REPLIES):
        choices = load_texts().choices.values() if path is None else ()
        for choice in choices:
            yield from (choice.en, choice.es)
    for choice in Document(REPLIES).data["choices"].values():
        yield from (choice["en"], choice["es"])
    for item in load_questionnaire().items.values():
        for language in LANGUAGES:
            yield from item.choice_labels(language)


def test_english_is_gsm_by_construction(clinics):
    costly = {
        name: outside(text)
        for name, language, text in texts(clinics)
        if language == "en" and outside(text)
    }
    assert costly == {}


def test_a_text_is_one_message_where_possible(clinics):
    longer = {
        (name, language): len(text)
        for name, language, text in texts(clinics)
        if len(text) > ONE_TEXT
    }
    # Each of these stands with its reason.
    assert longer == {}


def test_a_question_and_its_choices_are_one_text():
    parts = Counter((name, language) for name, language, _ in _asked())
    assert [each for each, count in parts.items() if count > 1] == []


def test_no_choice_is_a_word_that_opts_out(clinics):
    assert [label for label in labels() if load_keywords().exact(label)] == []


def test_no_text_asks_for_a_word_that_phone_networks_take(clinics):
    asking = [
        (name, found[0])
        for name, _, text in texts(clinics)
        if (found := _ASKS_FOR_KEYWORD.search(text))
    ]
    assert asking == []


def test_our_count_of_segments_is_twilios_over_every_text(clinics, twilio_counts):  # noqa: F811
    every = [text for _, _, text in texts(clinics)]
    assert [segments(text) for text in every] == twilio_counts(every)


def test_our_count_is_twilios_over_random_unicode(twilio_counts):  # noqa: F811
    dice = random.Random(20261122)
    alphabets = [
        "ab 1",
        "a\u20ac[]{}~^|\\",
        "\u00e1\u00e9\u00ed\u00f3\u00fa\u00f1",
        "\u4e2d\u0434\u05d0",
        "\U0001f600\U0001f469a",
    ]
    every = [
        "".join(dice.choices(dice.choice(alphabets), k=dice.randrange(1, 700))) for _ in range(600)
    ]
    assert [segments(text) for text in every] == twilio_counts(every)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figures(clinics, language):
    """Not a limit but a picture: how long texts are, and which characters make them so."""
    named = [(name, text) for name, spoken, text in texts(clinics) if spoken == language]
    mine = [text for _, text in named]
    counted = Counter(segments(text) for text in mine)
    costly = Counter(character for text in mine for character in outside(text))
    gsm = sum(not outside(text) for text in mine)
    print(
        f"\n{language}: {len(mine)} texts, {gsm} in GSM-7, segments {dict(sorted(counted.items()))}"
    )
    print(f"  characters that force UCS-2, in how many texts: {dict(costly.most_common(12))}")
    for name, text in sorted(named, key=lambda each: segments(each[1]))[-5:]:
        size = f"{septets(text)} septets" if not outside(text) else f"{len(text)} of UCS-2"
        costly_here = "".join(sorted(set(outside(text))))
        print(f"  {segments(text)} segments, {size}: {name} {costly_here}")
    assert max(counted) <= (3 if language == "en" else 5)
