"""What staff do with hand-off records: claims, attempts, notes, closings.

A claim is a lease. Whoever holds it may change the record; every change says so in its
WHERE clause, so that two people who click at once cannot both win.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import casework, casework_entry, handoff, handoff_conversation, staff
from bot.store.vault import vault_of

LEASE = timedelta(minutes=15)
NEW, CLOSING, CLOSED, ATTEMPTED = "new", "closing", "closed", "attempted"

# Kinds of entries.
ATTEMPT = "attempt"
NOTE = "note"
TEXTED = "texted"
HANDED_OVER = "handed_over"
CLOSE = "close"
CLOSE_ASKED = "close_asked"
CLOSE_AGREED = "close_agreed"
CLOSE_REFUSED = "close_refused"


@dataclasses.dataclass(frozen=True)
class Case:
    """Where staff stand with one record; the columns of `casework`.

    Attributes:
        status: a member of `bot.console.moves.STATUSES`.
        claimed_by, claimed_until: staff number, and the end of the lease.
        next_try: when a coordinator means to call.
        new_message: when the visitor wrote again, if nobody has looked since.
        first_attempt: the first time that somebody tried to reach the visitor.
        disposition: how it ended, or is asked to end.
        closing_by: staff number of who asked for the second person.
    """

    status: str = NEW
    claimed_by: int | None = None
    claimed_until: datetime | None = None
    next_try: datetime | None = None
    new_message: datetime | None = None
    first_attempt: datetime | None = None
    disposition: str | None = None
    closing_by: int | None = None
    closed: datetime | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """Something that a member of staff did or noted.

    Attributes:
        reference: the code under which it was done.
    """

    reference: str
    by: str
    kind: str
    detail: str | None
    note: str | None
    at: datetime


@dataclasses.dataclass(frozen=True)
class Listed:
    """A record as the queue lists it: nothing that is encrypted."""

    reference: str
    conversation: str
    clinic: str
    channel: str
    kind: str
    language: str
    tier: str
    danger: str | None
    level: str | None
    at_least: str | None
    has_contact: bool
    created: datetime
    case: Case


class Casework:
    """Claims, and what is done under them.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    # --- reading ---------------------------------------------------------------------------

    def listed(self, clinics: Sequence[str], *, closed: bool = False) -> list[Listed]:
        """The open (or the closed) records of these clinics, in no order."""
        status = sa.func.coalesce(casework.c.status, NEW)
        return self._listed(
            handoff.c.clinic.in_(list(clinics)),
            status == CLOSED if closed else status != CLOSED,
        )

    def named(self, references: Iterable[str], clinics: Sequence[str]) -> list[Listed]:
        """Those of `references` that belong to these clinics, open or closed."""
        return self._listed(
            handoff.c.clinic.in_(list(clinics)), handoff.c.reference.in_(list(references))
        )

    def with_phone(self, e164: str, clinics: Sequence[str]) -> list[str]:
        """Codes of the records of these clinics that have this phone number."""
        vault, column = vault_of(self._connection), handoff.c.phone_hash
        hashes = [mine for clinic in clinics for mine in vault.blinds(column, e164, clinic)]
        return list(
            self._connection.execute(
                sa.select(handoff.c.reference)
                .where(handoff.c.clinic.in_(list(clinics)))
                .where(column.in_(hashes))
            ).scalars()
        )

    def entries(self, reference: str) -> list[Entry]:
        """What staff did, oldest first, also under codes that go on as this one."""
        merged = sa.select(handoff.c.reference).where(handoff.c.merged_into == reference)
        rows = self._connection.execute(
            sa.select(casework_entry, staff.c.full_name)
            .join(staff, staff.c.id == casework_entry.c.staff)
            .where(
                sa.or_(
                    casework_entry.c.reference == reference, casework_entry.c.reference.in_(merged)
                )
            )
            .order_by(casework_entry.c.at, casework_entry.c.reference, casework_entry.c.seq)
        ).mappings()
        vault = vault_of(self._connection)
        plain = [vault.open(casework_entry, row) for row in rows]
        return [
            Entry(
                row["reference"],
                row["full_name"],
                row["kind"],
                row["detail"],
                row["note"],
                row["at"],
            )
            for row in plain
        ]

    # --- claims ----------------------------------------------------------------------------

    def claim(self, reference: str, member: int, now: datetime) -> bool:
        """Take the record for `LEASE`, or prolong one's lease; False: somebody else has it."""
        self._begin(reference)
        return self._change(
            reference,
            casework.c.status != CLOSED,
            self._free_for(member, now),
            claimed_by=member,
            claimed_until=now + LEASE,
        )

    def renew(self, reference: str, member: int, now: datetime) -> bool:
        """Prolong a lease that `member` holds; False: they do not hold it."""
        return self._change(
            reference,
            casework.c.claimed_by == member,
            casework.c.claimed_until > now,
            claimed_until=now + LEASE,
        )

    def release(self, reference: str, member: int) -> bool:
        """Give the record free; False: `member` does not have it."""
        return self._change(reference, casework.c.claimed_by == member, **_NOBODY)

    def hand_over(self, reference: str, member: int, to: int, now: datetime) -> bool:
        """`to` has the record now; False: `member` does not hold it."""
        return self._change(
            reference,
            casework.c.claimed_by == member,
            casework.c.claimed_until > now,
            claimed_by=to,
            claimed_until=now + LEASE,
        )

    # --- changes under a claim ----------------------------------------------------------------

    def change(
        self,
        reference: str,
        member: int,
        now: datetime,
        *,
        was: str,
        **values: Any,
    ) -> bool:
        """Set columns of a record that `member` holds and that stands at `was`.

        Returns:
            False, and nothing is changed: the lease has passed to somebody else, or the
            record has moved on meanwhile.
        """
        return self._change(
            reference,
            casework.c.status == was,
            casework.c.claimed_by == member,
            casework.c.claimed_until > now,
            **{"claimed_until": now + LEASE, **values},
        )

    def settle_closing(self, reference: str, member: int, now: datetime, *, agreed: bool) -> bool:
        """The second person's word; False: nobody asks, or `member` asked themselves."""
        values: dict[str, Any]
        if agreed:
            values = {"status": CLOSED, "closed": now, "next_try": None, **_NOBODY}
        else:
            values = {"status": ATTEMPTED, "disposition": None, "closing_by": None}
        return self._change(
            reference,
            casework.c.status == CLOSING,
            casework.c.closing_by != member,
            **values,
        )

    def write(
        self,
        reference: str,
        member: int,
        now: datetime,
        kind: str,
        detail: str | None = None,
        note: str | None = None,
    ) -> None:
        """Add an entry; the note is encrypted."""
        last = self._connection.execute(
            sa.select(sa.func.max(casework_entry.c.seq)).where(
                casework_entry.c.reference == reference
            )
        ).scalar_one()
        row = {
            "reference": reference,
            "seq": int(last or 0) + 1,
            "staff": member,
            "kind": kind,
            "detail": detail,
            "note": note or None,
            "at": now,
        }
        self._connection.execute(
            sa.insert(casework_entry).values(vault_of(self._connection).seal(casework_entry, row))
        )

    def seen(self, reference: str) -> None:
        """Somebody who works on the record has looked: its new message is no longer new."""
        self._change(reference, new_message=None)

    # --- what the visitor does -----------------------------------------------------------------

    def visitor_wrote(self, conversation: str, now: datetime) -> None:
        """A new message: an open record is marked, a closed or closing one opened again."""
        if self._connection.execute(_MINE, {"which": conversation}).first() is None:
            return  # nobody is asked to act, as in most conversations
        self._connection.execute(_VISITOR_WROTE, {"which": conversation, "now": now})

    # --- inside -----------------------------------------------------------------------------

    def _listed(self, *conditions: Any) -> list[Listed]:
        rows = self._connection.execute(
            sa.select(
                *(handoff.c[name] for name in _PLAIN),
                handoff.c.phone.is_not(None).label("has_contact"),
                *(casework.c[field.name] for field in dataclasses.fields(Case)),
            )
            .select_from(handoff.outerjoin(casework, casework.c.reference == handoff.c.reference))
            .where(handoff.c.merged_into.is_(None))
            .where(*conditions)
        )
        return [
            Listed(
                reference=row.reference,
                conversation=row.conversation,
                clinic=row.clinic,
                channel=row.channel,
                kind=row.kind,
                language=row.language,
                tier=row.tier,
                danger=row.safety_category,
                level=row.level,
                at_least=row.at_least,
                has_contact=bool(row.has_contact),
                created=row.created,
                case=Case() if row.status is None else _case(row),
            )
            for row in rows
        ]

    def _begin(self, reference: str) -> None:
        insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        self._connection.execute(
            insert[self._connection.dialect.name](casework)
            .values(reference=reference, status=NEW)
            .on_conflict_do_nothing()
        )

    @staticmethod
    def _free_for(member: int, now: datetime) -> Any:
        return sa.or_(
            casework.c.claimed_by.is_(None),
            casework.c.claimed_by == member,
            casework.c.claimed_until <= now,
        )

    def _change(self, reference: str, *conditions: Any, **values: Any) -> bool:
        changed = self._connection.execute(
            sa.update(casework).where(casework.c.reference == reference, *conditions).values(values)
        )
        return bool(changed.rowcount)


_NOBODY = {"claimed_by": None, "claimed_until": None}
_PLAIN = (
    *("reference", "conversation", "clinic", "channel", "kind", "language", "tier"),
    *("safety_category", "level", "at_least", "created"),
)


def _case(row: sa.engine.Row) -> Case:
    return Case(**{field.name: getattr(row, field.name) for field in dataclasses.fields(Case)})


_MINE = sa.select(handoff_conversation.c.reference).where(
    handoff_conversation.c.conversation == sa.bindparam("which")
)
_reopened = sa.or_(casework.c.status == CLOSED, casework.c.status == CLOSING)
_VISITOR_WROTE = (
    sa.update(casework)
    .where(casework.c.reference.in_(_MINE))
    .values(
        status=sa.case(
            {CLOSED: NEW, CLOSING: ATTEMPTED}, value=casework.c.status, else_=casework.c.status
        ),
        new_message=sa.bindparam("now", type_=casework.c.new_message.type),
        **{
            name: sa.case((_reopened, None), else_=casework.c[name])
            for name in ("disposition", "closing_by", "closed", "next_try")
        },
    )
)
