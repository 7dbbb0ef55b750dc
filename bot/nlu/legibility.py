"""Rasa component: messages without words that can be read: another language, a link, signs.

The sentence encoder gives every text a meaning, sixteen languages and web addresses
included. But the assistant answers in English and Spanish, and opens no link: it says
so, and how to reach a person. Emoji are all the same unknown sign to the encoder, so
the few that answer something are named here; a crying face must never be taken for a
yes. Stands before the safety screen, which overrules it.
"""

from __future__ import annotations

import re
import unicodedata

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.other_languages import in_another_language
from bot.nlu.reader import Reader
from bot.vocabulary import ONLY_LINK, OTHER_SCRIPT

_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|info|io)\b\S*"
)
_SIGNS = {
    "\N{THUMBS UP SIGN}": "affirm",
    "\N{OK HAND SIGN}": "affirm",
    "\N{WHITE HEAVY CHECK MARK}": "affirm",
    "\N{THUMBS DOWN SIGN}": "deny",
    "\N{SHRUG}": "unsure",
    "\N{WAVING HAND SIGN}": "greet",
    "\N{HEAVY BLACK HEART}": "thank",
}
# What programs write where they have nothing to say, and what people type to see whether
# somebody is there. To the encoder "null" is much like a no.
_PLACEHOLDERS = re.compile(
    r"(?:null|undefined|nan|nil|lorem ipsum|(?:asdf|qwer|hjkl|jkl)\w*|foo|bar|foobar"
    r"|\[object object\]|true|false)",
    re.IGNORECASE,
)
_TRYING = re.compile(
    r"(?:this is (?:just )?a |just |una? )?(?:test|testing|prueba|probando)\b[\s\d]*"
)
_GENDERS = "\N{FEMALE SIGN}\N{MALE SIGN}"  # joined to a sign
_MOST_FOREIGN = 0.5  # share of the letters: a foreign name may stand in a sentence


def unread(text: str) -> str | None:
    """Why the words of a message cannot be read: OTHER_SCRIPT, ONLY_LINK, or None: they can.

    French in Latin letters is as unread as Russian.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return None
    without_links = _ADDRESS.sub("", text)
    if not any(c.isalpha() for c in without_links):
        return ONLY_LINK
    foreign = sum("LATIN" not in unicodedata.name(c, "LATIN") for c in letters)
    if foreign / len(letters) > _MOST_FOREIGN or in_another_language(without_links):
        return OTHER_SCRIPT
    return None


def meaning_of_placeholder(text: str) -> str | None:
    """The intent of a word that stands for nothing, `greet` for "test"; None: it is none."""
    said = text.strip(" .!?\"'").lower()
    if _TRYING.fullmatch(said):
        return "greet"
    return DEFAULT_NLU_FALLBACK_INTENT_NAME if _PLACEHOLDERS.fullmatch(said) else None


def meaning_of_signs(text: str) -> str | None:
    """The intent of a message of emoji and marks; None if it has words or a question mark.

    `nlu_fallback` where they say nothing, or nothing clear.
    """
    if "?" in text or any(c.isalnum() for c in text):
        return None
    # Tones of skin and joiners are of other categories.
    signs = {c for c in text if unicodedata.category(c) == "So" and c not in _GENDERS}
    meanings = {_SIGNS.get(sign) for sign in signs}
    [meaning] = meanings if len(meanings) == 1 else [None]
    return meaning or DEFAULT_NLU_FALLBACK_INTENT_NAME


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class LegibilityComponent(Reader, IntentClassifier):
    """Overrules the intent of a message that cannot be read."""

    def read(self, message: Message) -> None:
        """Set as its intent why the message cannot be read, or what its signs say."""
        text = message.get(TEXT) or ""
        meaning = unread(text) or meaning_of_signs(text) or meaning_of_placeholder(text)
        if meaning:
            intent = {"name": meaning, "confidence": 1.0}
            message.set("intent", intent, add_to_output=True)
            message.set("intent_ranking", [intent], add_to_output=True)
            message.set("asked", [], add_to_output=True)
