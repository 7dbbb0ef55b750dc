"""The events of a dialogue, appended in order, for the brain's tracker store.

What a row holds is the brain's business: it encrypts the events of one turn as one row, and
whoever writes the turn down writes that row with it.
"""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.errors import translated
from bot.store.tables import tracker_event
from bot.store.vault import Protected, vault_of
from bot.turns import DialogueRow


class TrackerEvents:
    """Texts numbered 1, 2, 3 ... within a conversation.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    @staticmethod
    def seal(engine: sa.engine.Engine, conversation: str, seq: int, events: str) -> str:
        """`events` as they will stand in the database under this number, see `keep`."""
        row = {"conversation": conversation, "seq": seq, "event": events}
        return str(vault_of(engine).seal(tracker_event, row)["event"])

    def keep(self, conversation: str, row: DialogueRow) -> None:
        """Write down what was encrypted by `seal`.

        Raises `bot.store.Conflict` when its number is taken: another process has written
        this conversation. The transaction is then lost.
        """
        vault = vault_of(self._connection)
        sealed = {"conversation": conversation, "seq": row.seq, "event": Protected(row.events)}
        if not vault.is_current(row.events):  # the keys were rotated meanwhile
            sealed = vault.seal(tracker_event, vault.open(tracker_event, sealed))
        if row.in_place_of_all:
            self._connection.execute(_BEFORE, {"which": conversation, "last": row.seq})
        with translated(self._connection.engine.url):
            self._connection.execute(_APPEND, sealed)

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
_BEFORE = sa.delete(tracker_event).where(
    tracker_event.c.conversation == sa.bindparam("which"),
    tracker_event.c.seq < sa.bindparam("last"),
)
_NEWEST = (
    sa.select(tracker_event.c.seq, tracker_event.c.event)
    .where(tracker_event.c.conversation == sa.bindparam("which"))
    .order_by(tracker_event.c.seq.desc())
    .limit(1)
)
