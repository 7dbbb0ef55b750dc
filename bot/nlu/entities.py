"""Rasa component: phone numbers, ages, US states and times, where they stand in a message.

The parsers are the ones that read answers: `phonenumbers` and `bot.care`. The dialogue
asks those parsers itself, because what counts as an answer depends on the question; here
they mark the words for `handrail parse`, for the record and for whoever extends the forms.

| entity | value |
|---|---|
| phone_number | E.164, +16175550142 |
| age | years, 16 |
| us_state | two letters, GA |
| time | 24-hour clock 17:30, or morning, afternoon, evening, night, noon, weekend |
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import phonenumbers
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.care.ages import ages_in
from bot.care.places import state_in_reply, states_named
from bot.care.words import normalise, numbers_in
from bot.nlu.reader import Reader

PHONE_NUMBER = "phone_number"
AGE = "age"
US_STATE = "us_state"
TIME = "time"

_COUNTRY = "US"  # of numbers without a country code
_MOST_READ = 2000  # characters
_MOST_NUMBERS = 20  # looked at as ages; a list of numbers is none
_NEAR = 60  # characters before and after a number that say what it counts
_CLAUSE_END = re.compile(r"[.,;:!?\n]")
_CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{2}(?![A-Za-z])")
_CLOCK = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d))?\s*(?P<half>[ap])\.?\s?m\b\.?"
    r"|(?<![\d:])(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)(?![\d:])",
    re.IGNORECASE,
)
_PARTS_OF_DAY = {
    "morning": r"mornings?|(?:por|en|de) las? ma[nñ]anas?",
    "afternoon": r"afternoons?|(?:por|en|de) las? tardes?",
    "evening": r"evenings?|after work|despu[eé]s del trabajo",
    "night": r"nights?|(?:por|en|de) las? noches?",
    "noon": r"noon|lunch ?time|mediod[ií]a",
    "weekend": r"weekends?|(?:los )?fin(?:es)? de semana",
}
_PART_OF_DAY = re.compile(
    r"\b(?:" + "|".join(f"(?P<{n}>{p})" for n, p in _PARTS_OF_DAY.items()) + r")\b", re.IGNORECASE
)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FactExtractor(Reader, EntityExtractorMixin):
    """Adds the entities of each message, in the order in which they stand."""

    def read(self, message: Message) -> None:
        """Mark what is found."""
        found = self.add_extractor_name(entities_in(message.get(TEXT) or ""))
        known = message.get(ENTITIES, [])
        message.set(ENTITIES, [*known, *found], add_to_output=True)


def entities_in(text: str) -> list[dict[str, Any]]:
    """The facts in `text` as Rasa writes entities: entity, start, end, value."""
    text = text[:_MOST_READ]
    phones = list(_phone_numbers(text))
    # A number to call is no age and no time.
    rest = list(text)
    for _, start, end, _ in phones:
        rest[start:end] = " " * (end - start)
    others = "".join(rest)
    found = {*phones, *_ages(others), *_states(others), *_times(others)}
    return [
        {"entity": entity, "start": start, "end": end, "value": value}
        for entity, start, end, value in sorted(found, key=lambda each: each[1:3])
    ]


_Found = tuple[str, int, int, str]


def _phone_numbers(text: str) -> Iterator[_Found]:
    for match in phonenumbers.PhoneNumberMatcher(text, _COUNTRY):
        e164 = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        yield PHONE_NUMBER, match.start, match.end, e164


def _ages(text: str) -> Iterator[_Found]:
    """Numbers that are certainly ages, as the questionnaire reads them."""
    for start, end, years in itertools.islice(numbers_in(_folded(text)), _MOST_NUMBERS):
        before = normalise(_CLAUSE_END.split(text[max(0, start - _NEAR) : start])[-1])
        after = normalise(_CLAUSE_END.split(text[end : end + _NEAR])[0])
        words = " ".join(part for part in (before, str(years), after) if part)
        place = len(before) + 1 if before else 0
        if any(age.clear and age.start == place for age in ages_in(words)):
            yield AGE, start, end, str(years)


def _states(text: str) -> Iterator[_Found]:
    """Names of states, and two letters where the whole message leaves no doubt."""
    for match in states_named(_folded(text)):
        yield US_STATE, match.start, match.end, match.value
    told = state_in_reply(text)
    for hit in _CODE.finditer(text):
        if hit.group().upper() == told:
            yield US_STATE, hit.start(), hit.end(), told


def _times(text: str) -> Iterator[_Found]:
    for hit in _CLOCK.finditer(text):
        hour = int(hit["hour"] or hit["hour24"])
        if hit["half"]:
            if not 1 <= hour <= 12:
                continue
            hour = hour % 12 + (12 if hit["half"].lower() == "p" else 0)
        minute = hit["minute"] or hit["minute24"] or "00"
        yield TIME, hit.start(), hit.end(), f"{hour:02}:{minute}"
    for hit in _PART_OF_DAY.finditer(text):
        yield TIME, hit.start(), hit.end(), str(hit.lastgroup)


def _folded(text: str) -> str:
    """`text` in small letters without accents and marks, each character in its place."""
    plain = (unicodedata.normalize("NFKD", character)[0].lower()[:1] for character in text)
    return "".join(c if c.isalnum() else " " for c in plain)
