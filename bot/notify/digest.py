"""The digest: at every opening, what came in while the line was closed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.clinic.hours import Closed, last_closed
from bot.clinic.profile import Clinic
from bot.notify.notice import DIGEST, ROUTINE, URGENT, Notice, addressed, is_request, is_urgent

# A request that arrived just before the opening may be committed just after it.
_GRACE = timedelta(minutes=1)


@dataclasses.dataclass(frozen=True)
class Arrived:
    """A hand-off that was recorded or changed while the line was closed."""

    reference: str
    tier: str
    levels: tuple[str | None, ...]
    kind: str
    can_be_called: bool


def night_to_tell(clinic: Clinic, now: datetime) -> Closed | None:
    """The closed time of which a digest is due at `now`; None if there is none.

    It is due from a minute after the opening until the line closes again, so that a
    worker that starts late still sends it.
    """
    if not clinic.notifications.digest:
        return None
    night = last_closed(clinic, now)
    if night is None or now - night.end < _GRACE:
        return None
    return night


def digest_of(
    night: Closed, arrived: Iterable[Arrived], clinic: Clinic, now: datetime
) -> list[Notice]:
    """The digest for every coordinator: one per clinic and opening, by its key.

    Who was given the phone number and left none waits for nobody and is not in it.
    """
    codes: dict[str, list[str]] = {URGENT: [], ROUTINE: []}
    for record in arrived:
        if is_urgent(record.tier, record.levels):
            codes[URGENT].append(record.reference)
        elif is_request(record.kind, record.can_be_called):
            codes[ROUTINE].append(record.reference)
    opening = f"{int(night.end.timestamp())}"
    return addressed(
        DIGEST,
        clinic,
        subject=opening,
        occasion=opening,
        payload={
            "clinic_name": clinic.short_name,
            "since": night.start.isoformat(timespec="minutes"),
            "until": night.end.isoformat(timespec="minutes"),
            "codes": {urgency: sorted(found) for urgency, found in codes.items()},
        },
        now=now,
    )
