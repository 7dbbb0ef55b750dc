"""Which language to answer in. Short words are shared by both ("no", "ok", "hospital"),
so a conversation keeps its language until a message is clearly in the other one."""

from __future__ import annotations

import functools
import re

from lingua import Language, LanguageDetector, LanguageDetectorBuilder

from bot.nlu.legibility import unread

_LANGUAGES = {"en": Language.ENGLISH, "es": Language.SPANISH}
# The first message decides with little; a later one needs words and certainty. Of the
# held-out messages of three words, 60 to 80 % are that certain and none of them is
# taken for the other language.
_FIRST_CONFIDENCE = 0.65  # "hola" is Spanish with 0.66; so is "hello" with 0.61
_FIRST_LETTERS = 4
_SWITCH_WORDS = 3
_SWITCH_CONFIDENCE = 0.9
_SENTENCE_WORDS = 4
_SENTENCE_CONFIDENCE = 0.85
_ASKED_FOR = {
    "en": ("english", "inglés", "ingles"),
    "es": ("spanish", "español", "espanol", "castellano"),
}
_OTHER = {"en": "es", "es": "en"}
# "I don't speak English", "no hablo inglés", "my English is bad": the other one is wanted.
_NOT_SPOKEN = re.compile(
    r"\b(?:don'?t|do not|doesn'?t|does not|can'?t|cannot|not|no|poco|little|mal)\b[\w\s']{0,30}"
    r"\b(?:english|ingl[eé]s|spanish|espa[nñ]ol|castellano)\b"
    r"|\b(?:english|ingl[eé]s|spanish|espa[nñ]ol)\b[\w\s']{0,12}\b(?:bad|poor|not|isn'?t|mal[oa]?)\b"
)


@functools.lru_cache(maxsize=1)
def _detector() -> LanguageDetector:
    return LanguageDetectorBuilder.from_languages(*_LANGUAGES.values()).build()


def decide_language(text: str, current: str | None) -> str:
    """The language to answer in.

    Args:
        text: the message.
        current: language of the conversation so far; None on the first message.

    Returns:
        "en" or "es".
    """
    if unread(text):
        return current or "en"
    letters = sum(character.isalpha() for character in text)
    if letters >= _FIRST_LETTERS:
        best = _detector().compute_language_confidence_values(text)[0]
        heard = next(code for code, name in _LANGUAGES.items() if name == best.language)
        if current is None and best.value >= _FIRST_CONFIDENCE:
            return heard
        words = len(text.split())
        sure = _SENTENCE_CONFIDENCE if words >= _SENTENCE_WORDS else _SWITCH_CONFIDENCE
        if words >= _SWITCH_WORDS and best.value >= sure:
            return heard
    return current or "en"


def requested_language(text: str, current: str) -> str:
    """The language that a request to switch names; the other one if it names none."""
    lowered = text.lower()
    for code, words in _ASKED_FOR.items():
        if any(word in lowered for word in words):
            return _OTHER[code] if _NOT_SPOKEN.search(lowered) else code
    return _OTHER[current]
