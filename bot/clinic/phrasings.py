"""What is wrong with the phrasings of added entries, before they are learnt.

A phrasing is a training example. With too few, or with one that stands under another
topic as well, the assistant mistakes one question for the other, and nobody sees why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.accents import without_accents
from bot.clinic.profile import Clinic, Profile
from bot.reviewed import Location, Problem
from bot.vocabulary import LANGUAGES, faq_intent

FEWEST = 5
"""The fewest phrasings in each language; docs/understanding.md says what fewer are worth."""

MOST_WORDS = 40
"""The most words of a phrasing: one question, with a sentence or two around it."""


class _Phrasing(NamedTuple):
    location: Location
    intent: str
    text: str


def phrasing_problems(profiles: Sequence[Profile], learnt: Mapping[str, str]) -> Iterator[Problem]:
    """Every mistake in the `questions` of added entries.

    Args:
        profiles: all clinics' profiles; they are learnt together.
        learnt: intent by example, as in data/nlu.
    """
    means = {_folded(text): intent for text, intent in learnt.items()}
    for document, clinic in profiles:
        for location, count in _counts(clinic):
            if count < FEWEST:
                yield document.problem(
                    location,
                    f"{count} phrasings are too few to learn from; write at least {FEWEST}",
                )
        own: set[str] = set()
        for location, intent, text in _phrasings(clinic):
            folded = _folded(text)
            words = len(text.split())
            if not folded:
                yield document.problem(location, f"the phrasing {text!r} has no word")
            elif means.setdefault(folded, intent) != intent:
                yield document.problem(
                    location,
                    f"{text!r} stands under {means[folded]} already; one phrasing means one thing",
                )
            elif folded in own:
                yield document.problem(location, f"{text!r} stands here twice; keep one")
            if words > MOST_WORDS:
                yield document.problem(
                    location,
                    f"the phrasing has {words} words; write one question in at most {MOST_WORDS}",
                )
            own.add(folded)


def _phrasings(clinic: Clinic) -> Iterator[_Phrasing]:
    for position, entry in enumerate(clinic.extra_faq):
        for language in LANGUAGES:
            for index, text in enumerate(getattr(entry.questions, language)):
                location = ("extra_faq", position, "questions", language, index)
                yield _Phrasing(location, faq_intent(entry.id), text)


def _counts(clinic: Clinic) -> Iterator[tuple[Location, int]]:
    for position, entry in enumerate(clinic.extra_faq):
        for language in LANGUAGES:
            location = ("extra_faq", position, "questions", language)
            yield location, len(getattr(entry.questions, language))


def _folded(text: str) -> str:
    """`text` as small letters without accents and marks: how near copies are told."""
    return " ".join(re.findall(r"\w+", without_accents(text.casefold())))
