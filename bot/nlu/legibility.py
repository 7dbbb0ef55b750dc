"""Rasa component: messages whose words cannot be read, in another script or only a link.

The sentence encoder gives every text a meaning, sixteen languages and web addresses
included. But the assistant answers in English and Spanish, and opens no link: it says
so, and how to reach a person. Stands before the safety screen, which overrules it.
"""

from __future__ import annotations

import re
import unicodedata

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.reader import Reader
from bot.vocabulary import ONLY_LINK, OTHER_SCRIPT

_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|gov|edu|info|io)\b\S*"
)
_MOST_FOREIGN = 0.5  # share of the letters: a foreign name may stand in a sentence


def unread(text: str) -> str | None:
    """Why the words of a message cannot be read: OTHER_SCRIPT, ONLY_LINK, or None: they can."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return None
    if not any(c.isalpha() for c in _ADDRESS.sub("", text)):
        return ONLY_LINK
    foreign = sum("LATIN" not in unicodedata.name(c, "LATIN") for c in letters)
    return OTHER_SCRIPT if foreign / len(letters) > _MOST_FOREIGN else None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class LegibilityComponent(Reader, IntentClassifier):
    """Overrules the intent of a message that cannot be read."""

    def read(self, message: Message) -> None:
        """Set why the message cannot be read as its intent, if it cannot."""
        why = unread(message.get(TEXT) or "")
        if why:
            intent = {"name": why, "confidence": 1.0}
            message.set("intent", intent, add_to_output=True)
            message.set("intent_ranking", [intent], add_to_output=True)
            message.set("asked", [], add_to_output=True)
