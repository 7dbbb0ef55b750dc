"""The outbox: notices that wait to be sent, written with what causes them.

A notice is stored in the same transaction as the hand-off or alert it tells of, so that
neither is there without the other. Workers take notices by a lease, send them, and write
down what came of it: every notice is sent at least once, and a repeated one has the same id.

Rules for clocks that jump: a notice never tried is due whatever the clock says, and a
lease or due time further ahead than any that is given counts as over.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.notify.notice import Notice
from bot.store.tables import notification

LEASE = timedelta(minutes=10)
"""How long a worker has for what it took; a worker that died leaves it for others then."""

LONGEST_WAIT = timedelta(minutes=5)
"""No due time lies further ahead: so late is a notice at most when a server is back."""

_REASON_CHARACTERS = 300


@dataclasses.dataclass(frozen=True)
class Notification:
    """A notice in the outbox.

    Attributes:
        id: the same at every attempt: the e-mail's Message-ID, the webhook's webhook-id.
        attempts: how often it was tried, the present time included.
        due: when it is tried again; None if it never was.
        last_error: why it has not been delivered yet.
        delivered, dead: when it was delivered, when it was given up.
    """

    id: str
    kind: str
    clinic: str
    subject: str
    channel: str
    target: str
    payload: Mapping[str, Any]
    created: datetime
    attempts: int
    due: datetime | None
    last_error: str | None
    delivered: datetime | None
    dead: datetime | None


@dataclasses.dataclass(frozen=True)
class Backlog:
    """What the outbox holds: notices that wait, that have failed so far, that are dead.

    `oldest` is when the one that waits longest was created.
    """

    waiting: int
    failing: int
    dead: int
    oldest: datetime | None


class Outbox:
    """Notices to send.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, notices: Iterable[Notice]) -> int:
        """Store what is not there yet, by `key`; returns how many were new."""
        insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[
            self._connection.dialect.name
        ]
        added = 0
        for notice in notices:
            values = dataclasses.asdict(notice) | {"id": uuid.uuid4().hex, "attempts": 0}
            statement = insert(notification).values(values)
            added += self._connection.execute(
                statement.on_conflict_do_nothing(index_elements=["key"])
            ).rowcount
        return added

    def not_there_yet(self, notices: Sequence[Notice]) -> list[Notice]:
        """Those of `notices` whose key is new."""
        keys = [notice.key for notice in notices]
        known = set(
            self._connection.execute(
                sa.select(notification.c.key).where(notification.c.key.in_(keys))
            ).scalars()
        )
        return [notice for notice in notices if notice.key not in known]

    def take(self, holder: str, now: datetime, limit: int) -> list[Notification]:
        """Lease up to `limit` notices that are due, urgent ones first, then the oldest.

        Args:
            holder: names the worker; other workers pass over what it has.
        """
        ids = list(
            self._connection.execute(
                sa.select(notification.c.id)
                .where(_WAITING, _due(now), _free(now))
                .order_by(notification.c.rank, notification.c.created, notification.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)  # SQLite: the transaction is the lock
            ).scalars()
        )
        self._connection.execute(
            sa.update(notification)
            .where(notification.c.id.in_(ids))
            .values(held_by=holder, held_until=now + LEASE, attempts=notification.c.attempts + 1)
        )
        found = {each.id: each for each in self._select(notification.c.id.in_(ids))}
        return [found[identity] for identity in ids]

    def anything_due(self, now: datetime) -> bool:
        """Whether `take` would find something."""
        query = sa.select(notification.c.id).where(_WAITING, _due(now), _free(now)).limit(1)
        return self._connection.execute(query).first() is not None

    def delivered(self, identity: str, now: datetime) -> None:
        """It was sent."""
        self._change(identity, delivered=now, dead=None, last_error=None, **_LET_GO)

    def failed(self, identity: str, reason: str, due: datetime) -> None:
        """It was not sent and is tried again at `due`."""
        self._change(identity, last_error=reason[:_REASON_CHARACTERS], due=due, **_LET_GO)

    def not_tried(self, identity: str, reason: str, due: datetime) -> None:
        """It could not even be tried; this does not count as an attempt."""
        attempts = notification.c.attempts - 1
        self._change(
            identity, attempts=attempts, last_error=reason[:_REASON_CHARACTERS], due=due, **_LET_GO
        )

    def give_up(self, identity: str, reason: str, now: datetime) -> None:
        """It is dead until somebody retries it."""
        self._change(identity, last_error=reason[:_REASON_CHARACTERS], dead=now, **_LET_GO)

    def release(self, holder: str) -> int:
        """Free what an earlier life of this worker held; returns how many."""
        return int(
            self._connection.execute(
                sa.update(notification)
                .where(notification.c.held_by == holder, _WAITING)
                .values(_LET_GO)
            ).rowcount
        )

    def retry(self, identity: str) -> bool:
        """Try an undelivered notice again at once; False if there is none with this id."""
        return bool(
            self._connection.execute(
                sa.update(notification)
                .where(notification.c.id == identity, notification.c.delivered.is_(None))
                .values(dead=None, due=None, attempts=0)
            ).rowcount
        )

    def undelivered(self, *, dead_only: bool = False) -> list[Notification]:
        """Notices that wait or are dead, oldest first."""
        condition = notification.c.dead.is_not(None) if dead_only else sa.true()
        return self._select(notification.c.delivered.is_(None) & condition)

    def find(self, identity: str) -> Notification | None:
        """The notice with this id."""
        return next(iter(self._select(notification.c.id == identity)), None)

    def backlog(self) -> Backlog:
        """How much waits, fails and is dead."""
        waiting = sa.case((notification.c.dead.is_(None), 1), else_=0)
        failing = sa.case(
            (notification.c.dead.is_(None) & notification.c.last_error.is_not(None), 1), else_=0
        )
        row = self._connection.execute(
            sa.select(
                sa.func.coalesce(sa.func.sum(waiting), 0),
                sa.func.coalesce(sa.func.sum(failing), 0),
                sa.func.count(notification.c.dead),
                sa.func.min(
                    sa.case((notification.c.dead.is_(None), notification.c.created)),
                    type_=notification.c.created.type,
                ),
            ).where(notification.c.delivered.is_(None))
        ).one()
        return Backlog(*row)

    def _change(self, identity: str, **values: Any) -> None:
        # What another worker has delivered meanwhile stays delivered.
        self._connection.execute(
            sa.update(notification)
            .where(notification.c.id == identity, notification.c.delivered.is_(None))
            .values(values)
        )

    def _select(self, condition: Any) -> list[Notification]:
        rows = self._connection.execute(
            sa.select(*(notification.c[name] for name in _FIELDS))
            .where(condition)
            .order_by(notification.c.created, notification.c.id)
        )
        return [Notification(**row) for row in rows.mappings()]


_FIELDS = tuple(field.name for field in dataclasses.fields(Notification))
_LET_GO = {"held_by": None, "held_until": None}
_WAITING = notification.c.delivered.is_(None) & notification.c.dead.is_(None)


def _due(now: datetime) -> Any:
    due = notification.c.due
    return due.is_(None) | (due <= now) | (due > now + LONGEST_WAIT)


def _free(now: datetime) -> Any:
    until = notification.c.held_until
    return until.is_(None) | (until <= now) | (until > now + LEASE)
