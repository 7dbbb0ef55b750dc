"""Answering by text from a record's card: who may be texted, when, and with what."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import sqlalchemy as sa

from bot.clinic.hours import UnreadableHoursError, clinic_zone
from bot.clinic.profile import Clinic
from bot.handoff.records import HandoffRecord
from bot.handoff.zones import load_zones, zone_of
from bot.sms.hours import IN_CHARGE, is_answer, leaves_at, zones_of
from bot.sms.wording import load_words
from bot.store import Messages
from bot.store.records import Outgoing
from bot.store.sms import STAFF, Contact, SmsContacts, SmsOutbox, Text
from bot.vocabulary import BY_STAFF

LONGEST = 640
"""Characters of one answer: two long texts."""


@dataclasses.dataclass(frozen=True)
class Line:
    """The way to the visitor by text.

    Attributes:
        contact: the number that texts with us.
        answer: the visitor wrote within the hour, so words of one's own may go, at once.
        leaves: when a text would leave now.
        no: why none may be sent; None if it may.
        starts: the only text that may go where it is no answer.
        in_charge: a person answers now, and the assistant is silent.
    """

    contact: Contact
    answer: bool
    leaves: datetime
    no: str | None
    starts: str
    in_charge: bool


def line_to(
    db: sa.engine.Connection,
    record: HandoffRecord,
    clinic: Clinic,
    conversations: list[str],
    now: datetime,
) -> Line | None:
    """The way to the visitor of a record by text; None if they never texted with us."""
    contacts = SmsContacts(db)
    found = [contact for each in conversations if (contact := contacts.find(each))]
    if not found:
        return None
    contact = found[-1]
    last = Messages(db).last_incoming(contact.conversation)
    answer = is_answer(now, last)
    no, leaves = None, now
    if contact.opted_out is not None:
        no = "They opted out of texts. Nothing may be sent."
    elif record.ok_to_text == "no":
        no = "They asked not to be texted."
    elif not answer:
        try:
            leaves = _leaves(record, clinic, contact, now)
        except (UnreadableHoursError, ValueError):
            no = "Nobody can say when it is day where they are. Call instead."
    charge = contact.in_charge_until
    words = load_words()
    line = str(clinic.phone.display) if clinic.phone else None
    name = "sms_staff_starts" if line else "sms_staff_starts_no_line"
    values = {"clinic": clinic.short_name, **({"line": line} if line else {})}
    return Line(
        contact=contact,
        answer=answer,
        leaves=leaves,
        no=no,
        starts=words.text(name, record.language, "sms", **values),
        in_charge=charge is not None and now < charge,
    )


def send(db: sa.engine.Connection, line: Line, words: str, once: str, now: datetime) -> bool:
    """Put a text into the outbox and the transcript; False if this form was sent before."""
    said = words if line.answer else line.starts
    text = Text(f"staff:{once}", STAFF, said, line.leaves)
    conversation = line.contact.conversation
    if not SmsOutbox(db).add(conversation, text, now):
        return False
    Messages(db).add_outgoing(conversation, Outgoing(said, BY_STAFF, (), now), None)
    SmsContacts(db).change(conversation, now, in_charge_until=now + IN_CHARGE)
    return True


def release(db: sa.engine.Connection, line: Line, now: datetime) -> None:
    """The assistant answers again."""
    SmsContacts(db).change(line.contact.conversation, now, in_charge_until=None)


def _leaves(record: HandoffRecord, clinic: Clinic, contact: Contact, now: datetime) -> datetime:
    known = any(record.state in states for states in load_zones().zones.values())
    zone = zone_of(record.state, clinic) if known else None
    return leaves_at(now, zones_of(contact.number, zone, clinic_zone(clinic)))
