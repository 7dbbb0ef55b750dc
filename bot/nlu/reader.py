"""What Rasa components have in common that learn nothing and only read each message."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


class Reader(GraphComponent):
    """A component without training: a subclass says what it does with one message."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Reader:
        """Make the component (see `GraphComponent.create`)."""
        return cls()

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Leave the training examples as they are."""
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message."""
        for message in messages:
            self.read(message)
        return messages

    def read(self, message: Message) -> None:
        """Write into `message` what was found in it."""
        raise NotImplementedError
