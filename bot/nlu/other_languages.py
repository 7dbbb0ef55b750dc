"""Whole sentences in a language that the assistant does not speak, in Latin letters.

English, Spanish and what visitors of a clinic in the United States are likeliest to write
else. A language that is not named here mostly looks like one that is (Vietnamese with its
accents like none of ours). Greetings and short requests are too short for that, and a model
for each further language would take memory that a brain has not got: the words that give
them away are listed in `other_languages.yml`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from lingua import Language, LanguageDetector, LanguageDetectorBuilder

from bot.accents import without_accents
from bot.reviewed import Document, ReviewedModel

WORDS_FILE = Path(__file__).with_name("other_languages.yml")

_OURS = (Language.ENGLISH, Language.SPANISH)
_OTHERS = (
    Language.FRENCH,
    Language.PORTUGUESE,
    Language.ITALIAN,
    Language.GERMAN,
    Language.TAGALOG,
)
# None of 22,000 English and Spanish messages is that unlike ours; of three words alone
# ("is this chatgpt") more is asked.
_FEWEST_WORDS = 3
_MOST_OURS = 0.12
_MOST_OURS_OF_THREE = 0.025
_READ = 400  # characters
_REMEMBERED = 64  # a turn asks twice: for the language to answer in, and for what was meant
_WORD = re.compile(r"[^\W\d_]{2,}")
_LETTERS = re.compile(r"[^\W\d_]+")
# "Bonjour, do you have someone who speaks French?" is English.
_FEWEST_KNOWN = 2
_KNOWN_OF_ALL = 0.4


class Spoken(ReviewedModel):
    """What gives one language away, in small letters without accents.

    Attributes:
        greetings: whole messages.
        words: that are none in English or Spanish; two of them, and no small part of the
            message, are enough.
    """

    language: str
    greetings: list[str]
    words: list[str]


class _File(ReviewedModel):
    languages: list[Spoken]


@functools.lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_OURS, *_OTHERS).build()


def load_languages() -> None:
    """Load the models of every language, ours too, and the lists, so that no visitor waits."""
    given_away_by()
    # With words of five letters: models of longer n-grams are loaded when one asks for them.
    _detector().compute_language_confidence_values("hello there, good morning")


@functools.lru_cache(maxsize=_REMEMBERED)
def in_another_language(text: str) -> bool:
    """Whether `text` is certainly neither English nor Spanish."""
    if _is_given_away(text[:_READ]):
        return True
    words = len(_WORD.findall(text))
    if words < _FEWEST_WORDS:
        return False
    found = _detector().compute_language_confidence_values(text[:_READ])
    ours = sum(each.value for each in found if each.language in _OURS)
    return ours < (_MOST_OURS_OF_THREE if words == _FEWEST_WORDS else _MOST_OURS)


@functools.cache
def given_away_by() -> tuple[frozenset[str], frozenset[str]]:
    """The listed greetings, and words; raises `bot.reviewed.DataError` with file and line."""
    languages = Document(WORDS_FILE).parse(_File).languages
    return (
        frozenset(each for spoken in languages for each in spoken.greetings),
        frozenset(each for spoken in languages for each in spoken.words),
    )


def _is_given_away(text: str) -> bool:
    """Whether listed words say that a text is in another language."""
    greetings, known = given_away_by()
    plain = without_accents(text.lower())
    said = _LETTERS.findall(plain.replace("\u0142", "l"))  # the Polish l counts as no accent
    if " ".join(said) in greetings:
        return True
    hits = len(known.intersection(said))
    return hits >= _FEWEST_KNOWN and hits >= _KNOWN_OF_ALL * len(said)
