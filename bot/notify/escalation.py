"""Urgent requests that nobody has claimed: who is paged, and when."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.clinic.profile import Clinic
from bot.notify.notice import (
    AGAIN,
    STILL_WAITING,
    SUPERVISOR,
    URGENT,
    Notice,
    addressed,
    request_payload,
)

_HOUR = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Unclaimed:
    """An urgent request that nobody works on.

    Attributes:
        reference: its code.
        clinic: the clinic's id.
        since: when it became urgent, was written to again, or lost its coordinator;
            zone-aware.
    """

    reference: str
    clinic: str
    since: datetime


def pages_due(records: Iterable[Unclaimed], now: datetime, clinic: Clinic) -> list[Notice]:
    """The pages that are due for `records` of this clinic at `now`.

    First the coordinators again, then the supervisors, then everybody once an hour.
    Only the last step that is due counts: after a pause of the worker nobody gets the
    steps that were missed. The same page has the same key whenever it is asked for, so
    that the outbox keeps it once.
    """
    pages: list[Notice] = []
    for record in records:
        step = _step(now - record.since, clinic)
        if record.clinic != clinic.id or step is None:
            continue
        kind, count = step
        pages += addressed(
            kind,
            clinic,
            subject=record.reference,
            occasion=f"{int(record.since.timestamp())}|{count}",
            payload=request_payload(clinic, record.reference, URGENT),
            now=now,
        )
    return pages


def _step(waited: timedelta, clinic: Clinic) -> tuple[str, int] | None:
    """The kind of page after so long, and its number among those of its kind."""
    told = clinic.notifications
    since_supervisor = waited - timedelta(minutes=told.supervisor_after_minutes)
    if since_supervisor >= _HOUR:
        return STILL_WAITING, since_supervisor // _HOUR
    if since_supervisor >= timedelta():
        return SUPERVISOR, 1
    if waited >= timedelta(minutes=told.urgent_after_minutes):
        return AGAIN, 1
    return None
