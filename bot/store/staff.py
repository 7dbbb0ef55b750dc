"""Staff of the console: who they are, their sessions, and failed logins."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import login_failure, staff, staff_session


@dataclasses.dataclass(frozen=True)
class Member:
    """A member of staff.

    Attributes:
        id: number in the database.
        name: login name, small letters.
        full_name: as colleagues know the person.
        role: a member of `bot.vocabulary.ROLES`.
        clinics: clinic ids whose records the person may see.
        password_hash: argon2, with its parameters.
        disabled: since when the person may not log in; None if they may.
    """

    id: int
    name: str
    full_name: str
    role: str
    clinics: tuple[str, ...]
    password_hash: str
    disabled: datetime | None


@dataclasses.dataclass(frozen=True)
class Session:
    """Somebody who is logged in.

    Attributes:
        member: who.
        created: when they logged in.
        seen: the last thing they did.
    """

    member: Member
    created: datetime
    seen: datetime


class Staff:
    """The members of staff.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(
        self,
        *,
        name: str,
        full_name: str,
        role: str,
        clinics: Sequence[str],
        password_hash: str,
        now: datetime,
    ) -> int:
        """Store a new member, returns the number; raises Conflict if the name is taken."""
        result = self._connection.execute(
            sa.insert(staff).values(
                name=name,
                full_name=full_name,
                role=role,
                clinics=list(clinics),
                password_hash=password_hash,
                created=now,
            )
        )
        return int(result.inserted_primary_key[0])

    def find(self, name: str) -> Member | None:
        """The member with this login name; None if there is none."""
        row = self._connection.execute(sa.select(staff).where(staff.c.name == name)).first()
        return None if row is None else _member(row)

    def all(self) -> list[Member]:
        """Every member, also those who are disabled, by name."""
        return [_member(row) for row in self._connection.execute(_BY_NAME)]

    def set_password(self, member: int, password_hash: str) -> None:
        """Change the password; ends every session of the member."""
        self._change(member, password_hash=password_hash)
        Sessions(self._connection).end_all(member)

    def rehash(self, member: int, password_hash: str) -> None:
        """The same password, hashed with newer parameters."""
        self._change(member, password_hash=password_hash)

    def disable(self, member: int, now: datetime) -> None:
        """Keep the member out from now on; ends every session."""
        self._change(member, disabled=now)
        Sessions(self._connection).end_all(member)

    def enable(self, member: int) -> None:
        """Let the member in again."""
        self._change(member, disabled=None)

    def _change(self, member: int, **values: object) -> None:
        self._connection.execute(sa.update(staff).where(staff.c.id == member).values(**values))


class Sessions:
    """Who is logged in; tokens are stored as hashes only."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def begin(self, token: str, member: int, now: datetime) -> None:
        """`member` has logged in and holds `token`."""
        self._connection.execute(
            sa.insert(staff_session).values(
                token_hash=_digest(token), staff=member, created=now, seen=now
            )
        )

    def find(self, token: str) -> Session | None:
        """The session of `token`, however old; None if it has ended or never was."""
        row = self._connection.execute(
            sa.select(
                staff,
                staff_session.c.created.label("session_created"),
                staff_session.c.seen,
            )
            .select_from(staff_session.join(staff))
            .where(staff_session.c.token_hash == _digest(token))
        ).first()
        return None if row is None else Session(_member(row), row.session_created, row.seen)

    def touch(self, token: str, now: datetime) -> None:
        """The person did something at `now`."""
        self._connection.execute(
            sa.update(staff_session)
            .where(staff_session.c.token_hash == _digest(token))
            .values(seen=now)
        )

    def end(self, token: str) -> None:
        """Log out."""
        self._connection.execute(
            sa.delete(staff_session).where(staff_session.c.token_hash == _digest(token))
        )

    def end_all(self, member: int) -> None:
        """Log `member` out everywhere."""
        self._connection.execute(sa.delete(staff_session).where(staff_session.c.staff == member))

    def end_unused_since(self, before: datetime) -> None:
        """Forget sessions in which nothing was done since `before`."""
        self._connection.execute(sa.delete(staff_session).where(staff_session.c.seen < before))


class LoginFailures:
    """Failed logins in a row, per login name and per address."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def of(self, subject: str) -> tuple[int, datetime] | None:
        """How many there were and when the last was; None if there were none."""
        row = self._connection.execute(
            sa.select(login_failure).where(login_failure.c.subject == _digest(subject))
        ).first()
        return None if row is None else (row.count, row.last)

    def add(self, subject: str, now: datetime) -> None:
        """One more."""
        insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        statement = insert[self._connection.dialect.name](login_failure).values(
            subject=_digest(subject), count=1, last=now
        )
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["subject"],
                set_={"count": login_failure.c.count + 1, "last": now},
            )
        )

    def clear(self, subject: str) -> None:
        """The login worked."""
        self._connection.execute(
            sa.delete(login_failure).where(login_failure.c.subject == _digest(subject))
        )


_BY_NAME = sa.select(staff).order_by(staff.c.name)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _member(row: sa.engine.Row) -> Member:
    return Member(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=row.role,
        clinics=tuple(row.clinics),
        password_hash=row.password_hash,
        disabled=row.disabled,
    )
