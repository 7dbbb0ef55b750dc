"""Hand-off records in the database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bot.handoff.records import HandoffRecord
from bot.store.tables import handoff, handoff_conversation
from bot.store.vault import vault_of

_FIELDS = tuple(field.name for field in dataclasses.fields(HandoffRecord))


class Handoffs:
    """One record per request; a person's conversations of a day lead to the same one.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def find(self, conversation: str) -> tuple[str, HandoffRecord] | None:
        """Code and record of a conversation; None if it has none."""
        followed = handoff_conversation.c
        return self._first(
            sa.select(handoff)
            .join(handoff_conversation, followed.reference == handoff.c.reference)
            .where(followed.conversation == conversation)
        )

    def of_person(
        self, clinic: str, phone: str | None, day: date
    ) -> tuple[str, HandoffRecord] | None:
        """Code and record of the request with this number on this day of the clinic."""
        if phone is None:
            return None
        hashes = vault_of(self._connection).blinds(handoff.c.phone_hash, phone, clinic)
        return self._first(
            sa.select(handoff)
            .where(handoff.c.clinic == clinic)
            .where(handoff.c.phone_hash.in_(hashes))
            .where(handoff.c.day == day)
            .where(handoff.c.merged_into.is_(None))
        )

    def records(self, references: Iterable[str]) -> dict[str, HandoffRecord]:
        """The records under these codes; a code that does not exist is left out."""
        rows = self._connection.execute(
            sa.select(handoff).where(handoff.c.reference.in_(list(references)))
        ).mappings()
        return {row["reference"]: self._record(row) for row in rows}

    def current(self, reference: str) -> str | None:
        """The code under which a request goes on, its own or a later one; None: no such code."""
        row = self._connection.execute(
            sa.select(handoff.c.merged_into).where(handoff.c.reference == reference)
        ).first()
        return None if row is None else row.merged_into or reference

    def conversations(self, reference: str) -> list[str]:
        """The conversations behind a record, the one that began it first."""
        followed = handoff_conversation.c
        rows = self._connection.execute(
            sa.select(followed.conversation, handoff.c.conversation)
            .join(handoff, followed.reference == handoff.c.reference)
            .where(followed.reference == reference)
            .order_by(followed.conversation)
        ).all()
        return sorted((row[0] for row in rows), key=lambda each: each != rows[0][1])

    def add(self, reference: str, record: HandoffRecord, now: datetime, day: date) -> None:
        """Store a new record; IntegrityError if code, conversation or person has one."""
        self._connection.execute(
            sa.insert(handoff).values(
                created=now, updated=now, day=day, **self._row(reference, record)
            )
        )
        self.follow(record.conversation, reference)

    def replace(self, reference: str, record: HandoffRecord, now: datetime, day: date) -> None:
        """Replace the record under `reference`."""
        self._change(reference, {"updated": now, "day": day, **self._row(reference, record)})

    def follow(self, conversation: str, reference: str) -> None:
        """From now on `conversation` leads to the record `reference`."""
        followed = handoff_conversation.c
        moved = self._connection.execute(
            sa.update(handoff_conversation)
            .where(followed.conversation == conversation)
            .values(reference=reference)
        )
        if not moved.rowcount:
            self._connection.execute(
                sa.insert(handoff_conversation).values(
                    conversation=conversation, reference=reference
                )
            )

    def leave(self, conversation: str) -> None:
        """From now on `conversation` leads to no record."""
        self._connection.execute(
            sa.delete(handoff_conversation).where(
                handoff_conversation.c.conversation == conversation
            )
        )

    def merge(self, reference: str, *, into: str, now: datetime) -> None:
        """The request `reference` goes on as `into`; its code leads there from now on.

        The row stays, because its code may have been written down, but without contact
        details: they stand in the record that goes on.
        """
        followed = handoff_conversation.c
        self._connection.execute(
            sa.update(handoff_conversation)
            .where(followed.reference == reference)
            .values(reference=into)
        )
        self._connection.execute(
            sa.update(handoff).where(handoff.c.merged_into == reference).values(merged_into=into)
        )
        gone = {"phone": None, "phone_hash": None}
        self._change(reference, {"merged_into": into, "updated": now, **gone})

    def _change(self, reference: str, values: Mapping[str, Any]) -> None:
        self._connection.execute(
            sa.update(handoff).where(handoff.c.reference == reference).values(**values)
        )

    def _first(self, query: Any) -> tuple[str, HandoffRecord] | None:
        row = self._connection.execute(query.order_by(handoff.c.created)).mappings().first()
        if row is None:
            return None
        return row["reference"], self._record(row)

    def _record(self, row: Mapping[str, Any]) -> HandoffRecord:
        plain = vault_of(self._connection).open(handoff, row)
        return HandoffRecord(**{name: plain[name] for name in _FIELDS})

    def _row(self, reference: str, record: HandoffRecord) -> dict[str, Any]:
        row = {name: getattr(record, name) for name in _FIELDS}
        row["reference"] = reference
        row["answers"] = dict(record.answers)
        row["reasons"] = [dict(reason) for reason in record.reasons]
        row["unknown"] = list(record.unknown)
        return vault_of(self._connection).seal(handoff, row)
