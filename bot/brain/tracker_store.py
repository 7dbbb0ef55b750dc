"""Rasa's tracker store over our own database.

The events of a turn are written as one row; when a tracker has grown, a short one takes
the place of all its rows (`bot.brain.live_tracker`). It fails closed: an error ends the
turn, and the gateway answers in its place; there is no in-memory store behind it.

Trackers that this process wrote last are kept at hand. Another brain may have answered
since, so one is used only if the newest row in the database is the very one written here.
"""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import json
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import anyio.to_thread
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Engine

from bot.brain.action_endpoint import failures
from bot.brain.live_tracker import shortened
from bot.store import TrackerEvents, reading, writing

# Set by the brain for each turn: an event that tells that nobody waits for its answer.
nobody_waits: contextvars.ContextVar[asyncio.Event | None] = contextvars.ContextVar(
    "nobody_waits", default=None
)
_AT_HAND = 256  # trackers; each some 50 kB
_STORED = "_handrail_stored"  # on a tracker: what of it the database has


class Abandoned(Exception):
    """Nobody waits for this turn's answer; nothing of it was stored."""


@dataclasses.dataclass(frozen=True)
class _Stored:
    """How many events of a tracker are stored, and its newest row, see `TrackerEvents.newest`."""

    events: int
    newest: tuple[int, str | None]


_NOTHING = _Stored(0, (0, None))


class HandrailTrackerStore(TrackerStore):
    """Keeps the events of each conversation in the table `tracker_event`."""

    def __init__(
        self, engine: Engine, domain: Domain | None = None, event_broker: EventBroker | None = None
    ):
        super().__init__(domain, event_broker)
        self._engine = engine
        self._at_hand: OrderedDict[str, DialogueStateTracker] = OrderedDict()

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
        stored = _stored(tracker)
        new = list(tracker.events)[stored.events :]
        if not new:
            return
        kept = shortened(tracker, self.domain.slots)
        text = _text(new if kept is None else kept.events)
        newest = await anyio.to_thread.run_sync(
            self._write, tracker.sender_id, stored.newest[0], text, kept is not None
        )
        self._keep(kept or tracker, newest)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The tracker with all that is kept; None if there is none; raises StoreError.

        It is the caller's alone: a turn that fails has changed nothing for the next one.
        """
        at_hand = self._at_hand.pop(sender_id, None)
        known = _stored(at_hand).newest if at_hand else None
        newest, rows = await anyio.to_thread.run_sync(self._read, sender_id, known)
        if newest is None:
            return None
        if rows is None:
            return at_hand
        events = deserialise_events([event for row in rows for event in json.loads(row)])
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _STORED, _Stored(len(events), newest))
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The same as `retrieve`: what is left out is nowhere in this table."""
        return await self.retrieve(conversation_id)

    async def keys(self) -> Iterable[str]:
        """Ids of all conversations."""
        return await anyio.to_thread.run_sync(self._conversations)

    async def delete(self, sender_id: str) -> None:
        """Forget a conversation."""
        self.let_go(sender_id)
        await anyio.to_thread.run_sync(self._delete, sender_id)

    def let_go(self, sender_id: str) -> None:
        """Keep nothing of a conversation in memory."""
        self._at_hand.pop(sender_id, None)

    def _keep(self, tracker: DialogueStateTracker, newest: tuple[int, str | None]) -> None:
        setattr(tracker, _STORED, _Stored(len(tracker.events), newest))
        self._at_hand[tracker.sender_id] = tracker
        if len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)

    def _write(
        self, conversation: str, last_seq: int, text: str, in_place_of_all: bool
    ) -> tuple[int, str | None]:
        with writing(self._engine) as connection:
            events = TrackerEvents(connection)
            if in_place_of_all:
                return last_seq + 1, events.replace(conversation, last_seq, text)
            return last_seq + 1, events.append(conversation, last_seq + 1, [text])

    def _read(
        self, conversation: str, known: tuple[int, str | None] | None
    ) -> tuple[tuple[int, str | None] | None, list[str] | None]:
        """The newest row, None if there is none; and all texts, None if it is `known`."""
        with reading(self._engine) as connection:
            events = TrackerEvents(connection)
            newest = events.newest(conversation)
            if newest is None:
                return None, []
            return newest, None if newest == known else events.read(conversation)

    def _conversations(self) -> list[str]:
        with reading(self._engine) as connection:
            return TrackerEvents(connection).conversations()

    def _delete(self, conversation: str) -> None:
        with writing(self._engine) as connection:
            TrackerEvents(connection).delete(conversation)


def _stored(tracker: DialogueStateTracker) -> _Stored:
    found: _Stored = getattr(tracker, _STORED, _NOTHING)
    return found


def _text(events: Iterable[Any]) -> str:
    return json.dumps([event.as_dict() for event in events])
