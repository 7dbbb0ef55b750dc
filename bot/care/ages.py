"""Ages in free text: "I'm 34", "my 16 year old", "turning 18 in June"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bot.care.words import Clause, load_words, numbers_in

_ADULT_FROM = 18
_YOUNGEST, _OLDEST = 3, 115
# Born then, somebody is an adult on any day since this was written.
_BORN_ADULT = 2005

_ADVERBS = r"(?: (?:is|are|only|just|about|almost|now|like|turned|turning|a|an|solo|casi))* $"
_THIRD_PERSON = re.compile(
    r"(?<!\S)(?:hes|shes|theyre|he|she|they|is|who|shell be|hell be|tiene|el|ella|cumplio)"
    rf"{_ADVERBS}"
)
_FIRST_PERSON = re.compile(rf"(?<!\S)(?:im|i|my age is|tengo|cumpli){_ADVERBS}")
_NOT_YET = re.compile(
    r"(?<!\S)(?:not|isnt|aint|almost|nearly|turning|turns|be"
    r"|casi|no tiene|no tengo|va a cumplir|voy a cumplir|por cumplir) $"
)
_YEARS_OLD = re.compile(r" (?:(?:years?|yrs?|yr) old|yo|y o|anos)(?!\S)")
_AND_MORE = (" and ", " with ", " y ", " con ")
_BORN = re.compile(r"(?<!\S)(?:born|nacio|naci|nacida|nacido) (?:\S+ ){0,2}(\d{4})(?!\S)")


class Age(NamedTuple):
    """An age found in a clause.

    Attributes:
        start, end: where, in the clause's words.
        band: a value of `age_band`.
        first_person, third_person: whose age it is, where the words say so.
        clear: certainly an age, even if nobody asked for one.
    """

    start: int
    end: int
    band: str
    first_person: bool
    third_person: bool
    clear: bool


def ages_in(words: str) -> Iterator[Age]:
    """Every number in a clause's words that can be an age, and years of birth."""
    for start, end, number in numbers_in(words):
        before, after = words[:start], words[end:]
        following = after.split()[:1]
        if not _YOUNGEST <= number <= _OLDEST or (following and following[0] in _not_years()):
            continue
        years = number - 1 if _NOT_YET.search(before) else number
        first, third = bool(_FIRST_PERSON.search(before)), bool(_THIRD_PERSON.search(before))
        old = bool(_YEARS_OLD.match(after))
        clear = old or ((first or third) and (not after or after.startswith(_AND_MORE)))
        yield Age(start, end, _band(years), first, third, clear)
    for hit in _BORN.finditer(words):
        if int(hit.group(1)) <= _BORN_ADULT:
            yield Age(hit.start(), hit.end(), "adult", False, False, True)


def age_band_told(parts: Iterable[Clause], for_whom: str | None) -> str | None:
    """The age band of the person this is about, told unasked.

    Args:
        parts: the message's clauses.
        for_whom: a value of `for_whom` if the message tells it; for somebody else the
            writer's own age does not count.
    """
    ages = [age for part in parts for age in ages_in(part.words) if age.clear]
    if for_whom == "someone_else":
        ages = [age for age in ages if not age.first_person]
    elif for_whom == "self":
        ages = [age for age in ages if not age.third_person]
    bands = {age.band for age in ages}
    return bands.pop() if len(bands) == 1 else None


def _band(years: int) -> str:
    return "adult" if years >= _ADULT_FROM else "under_18"


def _not_years() -> list[str]:
    return load_words().not_years
