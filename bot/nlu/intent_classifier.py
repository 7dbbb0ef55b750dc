"""Rasa component: `IntentModel` as an intent classifier."""

from __future__ import annotations

import inspect
from typing import Any

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
from bot.nlu.featurizer import SentenceEncoderFeaturizer, sentence_embedding
from bot.nlu.intent_model import IntentModel
from bot.nlu.sentence_encoder import encode

_RANKING_LENGTH = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EmbeddingIntentClassifier(IntentClassifier, GraphComponent):
    """Sets the intent and the ranking of the ten likeliest."""

    def __init__(
        self, model_storage: ModelStorage, resource: Resource, model: IntentModel | None = None
    ):
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads the sentence embedding."""
        return [SentenceEncoderFeaturizer]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Rasa's training cache must see a change of the model's code."""
        return get_text_hash(inspect.getsource(bot.nlu.intent_model))

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
        model = IntentModel.train(
            [example.get(TEXT) for example in examples],
            [example.get(INTENT) for example in examples],
            encode,
        )
        with self._model_storage.write_to(self._resource) as folder:
            model.save(folder)
        self._model = model
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking of each message with text."""
        if self._model is None:
            raise RuntimeError("the intent classifier was not trained")
        for message in messages:
            text = message.get(TEXT)
            if not text:
                continue
            [ranking] = self._model.rank([text], sentence_embedding(message).reshape(1, -1))
            plain = [{"name": g.intent, "confidence": g.confidence} for g in ranking]
            message.set("intent", plain[0], add_to_output=True)
            message.set("intent_ranking", plain[:_RANKING_LENGTH], add_to_output=True)
        return messages
