"""Rasa component: spaCy's rule-based tokenizer, which needs no downloaded model."""

from __future__ import annotations

import functools
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message


@functools.lru_cache(maxsize=1)
def _split() -> spacy.tokenizer.Tokenizer:
    return spacy.blank("en").tokenizer


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BlankSpacyTokenizer(Tokenizer):
    """Splits text into words with spaCy's English rules; Spanish splits well with them."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Configuration that Rasa's base class expects."""
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "prefix_separator_symbol": None,
        }

    @staticmethod
    def required_packages() -> list[str]:
        """Packages of this component."""
        return ["spacy"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BlankSpacyTokenizer:
        """Make the component (see `GraphComponent.create`)."""
        return cls(config)

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        """The words of `message` with their character offsets."""
        doc = _split()(message.get(attribute))
        return [Token(word.text, word.idx) for word in doc if not word.is_space]
