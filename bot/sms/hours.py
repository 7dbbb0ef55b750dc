"""When a text may leave that is no answer, and what counts as an answer. Pure.

Answers to somebody who has just written go at any hour. A text that we start waits for the
daytime of whoever gets it. Federal law allows 8:00 to 21:00 for solicitations (47 CFR
64.1200(c)(1)); several states end at 20:00, so the narrower window holds for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import time_zones_for_number

DAY_BEGINS, DAY_ENDS = time(9), time(20)

ANSWER = timedelta(hours=1)
"""A text within so long of the visitor's last one answers it; a later one is one we start."""

IN_CHARGE = timedelta(hours=1)
"""So long after a person's text the assistant stays silent."""

_UNKNOWN = "Etc/Unknown"
_STEP = timedelta(minutes=15)
_LONGEST = timedelta(days=2)


def zones_of(number: str, known: ZoneInfo | None, clinic: ZoneInfo) -> tuple[ZoneInfo, ...]:
    """Where it may be night for `number`.

    Args:
        number: E.164.
        known: the zone of the state that the visitor named, if they did.
        clinic: counts beside the guess that the area code gives: people move.
    """
    if known is not None:
        return (known,)
    guessed = time_zones_for_number(phonenumbers.parse(number))
    return (clinic, *(ZoneInfo(name) for name in guessed if name != _UNKNOWN))


def is_answer(now: datetime, last_from_visitor: datetime | None) -> bool:
    """Whether a text at `now` answers the visitor's last one."""
    return last_from_visitor is not None and now - last_from_visitor <= ANSWER


def leaves_at(now: datetime, zones: Iterable[ZoneInfo]) -> datetime:
    """The first moment from `now` on at which it is day in all `zones`.

    Raises:
        ValueError: there is none: the zones lie too far apart.
    """
    places = tuple(zones)
    if _is_day(now, places):
        return now
    moment = now.astimezone(timezone.utc).replace(second=0, microsecond=0)
    moment -= timedelta(minutes=moment.minute % 15)
    while moment - now < _LONGEST:
        moment += _STEP
        if _is_day(moment, places):
            return moment
    raise ValueError("it is never day in all of these zones")


def _is_day(moment: datetime, zones: tuple[ZoneInfo, ...]) -> bool:
    return all(DAY_BEGINS <= moment.astimezone(zone).time() < DAY_ENDS for zone in zones)
