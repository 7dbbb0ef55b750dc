"""Rasa's tracker store over our own database.

What is to be kept of a turn is one row, which the gateway writes in the transaction that
keeps the turn: of a turn that nobody was shown there is no trace. When a tracker has grown,
a short one takes the place of all its rows (`bot.brain.live_tracker`). It fails closed: an
error ends the turn, and the gateway answers in its place; there is no in-memory store behind it.

Trackers of the latest turns are kept at hand. The turn may not have been written, or another
brain may have answered since, so one is used only if the newest row in the database is the
very one that was encrypted here.
"""

from __future__ import annotations

import dataclasses
import json
from collections import OrderedDict
from collections.abc import Iterable

import anyio.to_thread
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Engine

from bot.brain.live_tracker import shortened
from bot.store import TrackerEvents, reading, writing
from bot.turns import DialogueRow, mark_of

_AT_HAND = 128  # trackers; each some 50 to 150 kB
_STORED = "_handrail_stored"  # on a tracker: what of it the database has


@dataclasses.dataclass(frozen=True)
class _Stored:
    """How many events of a tracker are in rows, and the newest row: its number and mark."""

    events: int
    seq: int
    mark: str | None


_NOTHING = _Stored(0, 0, None)


class HandrailTrackerStore(TrackerStore):
    """Reads the events of each conversation from the table `tracker_event`."""

    def __init__(
        self, engine: Engine, domain: Domain | None = None, event_broker: EventBroker | None = None
    ):
        super().__init__(domain, event_broker)
        self._engine = engine
        self._at_hand: OrderedDict[str, DialogueStateTracker] = OrderedDict()

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Nothing yet: the gateway keeps what `row_of` gives."""

    def row_of(self, tracker: DialogueStateTracker) -> DialogueRow:
        """What is to be kept of the turn that `tracker` has taken; raises StoreError.

        The tracker stays at hand, in the expectation that the row will be written.
        """
        stored = _stored(tracker)
        kept = shortened(tracker, self.domain.slots)
        events = list(tracker.events)[stored.events :] if kept is None else kept.events
        seq, text = stored.seq + 1, json.dumps([event.as_dict() for event in events])
        sealed = TrackerEvents.seal(self._engine, tracker.sender_id, seq, text)
        at_hand = kept or tracker
        setattr(at_hand, _STORED, _Stored(len(at_hand.events), seq, mark_of(sealed)))
        self._at_hand[tracker.sender_id] = at_hand
        if len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        return DialogueRow(seq, sealed, in_place_of_all=kept is not None)

    async def resume(self, conversation: str, newest: str | None) -> DialogueStateTracker | None:
        """The tracker with all that is kept; None if there is none; raises StoreError.

        It is the caller's alone: a turn that fails has changed nothing for the next one.

        Args:
            newest: mark of the newest row, as the gateway has found it.
        """
        at_hand = self._at_hand.pop(conversation, None)
        if at_hand is not None and newest is not None and _stored(at_hand).mark == newest:
            return at_hand
        return await self.retrieve(conversation)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The same from the database."""
        seq, sealed, rows = await anyio.to_thread.run_sync(self._read, sender_id)
        if sealed is None:
            return None
        events = deserialise_events([event for row in rows for event in json.loads(row)])
        tracker = DialogueStateTracker.from_events(sender_id, events, self.domain.slots)
        setattr(tracker, _STORED, _Stored(len(events), seq, mark_of(sealed)))
        return tracker

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """The same: what is left out is nowhere in this table."""
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

    def _read(self, conversation: str) -> tuple[int, str | None, list[str]]:
        """Number and text of the newest row as they stand, and all texts."""
        with reading(self._engine) as connection:
            events = TrackerEvents(connection)
            seq, sealed = events.newest(conversation) or (0, None)
            return seq, sealed, events.read(conversation)

    def _conversations(self) -> list[str]:
        with reading(self._engine) as connection:
            return TrackerEvents(connection).conversations()

    def _delete(self, conversation: str) -> None:
        with writing(self._engine) as connection:
            TrackerEvents(connection).delete(conversation)


def _stored(tracker: DialogueStateTracker) -> _Stored:
    found: _Stored = getattr(tracker, _STORED, _NOTHING)
    return found
