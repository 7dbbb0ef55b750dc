"""Hand-off records in the database."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import sqlalchemy as sa

from bot.handoff.records import HandoffRecord
from bot.store.tables import handoff

_FIELDS = tuple(field.name for field in dataclasses.fields(HandoffRecord))


class Handoffs:
    """One record per conversation.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def find(self, conversation: str) -> tuple[str, HandoffRecord] | None:
        """Code and record of a conversation; None if it has none."""
        row = (
            self._connection.execute(
                sa.select(handoff).where(handoff.c.conversation == conversation)
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        return row["reference"], HandoffRecord(**{name: row[name] for name in _FIELDS})

    def add(self, reference: str, record: HandoffRecord, now: datetime) -> None:
        """Store a new record; raises `Conflict` if code or conversation has one."""
        self._connection.execute(
            sa.insert(handoff).values(reference=reference, created=now, updated=now, **_row(record))
        )

    def replace(self, reference: str, record: HandoffRecord, now: datetime) -> None:
        """Replace the record under `reference`."""
        self._connection.execute(
            sa.update(handoff)
            .where(handoff.c.reference == reference)
            .values(updated=now, **_row(record))
        )


def _row(record: HandoffRecord) -> dict[str, object]:
    row = {name: getattr(record, name) for name in _FIELDS}
    row["answers"] = dict(record.answers)
    return row
