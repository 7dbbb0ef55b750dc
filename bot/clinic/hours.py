"""When the clinic's consultation line is staffed, and how to say so.

Hours are one OSM opening_hours rule in the clinic's zone plus dated exceptions, read
by opening-hours-py. "PH" are that library's holidays of the country "US": the federal
holidays, on the weekday they are observed, except Columbus Day, which private clinics
mostly work; a clinic that closes then writes `Oct Mo[2] off` after `PH off`
(https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification).

Everything here takes the time as an argument; freeze it once per turn.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from opening_hours import (  # type: ignore[attr-defined]  # its stub forgets ParserError
    OpeningHours,
    ParserError,
    State,
)

from bot.clinic.profile import Clinic, DatedException

CLOSING_SOON = timedelta(minutes=10)
"""So long before closing no live transfer is promised."""

# How far ahead an opening is looked for; past every yearly season and long closure.
_HORIZON = timedelta(days=400)
_LOOK_BACK = timedelta(days=31)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class UnreadableHoursError(Exception):
    """Hours, an exception or the time zone cannot be read; the message says where."""


@dataclasses.dataclass(frozen=True)
class LineState:
    """Whether the line is staffed at one moment. All times are in the clinic's zone.

    Attributes:
        open: staffed now; never true when the hours cannot be read.
        opens_at: the next opening after now, also while open; None if there is none
            in sight (always open, closed for good, unreadable).
        closes_at: when the present opening ends; None when closed or never closing.
        closing_soon: open, but for less than `CLOSING_SOON`.
        readable: False if the hours could not be read; treat as closed, and log
            `unreadable_because` loudly.
        unreadable_because: what is wrong, for the log.
    """

    open: bool
    opens_at: datetime | None
    closes_at: datetime | None
    closing_soon: bool
    readable: bool
    unreadable_because: str = ""

    @property
    def can_transfer(self) -> bool:
        """Whether a live transfer may be promised."""
        return self.open and not self.closing_soon


def line_state(clinic: Clinic, now: datetime) -> LineState:
    """Whether the line of `clinic` is staffed at `now` (zone-aware, any zone).

    Raises:
        ValueError: `now` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must be zone-aware")
    try:
        zone = clinic_zone(clinic)
        staffed = _read(_expression(clinic), zone)
    except UnreadableHoursError as error:
        return LineState(False, None, None, False, False, str(error))
    local = now.astimezone(zone)
    is_open = was_open = staffed.is_open(local)
    closes_at = opens_at = None
    for start, _end, state, _comment in staffed.intervals(local, local + _HORIZON):
        opens = state == State.OPEN
        if was_open and not opens:
            closes_at = start
        if opens and not was_open:
            opens_at = start
            break
        was_open = opens
    return LineState(
        open=is_open,
        opens_at=opens_at,
        closes_at=closes_at,
        closing_soon=closes_at is not None and _elapsed(local, closes_at) < CLOSING_SOON,
        readable=True,
    )


@dataclasses.dataclass(frozen=True)
class Closed:
    """A time during which the line was not staffed, in the clinic's zone."""

    start: datetime
    end: datetime


def last_closed(clinic: Clinic, now: datetime) -> Closed | None:
    """The closed time that ended with the present opening.

    Args:
        now: zone-aware, any zone.

    Returns:
        None while the line is closed, and where it has not been closed for a month or
        its hours cannot be read. A longer closed time counts from a month ago.
    """
    try:
        zone = clinic_zone(clinic)
        staffed = _read(_expression(clinic), zone)
    except UnreadableHoursError:
        return None
    local = now.astimezone(zone)
    if not staffed.is_open(local):
        return None
    closed: Closed | None = None
    for start, end, state, _comment in staffed.intervals(local - _LOOK_BACK, local):
        if state == State.OPEN:
            continue
        adjoins = closed is not None and closed.end == start
        closed = Closed(closed.start if closed and adjoins else start, end)
    return closed


