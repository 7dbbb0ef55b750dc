"""Texts that go out; a worker leases them, in order within a number (`bot.worker.texts`)."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.sms.delivery import LATE, NOT_DELIVERED, moves_on, reason_of
from bot.store.sms_contacts import OPTED_OUT, Contact, SmsContacts
from bot.store.tables import sms_contact, sms_inbox, sms_outbox
from bot.store.vault import vault_of

LEASE = timedelta(minutes=2)
"""How long a worker has for the texts that it took."""

# Kinds of texts that go out.
REPLY = "reply"  # to a text that just came
CONFIRMATION = "confirmation"  # of an opt-out: the one text that may follow it
CRISIS = "crisis"  # crisis lines, which an opted-out number gets too
STAFF = "staff"  # a person at the clinic wrote it
HELP_ASKED = "help"  # the answer to HELP, which everybody gets

EVEN_OPTED_OUT = (CONFIRMATION, CRISIS, HELP_ASKED)

_REASON_CHARACTERS = 300
_LOST_SHOWN = 5
_LET_GO = {"held_by": None, "held_until": None}
_WAITING = sms_outbox.c.sent.is_(None) & sms_outbox.c.dead.is_(None)
_NOT_WANTED = "no texts are wanted any more"
_LOST = sms_outbox.c.status.in_(NOT_DELIVERED) | (
    sms_outbox.c.dead.is_not(None) & (sms_outbox.c.last_error != _NOT_WANTED)
)


@dataclasses.dataclass(frozen=True)
class Text:
    """A text to send, as it is written: `key` names it, `due` None means at once."""

    key: str
    kind: str
    text: str
    due: datetime | None = None


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """A text in the outbox, leased to a worker.

    Attributes:
        id: our own; the provider names it when it tells what became of the text.
        attempts: how often it was tried, the present time included.
    """

    id: str
    kind: str
    text: str
    created: datetime
    attempts: int
    contact: Contact


@dataclasses.dataclass(frozen=True)
class Lost:
    """A text that did not arrive: its kind, when it was written, and why."""

    kind: str
    at: datetime
    reason: str


@dataclasses.dataclass(frozen=True)
class Backlog:
    """How texting stands.

    Attributes:
        unanswered: texts that came in and are not answered.
        waiting: texts that should have gone out and have not.
        failing: those of them that were tried.
        late: those of them that have waited too long.
        lost: texts that will never arrive.
        oldest: when the one that waits longest was written.
    """

    unanswered: int
    waiting: int
    failing: int
    late: int
    lost: int
    oldest: datetime | None


class SmsOutbox:
    """Texts that go out.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, conversation: str, text: Text, now: datetime) -> bool:
        """Keep a text to send; False if its key is here already."""
        known = sa.select(sms_outbox.c.seq).where(sms_outbox.c.key == text.key)
        if self._connection.execute(known).first() is not None:
            return False
        row = {
            "id": uuid.uuid4().hex,
            "key": text.key,
            "contact": conversation,
            "kind": text.kind,
            "text": text.text,
            "created": now,
            "due": text.due,
            "attempts": 0,
        }
        self._connection.execute(
            sa.insert(sms_outbox).values(vault_of(self._connection).seal(sms_outbox, row))
        )
        return True

    def cancel(self, conversation: str, now: datetime) -> None:
        """No texts are wanted: what waits for this number is not sent any more."""
        self._connection.execute(
            sa.update(sms_outbox)
            .where(sms_outbox.c.contact == conversation, _WAITING)
            .where(sms_outbox.c.kind.not_in(EVEN_OPTED_OUT))
            .values(dead=now, last_error=_NOT_WANTED, text=None)
        )

    def anything_due(self, now: datetime) -> bool:
        """Whether `take` would find something."""
        return self._connection.execute(self._due(now).limit(1)).first() is not None

    def take(self, holder: str, now: datetime, limit: int) -> list[Outgoing]:
        """Lease up to `limit` texts that are due, one for each number, crisis help first.

        Args:
            holder: names the worker; other workers pass over what it has.
        """
        query = self._due(now).order_by(sms_outbox.c.kind != CRISIS, sms_outbox.c.seq).limit(limit)
        seqs = list(
            self._connection.execute(
                query.with_for_update(skip_locked=True, of=sms_outbox)
            ).scalars()
        )
        self._connection.execute(
            sa.update(sms_outbox)
            .where(sms_outbox.c.seq.in_(seqs))
            .values(held_by=holder, held_until=now + LEASE, attempts=sms_outbox.c.attempts + 1)
        )
        rows = self._connection.execute(
            sa.select(sms_outbox).where(sms_outbox.c.seq.in_(seqs)).order_by(sms_outbox.c.seq)
        ).mappings()
        return [self._outgoing(row) for row in rows]

    def sent(self, text: Outgoing, sid: str, status: str, now: datetime) -> None:
        """The provider has it; what it told of it meanwhile is kept."""
        self._change(
            text.id,
            sid=sid,
            status=sa.func.coalesce(sms_outbox.c.status, status),
            sent=now,
            text=None,
            last_error=None,
            **_LET_GO,
        )

    def failed(self, text: Outgoing, reason: str, due: datetime) -> None:
        """It was not sent and is tried again at `due`."""
        self._change(text.id, last_error=reason[:_REASON_CHARACTERS], due=due, **_LET_GO)

    def give_up(self, text: Outgoing, reason: str, now: datetime) -> None:
        """It will never be sent."""
        reason = reason[:_REASON_CHARACTERS]
        self._change(text.id, last_error=reason, dead=now, text=None, **_LET_GO)

    def release(self, holder: str) -> int:
        """Free what this worker held; returns how many."""
        return int(
            self._connection.execute(
                sa.update(sms_outbox)
                .where(sms_outbox.c.held_by == holder, _WAITING)
                .values(_LET_GO)
            ).rowcount
        )

    def told(self, identity: str, status: str, code: str | None) -> tuple[str, str] | None:
        """The provider says where a text is; gives its conversation and kind if that is news."""
        row = self._connection.execute(
            sa.select(sms_outbox.c.status, sms_outbox.c.contact, sms_outbox.c.kind)
            .where(sms_outbox.c.id == identity)
            .with_for_update()
        ).one_or_none()
        if row is None or not moves_on(row.status, status):
            return None
        self._change(identity, status=status, error_code=code)
        return str(row.contact), str(row.kind)

    def lost(self, conversation: str) -> list[Lost]:
        """The latest texts to this number that did not arrive, oldest first."""
        row = sms_outbox.c
        rows = self._connection.execute(
            sa.select(row.kind, row.created, row.last_error, row.error_code)
            .where(row.contact == conversation, _LOST)
            .order_by(row.seq.desc())
            .limit(_LOST_SHOWN)
        ).all()
        return [
            Lost(each.kind, each.created, each.last_error or reason_of(each.error_code or "?"))
            for each in reversed(rows)
        ]

    def backlog(self, now: datetime) -> Backlog:
        """How texting stands; texts that are held for the day do not wait yet."""
        row = sms_outbox.c
        waits = _WAITING & (row.due.is_(None) | (row.due <= now) | (row.attempts > 0))
        since = sa.case((row.attempts == 0, sa.func.coalesce(row.due, row.created)))

        def count(condition: Any) -> Any:
            return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)

        found = self._connection.execute(
            sa.select(
                count(waits),
                count(waits & row.last_error.is_not(None)),
                count(waits & (sa.func.coalesce(since, row.created) < now - LATE)),
                count(_LOST),
                sa.func.min(sa.case((waits, row.created)), type_=row.created.type),
            ).where(_WAITING | _LOST)
        ).one()
        unanswered = self._connection.execute(
            sa.select(sa.func.count()).select_from(sms_inbox).where(sms_inbox.c.done.is_(None))
        ).scalar_one()
        return Backlog(int(unanswered), *found)

    def written_since(self, conversation: str, moment: datetime, kind: str | None = None) -> int:
        """How many texts, or texts of this kind, were written to this number since `moment`."""
        wanted = sa.true() if kind is None else sms_outbox.c.kind == kind
        return int(
            self._connection.execute(
                sa.select(sa.func.count())
                .select_from(sms_outbox)
                .where(sms_outbox.c.contact == conversation, sms_outbox.c.created > moment, wanted)
            ).scalar_one()
        )

    def _due(self, now: datetime) -> Any:
        earlier, wanted = sms_outbox.alias(), sms_contact.c.opted_out.is_(None)
        # A reply does not wait behind a text that is held back for the night.
        blocked = sa.exists().where(
            earlier.c.contact == sms_outbox.c.contact,
            earlier.c.seq < sms_outbox.c.seq,
            (earlier.c.kind != STAFF)
            | (sms_outbox.c.kind == STAFF)
            | earlier.c.due.is_(None)
            | (earlier.c.due <= now),
            earlier.c.sent.is_(None),
            earlier.c.dead.is_(None),
        )
        due, until = sms_outbox.c.due, sms_outbox.c.held_until
        return (
            sa.select(sms_outbox.c.seq)
            .join(sms_contact, sms_contact.c.conversation == sms_outbox.c.contact)
            .where(_WAITING, due.is_(None) | (due <= now), until.is_(None) | (until <= now))
            .where(wanted | sms_outbox.c.kind.in_(EVEN_OPTED_OUT), ~blocked)
        )

    def _outgoing(self, row: Any) -> Outgoing:
        plain = vault_of(self._connection).open(sms_outbox, row)
        contact = SmsContacts(self._connection).find(plain["contact"])
        if contact is None:
            raise AssertionError("the foreign key keeps a text's contact")
        return Outgoing(
            id=plain["id"],
            kind=plain["kind"],
            text=plain["text"],
            created=plain["created"],
            attempts=plain["attempts"],
            contact=contact,
        )

    def _change(self, identity: str, **values: Any) -> None:
        self._connection.execute(
            sa.update(sms_outbox).where(sms_outbox.c.id == identity).values(values)
        )


def opted_out(db: sa.engine.Connection, conversation: str, code: str, now: datetime) -> None:
    """The provider says that the number wants no texts: nothing goes to it any more."""
    contacts = SmsContacts(db)
    contact = contacts.find(conversation)
    if contact is None or contact.opted_out is not None:
        return
    contacts.change(conversation, now, opted_out=now)
    contacts.consent(conversation, OPTED_OUT, "provider", f"Twilio {code}", now)
    SmsOutbox(db).cancel(conversation, now)
