"""What is kept of texting: numbers, texts that came in, texts that go out, consent.

A text that came in is committed before it is acknowledged, and stays in the inbox until
what it causes is in the outbox: a crash loses nothing. What goes out is leased by a
worker, in order within a number; see `bot.worker.texts`.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.sms.delivery import LATE, NOT_DELIVERED, moves_on, reason_of
from bot.store.errors import Conflict
from bot.store.tables import conversation as conversation_table
from bot.store.tables import sms_consent, sms_contact, sms_inbox, sms_outbox
from bot.store.vault import vault_of

LEASE = timedelta(minutes=2)
"""How long a worker has for the texts that it took."""

INBOX_LEASE = timedelta(seconds=20)
"""How long a gateway has for one text of a number: longer than a turn can take."""

# Kinds of texts that go out.
REPLY = "reply"  # to a text that just came
CONFIRMATION = "confirmation"  # of an opt-out: the one text that may follow it
CRISIS = "crisis"  # crisis lines, which an opted-out number gets too
STAFF = "staff"  # a person at the clinic wrote it

HELP_ASKED = "help"  # the answer to HELP, which everybody gets

EVEN_OPTED_OUT = (CONFIRMATION, CRISIS, HELP_ASKED)

# Kinds of consent.
WROTE_FIRST = "wrote_first"
OPTED_OUT = "opted_out"
OPTED_IN = "opted_in"
AGREED = "agreed"  # to texts, before any text came: on the web

_ID_CHARACTERS = 32
_REASON_CHARACTERS = 300


@dataclasses.dataclass(frozen=True)
class Contact:
    """A number that texts with a clinic; `conversation` is its conversation's id.

    Attributes:
        number: E.164.
        introduced: when it was told who we are.
        opted_out: since when it wants no texts.
        crisis_answered: when its last danger was answered though it had opted out.
        in_charge_until: until then a person answers, unless they write again.
    """

    conversation: str
    clinic: str
    number: str
    introduced: datetime | None
    opted_out: datetime | None
    crisis_answered: datetime | None
    in_charge_until: datetime | None
    created: datetime


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A text as the provider hands it in.

    Attributes:
        sid: the provider's id of the text.
        idempotency: its id of the delivery, the same for a repeated one.
        sender: the number it comes from.
        media, opt_out_type: as in `Received`.
        at: when it came.
    """

    sid: str
    idempotency: str | None
    sender: str
    clinic: str
    text: str
    media: int
    opt_out_type: str | None
    at: datetime


@dataclasses.dataclass(frozen=True)
class Received:
    """A text that came in, and whose it is.

    Attributes:
        media: how many pictures came with it.
        opt_out_type: "STOP", "START" or "HELP" if the provider has dealt with it.
        has_conversation: whether there is one to keep the answer in.
    """

    id: int
    sid: str
    text: str
    media: int
    opt_out_type: str | None
    at: datetime
    contact: Contact
    has_conversation: bool


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


