"""Whole sentences in a language that the assistant does not speak, in Latin letters.

English, Spanish and what visitors of a clinic in the United States are likeliest to write
else. A language that is not named here mostly looks like one that is (Haitian Creole like
French, Vietnamese with its accents like none of ours).
"""

from __future__ import annotations

import functools
import re

from lingua import Language, LanguageDetector, LanguageDetectorBuilder

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


@functools.lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_OURS, *_OTHERS).build()


def load_languages() -> None:
    """Load the models of every language, ours too, so that no visitor waits for them."""
    # With words of five letters: models of longer n-grams are loaded when one asks for them.
    _detector().compute_language_confidence_values("hello there, good morning")


@functools.lru_cache(maxsize=_REMEMBERED)
def in_another_language(text: str) -> bool:
    """Whether `text` is certainly neither English nor Spanish; a few words never are."""
    words = len(_WORD.findall(text))
    if words < _FEWEST_WORDS:
        return False
    found = _detector().compute_language_confidence_values(text[:_READ])
    ours = sum(each.value for each in found if each.language in _OURS)
    return ours < (_MOST_OURS_OF_THREE if words == _FEWEST_WORDS else _MOST_OURS)
