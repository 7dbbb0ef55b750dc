"""The events of a dialogue, appended in order, for the brain's tracker store."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.errors import translated
from bot.store.tables import tracker_event
from bot.store.vault import vault_of


class TrackerEvents:
    """Events as JSON text, numbered 1, 2, 3 ... within a conversation.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def append(self, conversation: str, first_seq: int, events: list[str]) -> None:
        """Add `events` as `first_seq`, `first_seq` + 1, ...

        Raises `bot.store.Conflict` when one of these numbers is taken: another
        process has written this conversation. The transaction is then lost.
        """
        if first_seq < 1:
            raise ValueError(f"events are numbered from 1, not {first_seq}")
        if not events:
            return
        vault = vault_of(self._connection)
        rows = [
            vault.seal(tracker_event, {"conversation": conversation, "seq": seq, "event": event})
            for seq, event in enumerate(events, start=first_seq)
        ]
        with translated(self._connection.engine.url):
            self._connection.execute(sa.insert(tracker_event), rows)

    def read(self, conversation: str, after_seq: int = 0) -> list[str]:
        """The events after number `after_seq`, in order; empty when there are none."""
        vault = vault_of(self._connection)
        rows = self._connection.execute(
            sa.select(tracker_event)
            .where(tracker_event.c.conversation == conversation)
            .where(tracker_event.c.seq > after_seq)
            .order_by(tracker_event.c.seq)
        ).mappings()
        return [vault.open(tracker_event, row)["event"] for row in rows]

    def conversations(self) -> list[str]:
        """Every conversation that has events, sorted by id."""
        return list(
            self._connection.execute(
                sa.select(tracker_event.c.conversation)
                .distinct()
                .order_by(tracker_event.c.conversation)
            ).scalars()
        )

    def delete(self, conversation: str) -> None:
        """Forget the conversation's events; numbering starts at 1 again."""
        self._connection.execute(
            sa.delete(tracker_event).where(tracker_event.c.conversation == conversation)
        )
