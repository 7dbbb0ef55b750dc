"""Texts that came in.

A text is committed before it is acknowledged, and stays here until what it causes is in
the outbox (`bot.store.sms_outbox`): a crash loses nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.store.errors import Conflict
from bot.store.sms_contacts import Contact, SmsContacts
from bot.store.tables import conversation as conversation_table
from bot.store.tables import sms_contact, sms_inbox
from bot.store.vault import vault_of

INBOX_LEASE = timedelta(seconds=20)
"""How long a gateway has for one text of a number: longer than a turn can take."""

_LET_GO = {"held_by": None, "held_until": None}


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


class SmsInbox:
    """Texts that came in.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

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
