"""What a visitor typed, made safe to store, screen and show; nothing of it is judged."""

from __future__ import annotations

import re
import unicodedata

from bot.turns import BRAIN_CHARACTERS
from bot.vocabulary import LANGUAGES

# Marks that turn the direction of text around can make a transcript read differently
# from what was typed; a chat has no use for them.
_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """`text` composed (NFC), without control characters, with "\\n" line ends.

    Databases refuse NUL and lone surrogates, and a NUL inside a word would hide
    it from the safety screen.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _CONTROLS.sub("", text)
    text = _LONE_SURROGATES.sub("\ufffd", text)
    text = _DIRECTION_MARKS.sub("", text)
    return unicodedata.normalize("NFC", text).strip()


def for_brain(text: str) -> str:
    """The part of `text` that the brain gets: whole words, at most BRAIN_CHARACTERS."""
    if len(text) <= BRAIN_CHARACTERS:
        return text
    cut = text[:BRAIN_CHARACTERS]
    if not cut[-1].isspace() and not text[BRAIN_CHARACTERS].isspace():
        cut = cut.rsplit(maxsplit=1)[0]  # the last word is cut in two; leave it out
    return cut.strip()


def accepted_language(header: str) -> str:
    """The first language of an Accept-Language header that the house speaks; else "en"."""
    for accepted in header.split(","):
        code = accepted.split(";")[0].strip().lower()[:2]
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Function words that are common in one language and rare in the other.
_SPANISH = _words(
    "el la los las un una de del que y en por para con mi mis me te se lo es soy estoy está "
    "sí si quiero necesito puedo tengo ayuda hola gracias como cómo qué cuándo dónde "
    "pero porque muy más ya yo usted ustedes"
)
_ENGLISH = _words(
    "the a an of to in on for with my i i'm is am are it its do does can want need have "
    "help hi hello thanks how what when where but because very more you not me please stop"
)


def language_of(text: str, otherwise: str) -> str:
    """A guess, "en" or "es", for words of our own when the brain cannot be asked.

    Args:
        otherwise: the answer when the text gives no sign.
    """
    said = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower().replace("\u2019", "'"))
    spanish = sum(word in _SPANISH for word in said) + 2 * sum(map(text.count, "ñ¿¡"))
    english = sum(word in _ENGLISH for word in said)
    if spanish == english:
        return otherwise
    return "es" if spanish > english else "en"
