"""Rasa's message processor for one turn whose tracker is at hand.

Rasa's own fetches the tracker by itself, after the caller has looked at it, and copies it
by replaying every event before each action.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.core.processor import MessageProcessor
from rasa.engine import loader
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.graph_runner import SequentialGraphRunner


class TurnProcessor(MessageProcessor):
    """Made like a `MessageProcessor`."""

    @staticmethod
    def _load_model(model_path: Path | str) -> tuple[str, ModelMetadata, GraphRunner]:
        """Load the archive into our own runner; whatever a damaged one raises goes through."""
        path = Path(model_path)
        with tempfile.TemporaryDirectory() as folder:
            metadata, runner = loader.load_predict_graph_runner(
                Path(folder), path, LocalModelStorage, SequentialGraphRunner
            )
        return path.name, metadata, runner

    def _check_for_unseen_features(self, parse_data: dict[str, Any]) -> None:
        """Nothing at run time: that the domain knows every intent is proven by a test."""

    async def take_turn(
        self, message: UserMessage, tracker: DialogueStateTracker | None
    ) -> DialogueStateTracker:
        """Answer on the message's output channel and save the tracker.

        The steps are those of `MessageProcessor.handle_message`.

        Args:
            tracker: of the conversation so far; None if it begins.

        Returns:
            The tracker after the turn.
        """
        output = message.output_channel
        if tracker is None:
            tracker = self.tracker_store.init_tracker(message.sender_id)
        await self._update_tracker_session(tracker, output, message.metadata)
        await self._handle_message_with_tracker(message, tracker)
        tracker = await self.run_action_extract_slots(output, tracker)
        await self._run_prediction_loop(output, tracker)
        await self.save_tracker(tracker)
        return tracker
