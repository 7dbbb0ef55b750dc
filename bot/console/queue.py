"""Who is first, why, and when a call is due: pure functions over a record. No database.

Risk comes first, then the due time, which counts only while the clinic's line is open: a
request at night falls due in the morning. Whoever has been reached waits behind those
who have not, unless they have written again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo

from bot.clinic.hours import UnreadableHoursError, clinic_zone, line_state
from bot.clinic.profile import Clinic
from bot.console.desk import URGENCIES, Desk
from bot.console.moves import CLOSED, CLOSING, NEW, REACHED
from bot.vocabulary import (
    CONSULTATION,
    CRISIS_ASSESSMENT,
    EMERGENCY,
    HANDOFF_PHONE,
    TIER_CONCERN,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    tier_at_least,
)

GREEN, AMBER, RED = "green", "amber", "red"
_AMBER_PART = 3  # amber in the last third of the time
_MOST_STEPS = 60  # openings looked at; past every holiday season


@dataclasses.dataclass(frozen=True)
class Waiting:
    """What the queue needs of a record: nothing that says who somebody is.

    Attributes:
        reference, clinic, kind, channel, language: of the hand-off record.
        tier, danger: risk and its kind (lexicon category), None where there is none.
        level, at_least: of the level-of-care rules, if they ran.
        has_contact: a phone number is on record.
        created: when the visitor asked.
        status: a member of `bot.console.moves.STATUSES`.
        claimed_by, claimed_until: staff number, and the end of the lease.
        next_try: when a coordinator means to call.
        new_message: when the visitor wrote again, if nobody has looked since.
    """

    reference: str
    clinic: str
    kind: str
    channel: str
    language: str
    tier: str
    danger: str | None
    level: str | None
    at_least: str | None
    has_contact: bool
    created: datetime
    status: str = NEW
    claimed_by: int | None = None
    claimed_until: datetime | None = None
    next_try: datetime | None = None
    new_message: datetime | None = None

    @property
    def high_risk(self) -> bool:
        """Whether two people must agree to close it unreached."""
        return urgency_of(self) in ("emergency", "crisis")

    @property
    def expected(self) -> bool:
        """Whether the visitor has the number and nobody need call."""
        return urgency_of(self) == "expected"

    def holder(self, now: datetime) -> int | None:
        """Staff number of who works on it; None when the lease is over."""
        held = self.claimed_until is not None and self.claimed_until > now
        return self.claimed_by if held else None


@dataclasses.dataclass(frozen=True)
class Timer:
    """When a call is due, in words and as a colour; the words say it all."""

    colour: str
    words: str


def urgency_of(record: Waiting) -> str:
    """A member of `bot.console.desk.URGENCIES`."""
    level = record.at_least if record.level in (None, CONSULTATION) else record.level
    if record.tier == TIER_EMERGENCY or level == EMERGENCY:
        return "emergency"
    if tier_at_least(record.tier, TIER_CRISIS_OTHER) or level == CRISIS_ASSESSMENT:
        return "crisis"
    if record.tier == TIER_CONCERN:
        return "concern"
    return "expected" if record.kind == HANDOFF_PHONE else "request"


def reason(record: Waiting, desk: Desk) -> str:
    """Why the record stands where it does, in one line."""
    urgency = urgency_of(record)
    if urgency in ("emergency", "crisis") and not tier_at_least(record.tier, TIER_CRISIS_OTHER):
        words = f"{desk.urgency(urgency).label}: {_LEVEL_WORDS[urgency]}"
    elif urgency in ("emergency", "crisis", "concern"):
        about = desk.dangers.get(record.danger or "", _TIER_WORDS[record.tier])
        verb = "worried about" if record.tier == TIER_CRISIS_OTHER else "spoke of"
        words = f"{desk.urgency(urgency).label}: {verb} {about}"
    elif urgency == "expected":
        words = "Was given the number to call"
    elif record.level in (None, CONSULTATION):
        words = "Wants a call"
    else:
        words = f"Wants a call: {LEVEL_NAMES[record.level]} looks right"
    return words if record.has_contact or urgency == "expected" else f"{words}. No contact details"


def minutes_of(record: Waiting, desk: Desk) -> int:
    """Minutes of opening time until the first attempt is due."""
    return int(desk.urgency(urgency_of(record)).minutes)


def due(record: Waiting, clinic: Clinic, desk: Desk) -> datetime:
    """When somebody should call, in UTC.

    `minutes_of` after the request, counted while the line is open, or the time that a
    coordinator has set; a visitor who has written again need not wait for that. Where the
    opening hours cannot be read, or never come, every minute counts: nobody waits for an
    opening that may not exist.
    """
    allowed = timedelta(minutes=minutes_of(record, desk))
    planned = record.next_try.astimezone(timezone.utc) if record.next_try else None
    if record.new_message is not None:
        answer = add_opening_time(record.new_message, allowed, clinic)
        return min(answer, planned) if planned else answer
    return planned or add_opening_time(record.created, allowed, clinic)


def add_opening_time(start: datetime, length: timedelta, clinic: Clinic) -> datetime:
    """The moment at which `length` of opening time has passed since `start`, in UTC."""
    start = moment = start.astimezone(timezone.utc)
    left = length
    for _ in range(_MOST_STEPS):
        line = line_state(clinic, moment)
        if line.open:
            if line.closes_at is None:
                return moment + left
            closes = line.closes_at.astimezone(timezone.utc)
            if closes - moment >= left:
                return moment + left
            left -= closes - moment
        if line.opens_at is None:
            return start + length
        moment = line.opens_at.astimezone(timezone.utc)
    return start + length


def timer(record: Waiting, due_at: datetime, now: datetime, clinic: Clinic, desk: Desk) -> Timer:
    """How the record stands in time."""
    if record.status == CLOSED:
        return Timer(GREEN, "closed")
    if record.status == REACHED and record.next_try is None and record.new_message is None:
        return Timer(GREEN, "reached, not closed")
    left = due_at - now
    if left < timedelta(0):
        return Timer(RED, f"{spoken(-left)} late")
    allowed = timedelta(minutes=minutes_of(record, desk))
    at = clock_time(due_at, now, clinic)
    if left <= allowed / _AMBER_PART:
        return Timer(AMBER, f"due in {spoken(left)}, {at}")
    return Timer(GREEN, f"due {at}")


def order(record: Waiting, due_at: datetime) -> tuple[object, ...]:
    """Sort by this: who has not been reached first, then risk, then the due time.

    Of equal risk, people without contact details stand first: nobody can call them, so
    somebody must think.
    """
    waits = record.status not in (REACHED, CLOSED) or record.new_message is not None
    urgent = record.high_risk and not record.has_contact
    return (
        not waits,
        URGENCIES.index(urgency_of(record)),
        not urgent,
        due_at,
        record.created,
        record.reference,
    )


def status_words(record: Waiting, now: datetime, names: Mapping[int, str]) -> str:
    """Where staff stand with the record, and who has it."""
    words = {CLOSING: "second person needed"}.get(record.status, record.status)
    holder = record.holder(now)
    return words if holder is None else f"{words}, with {names.get(holder, 'somebody')}"


def spoken(length: timedelta) -> str:
    """A length of time in its two largest units: "12 min", "3 h 5 min", "2 d 4 h"."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def clock_time(moment: datetime, now: datetime, clinic: Clinic) -> str:
    """As in "yesterday 11:47 PM", on the clinic's clock."""
    there = local(moment, clinic)
    days = (there.date() - local(now, clinic).date()).days
    day = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, f"{there:%a, %b} {there.day},")
    return f"{day} {there.hour % 12 or 12}:{there:%M %p}"


def local(moment: datetime, clinic: Clinic) -> datetime:
    """`moment` in the clinic's zone; in UTC if that cannot be read."""
    return moment.astimezone(zone_of(clinic))


def zone_of(clinic: Clinic) -> tzinfo:
    """The clinic's zone; UTC if that cannot be read."""
    try:
        return clinic_zone(clinic)
    except UnreadableHoursError:
        return timezone.utc


LEVEL_NAMES = {
    "outpatient": "outpatient",
    "iop": "IOP",
    "php": "PHP",
    "inpatient": "inpatient",
    "crisis_assessment": "a crisis assessment",
    "emergency": "emergency care",
    "consultation": "a consultation",
}
_LEVEL_WORDS = {
    "emergency": "answers mean emergency care",
    "crisis": "answers mean a crisis assessment",
}
_TIER_WORDS = {
    TIER_EMERGENCY: "danger to life now",
    TIER_CRISIS_SELF: "danger to themselves",
    TIER_CRISIS_OTHER: "somebody in danger",
    TIER_CONCERN: "something worrying",
}