class SmsContacts:
    """Who texts with which clinic.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def with_number(self, number: str, clinic: str) -> Contact | None:
        """The contact with this number at this clinic, or None."""
        column = sms_contact.c.number_hash
        hashes = vault_of(self._connection).blinds(column, number, clinic)
        return self._find(column.in_(hashes))

    def find(self, conversation: str) -> Contact | None:
        """The contact that has this conversation, or None."""
        return self._find(sms_contact.c.conversation == conversation)

    def meet(self, people: Iterable[tuple[str, str]], now: datetime) -> dict[tuple[str, str], str]:
        """The conversations of these (number, clinic), new ones for those who are new."""
        vault, column = vault_of(self._connection), sms_contact.c.number_hash
        hashes = {each: vault.blinds(column, *each) for each in set(people)}
        known = dict(
            self._connection.execute(
                sa.select(column, sms_contact.c.conversation).where(
                    column.in_([one for several in hashes.values() for one in several])
                )
            ).all()
        )
        met, new = {}, []
        for (number, clinic), several in hashes.items():
            found = next((known[each] for each in several if each in known), None)
            if found is None:
                keyed = vault.blind(column, number, clinic).partition(".")[2]
                found = f"{clinic}.{keyed[:_ID_CHARACTERS]}"
                row = {
                    "conversation": found,
                    "clinic": clinic,
                    "number": number,
                    "created": now,
                    "updated": now,
                }
                new.append(vault.seal(sms_contact, row))
            met[number, clinic] = found
        if new:
            self._connection.execute(sa.insert(sms_contact), new)
        return met

    def change(self, conversation: str, now: datetime, **values: Any) -> None:
        """Set columns of a contact."""
        self._connection.execute(
            sa.update(sms_contact)
            .where(sms_contact.c.conversation == conversation)
            .values(updated=now, **values)
        )

    def consent(
        self, conversation: str, kind: str, source: str, wording: str, at: datetime
    ) -> None:
        """Write into the ledger who agreed, or took it back, how and in which words."""
        last = self._connection.execute(
            sa.select(sa.func.max(sms_consent.c.seq)).where(sms_consent.c.contact == conversation)
        ).scalar_one()
        row = {
            "contact": conversation,
            "seq": int(last or 0) + 1,
            "kind": kind,
            "source": source,
            "wording": wording,
            "at": at,
        }
        self._connection.execute(
            sa.insert(sms_consent).values(vault_of(self._connection).seal(sms_consent, row))
        )

    def ledger(self, conversation: str) -> list[tuple[str, str, str, datetime]]:
        """Kind, source, wording and time of every entry, oldest first."""
        rows = self._connection.execute(
            sa.select(sms_consent)
            .where(sms_consent.c.contact == conversation)
            .order_by(sms_consent.c.seq)
        ).mappings()
        plain = [vault_of(self._connection).open(sms_consent, row) for row in rows]
        return [(row["kind"], row["source"], row["wording"], row["at"]) for row in plain]

    def _find(self, condition: Any) -> Contact | None:
        row = self._connection.execute(sa.select(sms_contact).where(condition)).one_or_none()
        return None if row is None else _contact(self._connection, row._mapping)


class SmsInbox:
    """Texts that came in."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, arrivals: Sequence[Arrival], now: datetime) -> list[str]:
        """Keep these texts, in this order; what is here already counts once.

        Returns:
            The conversation of each.
        """
        met = SmsContacts(self._connection).meet(((a.sender, a.clinic) for a in arrivals), now)
        sids, deliveries = self._known(arrivals)
        rows = []
        for each in arrivals:
            if each.sid in sids or each.idempotency in deliveries:
                continue
            sids.add(each.sid)
            if each.idempotency is not None:
                deliveries.add(each.idempotency)
            row = {
                "sid": each.sid,
                "idempotency": each.idempotency,
                "contact": met[each.sender, each.clinic],
                "text": each.text,
                "media": each.media,
                "opt_out_type": each.opt_out_type,
                "at": each.at,
            }
            rows.append(vault_of(self._connection).seal(sms_inbox, row))
        if rows:
            self._connection.execute(sa.insert(sms_inbox), rows)
        return [met[each.sender, each.clinic] for each in arrivals]

    def _known(self, arrivals: Sequence[Arrival]) -> tuple[set[str], set[str]]:
        """Which ids of these texts and of their deliveries are here already."""
        sid, delivery = sms_inbox.c.sid, sms_inbox.c.idempotency
        rows = self._connection.execute(
            sa.select(sid, delivery).where(
                sid.in_([each.sid for each in arrivals])
                | delivery.in_([each.idempotency for each in arrivals if each.idempotency])
            )
        ).all()
        return {row.sid for row in rows}, {row.idempotency for row in rows if row.idempotency}

    def take(self, conversation: str, holder: str, now: datetime) -> Received | None:
        """Lease a number and give its oldest text that is not answered yet.

        None, and no lease, if nothing waits or if another gateway is at work on this
        number. The row of the number is locked first: a text that another gateway commits
        meanwhile is seen here, or that gateway finds the number free.

        Args:
            holder: names the gateway; its own lease is renewed.
        """
        number = sms_contact.c
        until = number.held_until
        free = until.is_(None) | (until <= now) | (until > now + INBOX_LEASE)
        leased = self._connection.execute(
            sa.update(sms_contact)
            .where(number.conversation == conversation, free | (number.held_by == holder))
            .values(held_by=holder, held_until=now + INBOX_LEASE)
        )
        if not leased.rowcount:
            return None
        received = self._oldest(conversation)
        if received is None:
            self.release(holder, conversation)
        return received

    def release(self, holder: str, conversation: str | None = None) -> None:
        """Free this number, or all that this gateway holds."""
        mine = sms_contact.c.held_by == holder
        if conversation is not None:
            mine &= sms_contact.c.conversation == conversation
        self._connection.execute(sa.update(sms_contact).where(mine).values(_LET_GO))

    def _oldest(self, conversation: str) -> Received | None:
        row = self._connection.execute(
            sa.select(sms_inbox)
            .where(sms_inbox.c.contact == conversation, sms_inbox.c.done.is_(None))
            .order_by(sms_inbox.c.id)
            .limit(1)
        ).one_or_none()
        if row is None:
            return None
        plain = vault_of(self._connection).open(sms_inbox, row._mapping)
        contact = SmsContacts(self._connection).find(conversation)
        if contact is None:
            raise AssertionError("the foreign key keeps a text's contact")
        return Received(
            id=plain["id"],
            sid=plain["sid"],
            text=plain["text"] or "",
            media=plain["media"],
            opt_out_type=plain["opt_out_type"],
            at=plain["at"],
            contact=contact,
            has_conversation=self._connection.execute(
                sa.select(conversation_table.c.id).where(conversation_table.c.id == conversation)
            ).first()
            is not None,
        )

    def answered(self, sids: Sequence[str]) -> set[str]:
        """Which of these texts are answered."""
        rows = self._connection.execute(
            sa.select(sms_inbox.c.sid).where(
                sms_inbox.c.sid.in_(list(sids)), sms_inbox.c.done.is_not(None)
            )
        )
        return set(rows.scalars())

    def waiting(self, holder: str, now: datetime) -> list[str]:
        """The conversations with unanswered texts on which no other gateway works."""
        until, mine = sms_contact.c.held_until, sms_contact.c.held_by == holder
        rows = self._connection.execute(
            sa.select(sms_contact.c.conversation)
            .join(sms_inbox, sms_inbox.c.contact == sms_contact.c.conversation)
            .where(sms_inbox.c.done.is_(None))
            .where(mine | until.is_(None) | (until <= now) | (until > now + INBOX_LEASE))
            .distinct()
        )
        return list(rows.scalars())

    def done(self, received: Received, holder: str, now: datetime) -> None:
        """It is answered: the transcript has its words.

        Raises:
            Conflict: the lease ran out, and the text is another gateway's now.
        """
        held = sa.exists().where(
            sms_contact.c.conversation == sms_inbox.c.contact, sms_contact.c.held_by == holder
        )
        answered = self._connection.execute(
            sa.update(sms_inbox)
            .where(sms_inbox.c.id == received.id, sms_inbox.c.done.is_(None), held)
            .values(done=now, text=None)
        )
        if not answered.rowcount:
            raise Conflict("another gateway has taken this text over")


class SmsOutbox:
    """Texts that go out."""

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


def _contact(connection: sa.engine.Connection, row: Any) -> Contact:
    plain = vault_of(connection).open(sms_contact, row)
    return Contact(**{field.name: plain[field.name] for field in dataclasses.fields(Contact)})


_LET_GO = {"held_by": None, "held_until": None}
_WAITING = sms_outbox.c.sent.is_(None) & sms_outbox.c.dead.is_(None)
_NOT_WANTED = "no texts are wanted any more"
_LOST = sms_outbox.c.status.in_(NOT_DELIVERED) | (
    sms_outbox.c.dead.is_not(None) & (sms_outbox.c.last_error != _NOT_WANTED)
)
_LOST_SHOWN = 5
