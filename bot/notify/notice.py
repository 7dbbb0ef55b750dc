"""What staff are told when somebody waits for them, and where it goes.

A notice carries a reference code, the urgency and the clinic: no health information, no
name, no number. E-mail and webhooks leave the house (42 CFR 2.13; HIPAA minimum
necessary, 45 CFR 164.502(b)); everything else is read in the console.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bot.clinic.hours import line_state, local_date
from bot.clinic.profile import Clinic
from bot.vocabulary import (
    CRISIS_ASSESSMENT,
    EMERGENCY,
    HANDOFF_CALLBACK,
    TIER_CRISIS_OTHER,
    tier_at_least,
)

EMAIL = "email"
WEBHOOK = "webhook"

URGENT = "urgent"
ROUTINE = "routine"

# Kinds of notices.
NEW = "new"
AGAIN = "again"  # unclaimed after urgent_after_minutes
SUPERVISOR = "supervisor"  # unclaimed after supervisor_after_minutes
STILL_WAITING = "still_waiting"  # unclaimed; once an hour after that
DIGEST = "digest"
LOST_TEXT = "lost_text"  # of ours, to somebody who waits

# Further messages of danger in one conversation page at most so often.
_ONE_PAGE_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Event:
    """A hand-off that was recorded, or a message of danger.

    Attributes:
        clinic: its id.
        conversation: its id; never leaves the house.
        reference: the code, where there is one.
        tier: of the safety screen.
        levels: results of the level-of-care rules, where they ran.
        kind: of the hand-off; None for a message of danger.
        can_be_called: a phone number is on record.
        at: zone-aware.
    """

    clinic: str
    conversation: str
    reference: str | None
    tier: str
    at: datetime
    levels: tuple[str | None, ...] = ()
    kind: str | None = None
    can_be_called: bool = False


@dataclasses.dataclass(frozen=True)
class Notice:
    """One thing to tell one target.

    Attributes:
        key: the same for the same thing, so that it is told once; a hash, kept in the house.
        kind: NEW, AGAIN, SUPERVISOR, STILL_WAITING, DIGEST or LOST_TEXT.
        clinic: its id.
        subject: what it is about: a code, a conversation, or the moment of an opening.
        channel: EMAIL or WEBHOOK.
        target: an address or a URL.
        payload: all that may leave the house.
        rank: 0 goes out before 1.
        created: zone-aware.
    """

    key: str
    kind: str
    clinic: str
    subject: str
    channel: str
    target: str
    payload: Mapping[str, Any]
    rank: int
    created: datetime


def is_urgent(tier: str, levels: Iterable[str | None] = ()) -> bool:
    """Whether a person must look at once: danger, or a level that is emergency care."""
    return tier_at_least(tier, TIER_CRISIS_OTHER) or any(
        level in (CRISIS_ASSESSMENT, EMERGENCY) for level in levels
    )


def is_request(kind: str | None, can_be_called: bool) -> bool:
    """Whether somebody who is in no danger waits for a call."""
    return kind == HANDOFF_CALLBACK and can_be_called


def notifications_for(event: Event, clinic: Clinic | None) -> list[Notice]:
    """What to send because of `event`; nothing to a clinic that names nobody.

    Urgent events page at once, at any hour: once per code and tier in ten minutes. A
    request for a call is told once a day and code, at once while the line is open;
    one of the night stands in the digest.

    Args:
        event: what happened.
        clinic: its profile; None if there is no such profile any more.
    """
    if clinic is None:
        return []
    subject = event.reference or event.conversation
    if is_urgent(event.tier, event.levels):
        span = int(event.at.timestamp() // _ONE_PAGE_SECONDS)
        occasion = f"{event.tier}|{span}"
        urgency = URGENT
    elif is_request(event.kind, event.can_be_called) and not _in_digest(clinic, event.at):
        occasion = f"{ROUTINE}|{local_date(clinic, event.at)}"
        urgency = ROUTINE
    else:
        return []
    return addressed(
        NEW,
        clinic,
        subject=subject,
        occasion=occasion,
        payload=request_payload(clinic, event.reference, urgency),
        now=event.at,
    )


def lost_text(clinic: Clinic, reference: str, *, urgent: bool, now: datetime) -> list[Notice]:
    """What to send because a text to somebody with a record will never arrive.

    Once a day and code, at any hour: whoever waits for that text may wait in vain.

    Args:
        reference: the record's code.
        urgent: a person must look at once.
        now: zone-aware.
    """
    urgency = URGENT if urgent else ROUTINE
    return addressed(
        LOST_TEXT,
        clinic,
        subject=reference,
        occasion=f"{urgency}|{local_date(clinic, now)}",
        payload=request_payload(clinic, reference, urgency),
        now=now,
    )


def request_payload(clinic: Clinic, reference: str | None, urgency: str) -> dict[str, Any]:
    """What a notice about one request says."""
    return {"clinic_name": clinic.short_name, "code": reference, "urgency": urgency}


def addressed(
    kind: str,
    clinic: Clinic,
    *,
    subject: str,
    occasion: str,
    payload: Mapping[str, Any],
    now: datetime,
) -> list[Notice]:
    """One notice for every target of `kind` in the clinic's profile.

    SUPERVISOR goes to supervisors, STILL_WAITING to everybody, all others to
    coordinators; where a clinic names only one of the two, they get everything. The
    webhook gets everything.

    Args:
        subject: what it is about.
        occasion: tells apart two notices of one kind about one subject.
    """
    told = clinic.notifications
    addresses = {
        SUPERVISOR: told.supervisors or told.coordinators,
        STILL_WAITING: [*told.coordinators, *told.supervisors],
    }.get(kind, told.coordinators or told.supervisors)
    targets: list[tuple[str, str]] = [(EMAIL, address) for address in dict.fromkeys(addresses)]
    if told.webhook is not None:
        targets.append((WEBHOOK, told.webhook.url))
    return [
        Notice(
            key=_key(kind, clinic.id, subject, occasion, channel, target),
            kind=kind,
            clinic=clinic.id,
            subject=subject,
            channel=channel,
            target=target,
            payload=payload,
            rank=0 if payload.get("urgency") == URGENT else 1,
            created=now,
        )
        for channel, target in targets
    ]


def _in_digest(clinic: Clinic, at: datetime) -> bool:
    """Whether a digest at the next opening will tell of what happens at `at`."""
    state = line_state(clinic, at)
    return clinic.notifications.digest and not state.open and state.opens_at is not None


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
