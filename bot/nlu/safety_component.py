"""Rasa components: the safety screen inside the pipeline, which reads first and overrules last.

A message of tier `concern` or higher gets the intent `safety_<tier>` with
confidence 1. What the classifier saw stays in the ranking.

The gateway has screened a message before the brain hears of it, with the same lexicon and
weights. Where it says what it read of the very same text, that counts; else the screen
reads here.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.nlu.reader import Reader
from bot.nlu.sentence_encoder import encode
from bot.safety.barriers import Barriers, load_barriers
from bot.safety.reading import Reading
from bot.safety.screen import Screen, load_screen
from bot.settings import Settings
from bot.vocabulary import TIER_NONE, safety_intent

_SAFETY = "safety"  # of the parsed message: what the screen read
# Of the message that is being parsed: a text, and what a screen has read of it already.
read_before: ContextVar[tuple[str, Reading] | None] = ContextVar("read_before", default=None)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyScreenReader(Reader, IntentClassifier):
    """Adds what the screen reads as `safety`; put it before the featurizer.

    The screen has the sentence encoder read the message beside its own folded words, which
    takes little longer; the featurizer then finds it read.
    """

    def __init__(self, screen: Screen, barriers: Barriers):
        self._screen = screen
        self._barriers = barriers

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyScreenReader:
        """Load the screen; raises if any part of it cannot be loaded."""
        path = Settings.from_environment().safety_model
        screen = load_screen(classifier_path=path, encode=encode)
        return cls(screen, load_barriers(spelling=screen.spelling))

    def read(self, message: Message) -> None:
        """Screen the message; training examples are not: none may be a message of danger."""
        text = message.get(TEXT) or ""
        known = read_before.get()
        reading = known[1] if known and known[0] == text else self._screen.read(text)
        message.set(
            _SAFETY,
            {
                "tier": reading.tier,
                "categories": list(reading.categories),
                "barrier": self._barriers.reply_to(text),
                "evidence": [
                    {"start": e.start, "end": e.end, "rule": e.rule} for e in reading.evidence
                ],
            },
            add_to_output=True,
        )


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyIntentComponent(Reader, IntentClassifier):
    """Overrules the intent of a message of danger; put it last in the pipeline."""

    def read(self, message: Message) -> None:
        """Set the safety intent; raises KeyError if nothing has screened the message."""
        tier = message.data[_SAFETY]["tier"]
        if tier != TIER_NONE:
            intent = {"name": safety_intent(tier), "confidence": 1.0}
            message.set("intent", intent, add_to_output=True)
            ranking = [g for g in message.get("intent_ranking") or []]
            message.set("intent_ranking", [intent, *ranking], add_to_output=True)
