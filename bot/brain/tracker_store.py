"""Rasa's tracker store over our own database.

Only new events are written. It fails closed: an error ends the turn, and the
gateway answers in its place; there is no in-memory store behind it.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Iterable

import anyio.to_thread
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Engine

from bot.brain.action_endpoint import failures
from bot.store import TrackerEvents, reading, writing

# Set by the brain for each turn: an event that tells that nobody waits for its answer.
nobody_waits: contextvars.ContextVar[asyncio.Event | None] = contextvars.ContextVar(
    "nobody_waits", default=None
)
_STORED = "_handrail_stored"  # on a tracker: how many of its events the database has


class Abandoned(Exception):
    """Nobody waits for this turn's answer; nothing of it was stored."""


class HandrailTrackerStore(TrackerStore):
    """Keeps the events of each conversation in the table `tracker_event`."""

    def __init__(
        self, engine: Engine, domain: Domain | None = None, event_broker: EventBroker | None = None
    ):
        super().__init__(domain, event_broker)
        self._engine = engine

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append the events that are not stored yet; none of a turn in which an action failed.

        The visitor is then asked to send the message again, and must meet the question
        that was open.

        Raises:
            StoreError, Conflict: nothing was stored.
            Abandoned: nobody waits for the answer any more; nothing was stored.
        """
        await asyncio.sleep(0)  # lets the news that the caller has hung up come in
        abandoned = nobody_waits.get()
        if abandoned is not None and abandoned.is_set():
            raise Abandoned
        if failures.get([]):
            return  # the brain says so, loudly
        stored: int = getattr(tracker, _STORED, 0)
        new = [json.dumps(event.as_dict()) for event in list(tracker.events)[stored:]]
        if new:
            await anyio.to_thread.run_sync(self._append, tracker.sender_id, stored + 1, new)
        setattr(tracker, _STORED, stored + len(new))

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker with all its events; None if there is none; raises StoreError."""
        rows = await anyio.to_thread.run_sync(self._read, sender_id)
        if not rows:
            return None
        tracker = DialogueStateTracker.from_events(
            sender_id, deserialise_events([json.loads(row) for row in rows]), self.domain.slots
        )
        setattr(tracker, _STORED, len(rows))
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The same as `retrieve`: nothing is left out of a tracker."""
        return await self.retrieve(conversation_id)

    async def keys(self) -> Iterable[str]:
        """Ids of all conversations."""
        return await anyio.to_thread.run_sync(self._conversations)

    async def delete(self, sender_id: str) -> None:
        """Forget a conversation."""
        await anyio.to_thread.run_sync(self._delete, sender_id)

    def _append(self, conversation: str, first: int, events: list[str]) -> None:
        with writing(self._engine) as connection:
            TrackerEvents(connection).append(conversation, first, events)

    def _read(self, conversation: str) -> list[str]:
        with reading(self._engine) as connection:
            return TrackerEvents(connection).read(conversation)

    def _conversations(self) -> list[str]:
        with reading(self._engine) as connection:
            return TrackerEvents(connection).conversations()

    def _delete(self, conversation: str) -> None:
        with writing(self._engine) as connection:
            TrackerEvents(connection).delete(conversation)
