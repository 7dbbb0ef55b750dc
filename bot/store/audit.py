"""Who did what, in a chain that shows when it was tampered with.

Each entry carries the hash of the one before, so a changed or missing entry breaks the
chain from there on. A signed head says where the chain ends: entries cut off at the
end, and a chain written anew by somebody who has the database but not the keys, are
noticed as well. What remains undetected is a whole database put back to an earlier
state; whoever fears that notes count and last hash of `handrail audit verify` elsewhere.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from bot.store.errors import StoreError
from bot.store.tables import audit, audit_head
from bot.store.vault import vault_of

_FIRST = "0" * 64  # what stands for the hash before the first entry
_HEAD = 1
_PURPOSE = "audit head"
_BATCH = 1000
Details = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        seq: 1, 2, 3 ...
        actor: login of a staff member, or "visitor", "system", "operator".
        action: what was done, such as "handoff.viewed".
        subject: reference code or conversation id, if it was done to one.
        details: counts, ids, names of fields.
    """

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    details: Details


class Audit:
    """Writes and reads entries; nothing changes or removes one.

    Args:
        connection: from `bot.store.writing` to add, `bot.store.reading` to read.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(
        self,
        *,
        actor: str,
        action: str,
        at: datetime,
        subject: str | None = None,
        details: Details | None = None,
    ) -> int:
        """Add an entry in the caller's transaction; returns its number.

        Add it last: until the transaction ends, other writers of the audit wait.

        Args:
            actor, action, subject, details: see `Entry`; never a visitor's words.
            at: zone-aware.

        Raises:
            StoreError: the audit has no head any more.
        """
        head = _head(self._connection, lock=True)
        if head is None:
            raise StoreError("the audit has lost its head; run `handrail audit verify`")
        seq = head["seq"] + 1
        row = {
            "seq": seq,
            "at": at.astimezone(timezone.utc),
            "actor": actor,
            "action": action,
            "subject": subject,
            "details": json.dumps(dict(details or {}), sort_keys=True, ensure_ascii=False),
            "previous": head["hash"],
        }
        digest = _hash(row)
        self._connection.execute(sa.insert(audit).values(hash=digest, **row))
        _set_head(self._connection, seq, digest)
        return seq

    def of(self, subject: str) -> list[Entry]:
        """The entries about `subject`, oldest first."""
        return [
            _entry(row)
            for row in self._connection.execute(
                sa.select(audit).where(audit.c.subject == subject).order_by(audit.c.seq)
            ).mappings()
        ]

    def after(self, seq: int = 0, limit: int = 1000) -> list[Entry]:
        """At most `limit` entries after number `seq`, oldest first."""
        return [
            _entry(row)
            for row in self._connection.execute(
                sa.select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(limit)
            ).mappings()
        ]

    def latest(
        self,
        limit: int,
        *,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
    ) -> list[Entry]:
        """At most `limit` entries that fit all filters given, newest first.

        Args:
            before: only entries with a smaller number.
        """
        query = sa.select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.seq < before)
        for name, wanted in (("actor", actor), ("action", action), ("subject", subject)):
            if wanted is not None:
                query = query.where(audit.c[name] == wanted)
        return [_entry(row) for row in self._connection.execute(query).mappings()]

    def last_hash(self) -> str:
        """The hash of the newest entry; zeros before the first."""
        found = self._connection.execute(
            sa.select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        ).scalar()
        return found or _FIRST

    def count(self) -> int:
        """How many entries there are."""
        counted = self._connection.execute(sa.select(sa.func.count()).select_from(audit))
        return int(counted.scalar_one())


def verify(connection: sa.engine.Connection) -> int | None:
    """The number of the first entry that is not as it was written; None if all are.

    Where entries are missing at the end, the number of the first missing one. A chain
    that is sound in itself but ends otherwise than the head says is broken at its end.

    Raises:
        StoreError: the key that signed the head is not here.
    """
    previous, expected = _FIRST, 1
    while True:
        rows = (
            connection.execute(
                sa.select(audit).where(audit.c.seq >= expected).order_by(audit.c.seq).limit(_BATCH)
            )
            .mappings()
            .all()
        )
        for row in rows:
            if row["seq"] != expected or row["previous"] != previous or _hash(row) != row["hash"]:
                return expected
            previous, expected = row["hash"], expected + 1
        if len(rows) < _BATCH:
            break
    last = expected - 1
    head = _head(connection)
    if head is None or head["seq"] < last:
        return max(last, 1)
    if head["seq"] > last:
        return expected
    message = _signed_text(head["seq"], head["hash"])
    signed = vault_of(connection).is_signed(_PURPOSE, message, head["signature"])
    return None if signed and head["hash"] == previous else max(last, 1)


def begin(connection: sa.engine.Connection) -> None:
    """Write the head of an empty audit; called once, when the keys are first known."""
    if _head(connection) is None and Audit(connection).count() == 0:
        connection.execute(
            sa.insert(audit_head).values(
                id=_HEAD, seq=0, hash=_FIRST, signature=_signature(connection, 0, _FIRST)
            )
        )


def sign_anew(connection: sa.engine.Connection) -> None:
    """Sign the head with the active key; raises StoreError if it is not sound."""
    head = _head(connection, lock=True)
    message = "" if head is None else _signed_text(head["seq"], head["hash"])
    if head is None or not vault_of(connection).is_signed(_PURPOSE, message, head["signature"]):
        raise StoreError("the end of the audit is not sound; run `handrail audit verify`")
    _set_head(connection, head["seq"], head["hash"])


def _head(connection: sa.engine.Connection, lock: bool = False) -> Mapping[str, Any] | None:
    query = sa.select(audit_head).where(audit_head.c.id == _HEAD)
    if lock:  # on SQLite the write transaction is the lock
        query = query.with_for_update()
    found: Mapping[str, Any] | None = connection.execute(query).mappings().first()
    return found


def _set_head(connection: sa.engine.Connection, seq: int, digest: str) -> None:
    connection.execute(
        sa.update(audit_head)
        .where(audit_head.c.id == _HEAD)
        .values(seq=seq, hash=digest, signature=_signature(connection, seq, digest))
    )


def _signature(connection: sa.engine.Connection, seq: int, digest: str) -> str:
    return vault_of(connection).sign(_PURPOSE, _signed_text(seq, digest))


def _signed_text(seq: int, digest: str) -> str:
    return f"{seq} {digest}"


def _hash(row: Mapping[str, Any]) -> str:
    fields = [row[name] for name in ("seq", "actor", "action", "subject", "details", "previous")]
    text = json.dumps([row["at"].isoformat(), *fields], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        details=json.loads(row["details"]),
    )
