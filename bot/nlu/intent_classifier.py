"""Rasa component: `IntentModel` as an intent classifier."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.io import get_text_hash

import bot.nlu.intent_model
import bot.nlu.ngrams
import bot.nlu.tuning
from bot.nlu.clauses import understand
from bot.nlu.featurizer import SentenceEncoderFeaturizer, sentence_read
from bot.nlu.intent_model import Guess, IntentModel
from bot.nlu.sentence_encoder import read

ASKED = "asked"  # of the parsed message: each different thing that it asks, in order
_RANKING_LENGTH = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EmbeddingIntentClassifier(IntentClassifier, GraphComponent):
    """Sets the intent, the ranking of the ten likeliest, and what else the message asks."""

    def __init__(
        self, model_storage: ModelStorage, resource: Resource, model: IntentModel | None = None
    ):
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def required_components(cls) -> list[type]:
        """It takes what the featurizer read."""
        return [SentenceEncoderFeaturizer]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Rasa's training cache must see a change of the model's code."""
        parts = (bot.nlu.intent_model, bot.nlu.ngrams, bot.nlu.tuning)
        sources = (inspect.getsource(part) for part in parts)
        return get_text_hash("".join(sources))

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EmbeddingIntentClassifier:
        """Make an untrained component (see `GraphComponent.create`)."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> EmbeddingIntentClassifier:
        """Load what `train` stored; a damaged model raises."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, IntentModel.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Fit on all examples that have an intent."""
        examples = training_data.intent_examples
        texts = [example.get(TEXT) for example in examples]
        known = dict(zip(texts, map(sentence_read, examples), strict=True))

        def read_once(wanted: Sequence[str]) -> np.ndarray:
            return np.stack([known[t] if t in known else read([t])[0] for t in wanted])

        intents = [example.get(INTENT) for example in examples]
        model = IntentModel.train(texts, intents, read_once)
        with self._model_storage.write_to(self._resource) as folder:
            model.save(folder)
        self._model = model
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent, ranking and `asked` (see `bot.nlu.clauses`) of each message with text."""
        for message in messages:
            text = message.get(TEXT)
            if not text:
                continue
            meant = understand(text, functools.partial(self._rank, sentence_read(message)))
            plain = _plain(meant.ranking[:_RANKING_LENGTH])
            message.set("intent", plain[0], add_to_output=True)
            message.set("intent_ranking", plain, add_to_output=True)
            message.set(ASKED, _plain(meant.asked), add_to_output=True)
        return messages

    def _rank(self, message: np.ndarray, texts: Sequence[str]) -> list[list[Guess]]:
        """The rankings of a message, read already, and of its parts."""
        if self._model is None:
            raise RuntimeError("the intent classifier was not trained")
        return self._model.rank(texts, np.vstack([message.reshape(1, -1), read(texts[1:])]))


def _plain(guesses: Sequence[Guess]) -> list[dict[str, Any]]:
    return [{"name": guess.intent, "confidence": guess.confidence} for guess in guesses]