def staffed_between(
    clinic: Clinic, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """When the line is staffed from `start` to `end`, both zone-aware; in the clinic's zone.

    Raises:
        UnreadableHoursError: the hours or the zone cannot be read.
    """
    zone = clinic_zone(clinic)
    staffed = _read(_expression(clinic), zone)
    begin, until = start.astimezone(zone), end.astimezone(zone)
    return [
        (opens, closes)
        for opens, closes, state, _comment in staffed.intervals(begin, until)
        if state == State.OPEN
    ]


def zone_name(moment: datetime, language: str) -> str:
    """The zone of a zone-aware `moment` in words: "Eastern", "hora del Este"."""
    return _zone_names(moment)[0 if language == "en" else 1]


def describe(moment: datetime, now: datetime, clinic: Clinic, language: str) -> str:
    """`moment` in words, as seen from `now`, in the clinic's zone.

    "today at 2:00 PM Eastern", "tomorrow (Friday) at 8:30 AM Eastern" (after midnight
    "tomorrow" alone misleads), "Monday at 8:30 AM Eastern", from a week ahead
    "Monday, December 7 at 8:30 AM Eastern"; in Spanish "el lunes a las 8:30 a. m.
    (hora del Este)".

    Args:
        moment, now: zone-aware, any zone.
        language: "en" or "es".

    Raises:
        UnreadableHoursError: the clinic's time zone is unknown.
    """
    zone = clinic_zone(clinic)
    local = moment.astimezone(zone)
    days = (local.date() - now.astimezone(zone).date()).days
    speak = {"en": _in_english, "es": _in_spanish}[language]
    return speak(local, days)


def callback_promise(clinic: Clinic, now: datetime, language: str) -> str:
    """When a visitor who asks for a call at `now` may expect it, in the clinic's words."""
    state = line_state(clinic, now)
    promise = clinic.callback_promise
    if state.can_transfer or state.opens_at is None:
        return promise.general.in_language(language)
    opens_at = describe(state.opens_at, now, clinic, language)
    return promise.next_opening.in_language(language).replace("{opens_at}", opens_at)


def local_date(clinic: Clinic, now: datetime) -> date:
    """The clinic's date at `now`; that of UTC if its time zone cannot be read."""
    try:
        return now.astimezone(clinic_zone(clinic)).date()
    except UnreadableHoursError:
        return now.astimezone(timezone.utc).date()


def clinic_zone(clinic: Clinic) -> ZoneInfo:
    """The clinic's time zone; raises `UnreadableHoursError` if there is no such zone."""
    try:
        return ZoneInfo(clinic.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise UnreadableHoursError(f"no such time zone: {clinic.time_zone!r}") from error


def check_rule(rule: str) -> None:
    """Raise `UnreadableHoursError` with the position if `rule` is not OSM opening_hours."""
    try:
        OpeningHours(rule, country="US")
    except ParserError as error:
        raise UnreadableHoursError(_parser_message(rule, str(error))) from error


def exception_rule(exception: DatedException) -> str:
    """A dated exception as an OSM rule, e.g. "2026 Nov 27 off"."""
    day = exception.date
    return f"{day.year} {_MONTHS[day.month - 1]} {day.day:02} {exception.hours}"


def _expression(clinic: Clinic) -> str:
    # In OSM syntax the last rule that fits a day wins, so exceptions stand last.
    exceptions = [exception_rule(exception) for exception in clinic.hours.exceptions]
    return "; ".join([clinic.hours.rule, *exceptions])


@lru_cache(maxsize=64)
def _read(expression: str, zone: ZoneInfo) -> OpeningHours:
    check_rule(expression)
    return OpeningHours(expression, timezone=zone, country="US")


def _parser_message(rule: str, error: str) -> str:
    position = re.search(r"--> 1:(\d+)", error)
    rest = rule[int(position[1]) - 1 :] if position else ""
    return (
        f"the hours {rule!r} cannot be read"
        + (f" from {rest!r} on" if rest else " to their end")
        + "; days are Mo Tu We Th Fr Sa Su, times 08:30-18:00"
    )


def _elapsed(start: datetime, end: datetime) -> timedelta:
    # Subtracting two times of one zone compares wall clocks; real time differs on DST days.
    return timedelta(seconds=end.timestamp() - start.timestamp())


_ZONES = {
    "E": ("Eastern", "hora del Este"),
    "C": ("Central", "hora del Centro"),
    "M": ("Mountain", "hora de la Montaña"),
    "P": ("Pacific", "hora del Pacífico"),
    "AK": ("Alaska", "hora de Alaska"),
    "H": ("Hawaii", "hora de Hawái"),
}
_SPANISH_DAYS = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
_SPANISH_MONTHS = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _zone_names(local: datetime) -> tuple[str, str]:
    abbreviation = local.tzname() or ""
    region = re.fullmatch(r"(AK|[ECMPH])[SD]T", abbreviation)
    return _ZONES[region[1]] if region else (abbreviation, abbreviation)


def _in_english(local: datetime, days: int) -> str:
    weekday = _ENGLISH_DAYS[local.weekday()]
    if days == 0:
        day = "today"
    elif days == 1:
        day = f"tomorrow ({weekday})"
    elif 1 < days < 7:
        day = weekday
    else:
        day = f"{weekday}, {_ENGLISH_MONTHS[local.month - 1]} {local.day}"
    half = "AM" if local.hour < 12 else "PM"
    return f"{day} at {local.hour % 12 or 12}:{local.minute:02} {half} {_zone_names(local)[0]}"


def _in_spanish(local: datetime, days: int) -> str:
    weekday = _SPANISH_DAYS[local.weekday()]
    if days == 0:
        day = "hoy"
    elif days == 1:
        day = f"mañana ({weekday})"
    elif 1 < days < 7:
        day = f"el {weekday}"
    else:
        day = f"el {weekday} {local.day} de {_SPANISH_MONTHS[local.month - 1]}"
    hour = local.hour % 12 or 12
    article = "la" if hour == 1 else "las"
    half = "a. m." if local.hour < 12 else "p. m."
    return f"{day} a {article} {hour}:{local.minute:02} {half} ({_zone_names(local)[1]})"
