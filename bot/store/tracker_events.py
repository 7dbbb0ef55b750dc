"""The events of a dialogue, appended in order, for the brain's tracker store.

What a text holds is the brain's business: it writes the events of one turn as one.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.errors import translated
from bot.store.tables import tracker_event
from bot.store.vault import vault_of


class TrackerEvents:
    """Texts numbered 1, 2, 3 ... within a conversation.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def append(self, conversation: str, first_seq: int, events: list[str]) -> str | None:
        """Add `events` as `first_seq`, `first_seq` + 1, ...

        Returns:
            The last one as it stands in the database, see `newest`; None if there is none.

        Raises `bot.store.Conflict` when one of these numbers is taken: another
        process has written this conversation. The transaction is then lost.
        """
        if first_seq < 1:
            raise ValueError(f"events are numbered from 1, not {first_seq}")
        if not events:
            return None
        vault = vault_of(self._connection)
        rows = [
            vault.seal(tracker_event, {"conversation": conversation, "seq": seq, "event": event})
            for seq, event in enumerate(events, start=first_seq)
        ]
        with translated(self._connection.engine.url):
            self._connection.execute(_APPEND, rows if len(rows) > 1 else rows[0])
        return str(rows[-1]["event"])

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

    def newest(self, conversation: str) -> tuple[int, str] | None:
        """Number of the last events and their text as it stands in the database.

        Nobody writes the same twice: whoever finds the text that it wrote itself knows
        that no other process has written since.
        """
        row = self._connection.execute(_NEWEST, {"which": conversation}).one_or_none()
        return None if row is None else (row.seq, str(row.event))

    def replace(self, conversation: str, last_seq: int, event: str) -> str | None:
        """Let `event`, with the next number, stand for all up to number `last_seq`.

        Returns and raises what `append` does.
        """
        self._connection.execute(
            sa.delete(tracker_event)
            .where(tracker_event.c.conversation == conversation)
            .where(tracker_event.c.seq <= last_seq)
        )
        return self.append(conversation, last_seq + 1, [event])

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


_APPEND = sa.insert(tracker_event)
_NEWEST = (
    sa.select(tracker_event.c.seq, tracker_event.c.event)
    .where(tracker_event.c.conversation == sa.bindparam("which"))
    .order_by(tracker_event.c.seq.desc())
    .limit(1)
)
