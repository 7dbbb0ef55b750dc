"""When somebody likes to be called: their words as a time of day and days.

The words themselves are kept for the coordinator; what is read here only sorts the queue
and tells whether the clinic can call then at all. What is not understood stays None.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pydantic

from bot.accents import without_accents
from bot.care.words import number_value
from bot.clinic.hours import CLOSING_SOON, staffed_between
from bot.clinic.profile import Clinic
from bot.reviewed import Document, ReviewedModel

TIMES_FILE = Path(__file__).with_name("times.yml")

_DAYS_AHEAD = 14
_EARLIEST, _LATEST = time(7), time(22)  # nobody means a call at night by "any time"
_MOST_READ = 300  # characters
_WEEKDAYS = frozenset(range(5))
_CLOCK = r"(?<!\d)(\d{1,2})(?:[:.](\d{2})|h)?(?!\d)\s*(am|pm|a m|p m)?(?![a-z])"


class Words(ReviewedModel):
    """Phrases in both languages."""

    en: list[str]
    es: list[str]


class PartOfDay(ReviewedModel):
    """A part of the day as "08:00" to "12:00", and how people call it."""

    start: time = pydantic.Field(alias="from")
    until: time
    en: list[str]
    es: list[str]


class Table(ReviewedModel):
    """The whole of `times.yml`; the file's comments say what each part is for."""

    parts_of_day: list[PartOfDay]
    days: dict[str, Words]
    weekdays: Words
    weekend: Words
    today: Words
    tomorrow: Words
    now: Words
    except_: Words = pydantic.Field(alias="except")
    at: Words
    after: Words
    before: Words
    between: Words
    no_time: Words


@dataclasses.dataclass(frozen=True)
class Wish:
    """When somebody likes to be called, in their own zone.

    Attributes:
        days: weekdays, 0 is Monday.
        on: one date only; None: any of `days`.
        start, until: time of day.
    """

    days: frozenset[int]
    on: date | None
    start: time
    until: time


@functools.cache
def load_table() -> Table:
    """The phrases; raises `bot.reviewed.DataError` with file and line."""
    return Document(TIMES_FILE).parse(Table)


def read_wish(text: str, today: date) -> Wish | None:
    """What `text` says of when to call; None if it names no day and no time.

    Args:
        text: the visitor's words, English or Spanish.
        today: the date where the visitor is.
    """
    said = _folded(text[:_MOST_READ])
    on = _date(said, today)
    days = _days(said)
    span = _span(said)
    if on is None and days is None and span is None:
        return None
    start, until = span or (_EARLIEST, _LATEST)
    return Wish(days or frozenset(range(7)), on, start, until)


def tells_a_time(text: str, today: date) -> bool:
    """Whether `text` says when, where nobody asked: a number alone ("he is 15") may be anything."""
    said = _folded(text[:_MOST_READ])
    return bool(_date(said, today) or _days(said) or _span(said, asked=False))


def is_now(text: str) -> bool:
    """Whether "now" is all that `text` says."""
    now = load_table().now
    return _folded(text[:_MOST_READ]) in (*now.en, *now.es)


def next_call(
    wish: Wish, clinic: Clinic, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime] | None:
    """The next time that suits both the wish and the clinic's hours; None if there is none.

    Args:
        now: zone-aware.
        zone: the visitor's.

    Raises:
        UnreadableHoursError: the clinic's hours cannot be read.
    """
    first = now.astimezone(zone).date()
    for day in (first + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)):
        if wish.on not in (None, day) or day.weekday() not in wish.days:
            continue
        begin = max(datetime.combine(day, wish.start, zone), now.astimezone(zone))
        end = datetime.combine(day, wish.until, zone)
        for start, until in staffed_between(clinic, begin, end) if begin < end else ():
            if until.timestamp() - start.timestamp() >= CLOSING_SOON.total_seconds():
                return start, until
    return None


def _folded(text: str) -> str:
    """Small letters without accents; "5 p.m." as "5 p m", number words as digits."""
    plain = without_accents(text.lower())
    plain = re.sub(r"\b([ap])\.?\s?m\b\.?", r"\1m", plain)
    plain = re.sub(r"[^\w:.\s-]|(?<!\d)[.:]|[.:](?!\d)", " ", plain)
    plain = re.sub(r"(?<=\d)\s*-\s*(?=\d)|(?<=m)\s*-\s*(?=\d)", " to ", plain).replace("-", " ")
    return " ".join(_digits(word) for word in plain.split())


