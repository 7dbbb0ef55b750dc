"""Answering by text from a record's card: who may be texted, when, and with what."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.clinic.hours import UnreadableHoursError, clinic_zone
from bot.clinic.profile import Clinic
from bot.handoff.callback import PERSON
from bot.handoff.records import HandoffRecord
from bot.handoff.zones import load_zones, zone_of
from bot.sms.hours import IN_CHARGE, is_answer, leaves_at, zones_of
from bot.sms.wording import load_words
from bot.store import Conversations, Messages
from bot.store.handoffs import Handoffs
from bot.store.records import Conversation, Outgoing
from bot.store.sms_contacts import AGREED, Contact, SmsContacts
from bot.store.sms_outbox import STAFF, Lost, SmsOutbox, Text
from bot.turns import TurnState
from bot.vocabulary import BY_STAFF, SMS

LONGEST = 640
"""Characters of one answer: two long texts."""

STARTS = 2
"""Texts in 24 hours that we start and that nobody answers."""

_DAY = timedelta(hours=24)


@dataclasses.dataclass(frozen=True)
class Line:
    """The way to the visitor by text.

    Attributes:
        number: E.164.
        contact: the number as it texts with us; None if it has not yet.
        answer: the visitor wrote within the hour, so words of one's own may go, at once.
        leaves: when a text would leave now.
        no: why none may be sent; None if it may.
        starts: the only text that may go where it is no answer.
        in_charge: a person answers now, and the assistant is silent.
        lost: texts that could not be delivered.
    """

    number: str
    contact: Contact | None
    answer: bool
    leaves: datetime
    no: str | None
    starts: str
    in_charge: bool
    lost: list[Lost]


def line_to(
    db: sa.engine.Connection,
    record: HandoffRecord,
    clinic: Clinic,
    conversations: list[str],
    now: datetime,
) -> Line | None:
    """The way to the visitor of a record by text.

    None if they neither texted with us nor agreed to texts, or the clinic has no number.
    """
    contacts = SmsContacts(db)
    found = [contact for each in conversations if (contact := contacts.find(each))]
    contact = found[-1] if found else None
    if contact is None and record.phone and record.ok_to_text == "yes" and record.consent:
        contact = contacts.with_number(record.phone, record.clinic)
        number = record.phone
    elif contact is not None:
        number = contact.number
    else:
        return None
    if clinic.sms is None:
        return None
    last = Messages(db).last_incoming(contact.conversation) if contact else None
    answer = is_answer(now, last)
    no, leaves = _why_not(db, record, contact, last, now), now
    if no is None and not answer:
        try:
            leaves = _leaves(record, clinic, number, now)
        except (UnreadableHoursError, ValueError):
            no = "Nobody can say when it is day where they are. Call instead."
    charge = contact.in_charge_until if contact else None
    return Line(
        number=number,
        contact=contact,
        answer=answer,
        leaves=leaves,
        no=no,
        starts=_starting(record, clinic, first=last is None),
        in_charge=charge is not None and now < charge,
        lost=SmsOutbox(db).lost(contact.conversation) if contact else [],
    )


def send(
    db: sa.engine.Connection,
    line: Line,
    record: HandoffRecord,
    reference: str,
    words: str,
    once: str,
    now: datetime,
) -> bool:
    """Put a text into the outbox and the transcript; False if this form was sent before.

    Args:
        line: from `line_to`, in the same transaction.
        reference: the record's code; what the visitor answers is found under it.
        words: what to say where it is an answer.
        once: names the form.
    """
    said = words if line.answer else line.starts
    text = Text(f"staff:{once}", STAFF, said, line.leaves)
    conversation = _conversation(db, line, record, reference, now)
    if not SmsOutbox(db).add(conversation, text, now):
        return False
    Messages(db).add_outgoing(conversation, Outgoing(said, BY_STAFF, (), now), None)
    SmsContacts(db).change(conversation, now, in_charge_until=now + IN_CHARGE)
    return True


def release(db: sa.engine.Connection, line: Line, now: datetime) -> None:
    """The assistant answers again."""
    if line.contact is not None:
        SmsContacts(db).change(line.contact.conversation, now, in_charge_until=None)


def _why_not(
    db: sa.engine.Connection,
    record: HandoffRecord,
    contact: Contact | None,
    last: datetime | None,
    now: datetime,
) -> str | None:
    """Why nothing may be sent, whatever the hour."""
    if contact is not None and contact.opted_out is not None:
        return "They opted out of texts. Nothing may be sent."
    if record.ok_to_text == "no":
        return "They asked not to be texted."
    if last is None and record.phone_owner == PERSON:
        return "The number is somebody else's, who has not agreed to texts. Call instead."
    if contact is None or is_answer(now, last):
        return None
    since = max(now - _DAY, last or now - _DAY)
    if SmsOutbox(db).written_since(contact.conversation, since, STAFF) >= STARTS:
        return f"{STARTS} texts have gone out without an answer. Call, or text tomorrow."
    return None


def _starting(record: HandoffRecord, clinic: Clinic, *, first: bool) -> str:
    """The reviewed text that starts; `first`: the number has never written to us."""
    line = str(clinic.phone.display) if clinic.phone else None
    name = f"sms_staff_{'first' if first else 'starts'}{'' if line else '_no_line'}"
    values = {"clinic": clinic.short_name, **({"line": line} if line else {})}
    return load_words().text(name, record.language, "sms", **values)


def _conversation(
    db: sa.engine.Connection, line: Line, record: HandoffRecord, reference: str, now: datetime
) -> str:
    """The conversation of this number; it begins here for somebody who agreed on the web."""
    contacts, known = SmsContacts(db), line.contact
    if known is None:
        conversation = contacts.meet([(line.number, record.clinic)], now)[
            line.number, record.clinic
        ]
        contacts.consent(
            conversation, AGREED, record.channel, record.consent or "", record.consent_at or now
        )
    else:
        conversation = known.conversation
    if Conversations(db).find(conversation) is None:
        state = TurnState(language=record.language)
        Conversations(db).add(
            Conversation(conversation, record.clinic, SMS, None, record.language, now, state)
        )
    if Handoffs(db).find(conversation) is None:
        Handoffs(db).follow(conversation, reference)
    return conversation


def _leaves(record: HandoffRecord, clinic: Clinic, number: str, now: datetime) -> datetime:
    known = any(record.state in states for states in load_zones().zones.values())
    zone = zone_of(record.state, clinic) if known else None
    return leaves_at(now, zones_of(number, zone, clinic_zone(clinic)))