def _digits(word: str) -> str:
    value = None if word in ("first", "second", "un", "una") else number_value(word)
    return word if value is None or value > 12 or word.isdigit() else str(value)


def _date(said: str, today: date) -> date | None:
    table = load_table()
    if _find(table.today, said):
        return today
    # "manana" is tomorrow, but "la manana" is the morning.
    rest = re.sub(r"\b(?:la|las|esta)\s+mananas?\b", " ", said)
    return today + timedelta(days=1) if _find(table.tomorrow, rest) else None


def _days(said: str) -> frozenset[int] | None:
    table = load_table()
    wanted: set[int] = set()
    unwanted: set[int] = set()
    groups = [
        *((frozenset({number}), words) for number, words in enumerate(table.days.values())),
        (_WEEKDAYS, table.weekdays),
        (frozenset({5, 6}), table.weekend),
    ]
    for numbers, words in groups:
        for hit in _find(words, said):
            left_out = re.search(rf"\b{_any(table.except_)}(?: \w+)?$", said[: hit.start()].strip())
            (unwanted if left_out else wanted).update(numbers)
    if not wanted and not unwanted:
        return None
    return frozenset((wanted or set(range(7))) - unwanted) or None


def _span(said: str, *, asked: bool = True) -> tuple[time, time] | None:
    table = load_table()
    part = _part_of_day(said)
    between = re.search(rf"{_CLOCK}\s+{_any(table.between)}\s+{_CLOCK}", said)
    if between:
        late = bool(between[3] or between[6])
        end = _clock(between.groups()[3:6], part)
        start = _clock(between.groups()[:3], part, before=end if late else None)
        if start and end and start < end:
            return start, end
    for hit in re.finditer(_CLOCK, said):
        if re.match(rf"\s*{_any(table.no_time)}\b", said[hit.end() :]):
            continue
        moment = _clock(hit.groups(), part)
        if moment is None:
            continue
        before = said[: hit.start()].strip()
        if re.search(rf"\b{_any(table.after)}$", before):
            return (moment, _LATEST) if moment < _LATEST else None
        if re.search(rf"\b{_any(table.before)}$", before):
            return (_EARLIEST, moment) if moment > _EARLIEST else None
        is_time = hit[2] or hit[3] or part or re.search(rf"\b{_any(table.at)}$", before)
        if not asked and not is_time:
            continue
        return moment, min(time(min(moment.hour + 1, 23), moment.minute), time(23))
    return (part.start, part.until) if part else None


def _clock(
    digits: Iterable[str | None], part: PartOfDay | None, before: time | None = None
) -> time | None:
    """A time of day: "5" is 17:00 and "9" is 9:00, unless am, pm or a part of day say so."""
    hour_text, minute_text, half = digits
    hour, minute = int(hour_text or 0), int(minute_text or 0)
    if hour > 23 or minute > 59:
        return None
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    elif part and 1 <= hour <= 12:
        hour = hour % 12 + (12 if part.until > time(12) else 0)
    elif 1 <= hour <= 7 and not (before and before <= time(hour, minute)):
        hour += 12
    found = time(hour, minute)
    if before and not half and found >= before and hour >= 12:
        found = time(hour - 12, minute)
    return found


def _part_of_day(said: str) -> PartOfDay | None:
    # "de la manana" behind a time, and "manana" alone as tomorrow, are told apart by length.
    # "5 am" names an hour and "i am" somebody.
    hits = [
        (hit.end() - hit.start(), part)
        for part in load_table().parts_of_day
        for hit in _find(part, re.sub(r"\d+(?:[:.]\d+)?\s*[ap]m\b|\bi am\b", " ", said))
    ]
    return max(hits, key=lambda each: each[0])[1] if hits else None


def _find(words: Words | PartOfDay, said: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"\b{_any(words)}\b", said))


def _any(words: Words | PartOfDay) -> str:
    longest_first = sorted([*words.en, *words.es], key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})"
