"""What is wrong with the clinic profiles, said so that an admin can mend it.

`handrail check` prints these. `bot.clinic.profile.load_clinic` already refuses a
profile that cannot be used; this finds that too, and what would only read, dial or
open badly. The reading grade of the shipped answers is tested in tests/clinic, because
the library that computes it is for development only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import phonenumbers

from bot.clinic import gsm7
from bot.clinic.hours import UnreadableHoursError, check_rule, clinic_zone, exception_rule
from bot.clinic.phrasings import phrasing_problems
from bot.clinic.profile import (
    Clinic,
    Phone,
    answer_texts,
    profile_paths,
    read_profile,
    usability_problems,
)
from bot.clinic.topics import LABEL_LIMIT, load_topics
from bot.reviewed import DataError, Document, Location, Problem
from bot.vocabulary import LANGUAGES

WEB_WORDS = 80
"""The most words of a web answer."""

SMS_CHARACTERS = 320
"""The most characters of an SMS answer; Twilio recommends no more for one message."""

LEAST_CONTRAST = 4.5
"""Contrast of white words on the clinic's colour: WCAG 2.2, success criterion 1.4.3 (AA)."""

# What the end of article 000_506317d40345b2fb.txt is full of: gambling spam, never ours.
_SPAM = re.compile(
    r"gacor|\btoto|toto\d*\b|qdal\d|maxwin|slot (?:thailand|qris)|casino", re.IGNORECASE
)

_SPAN = re.compile(r"\b(\d{1,2}:\d{2})-(\d{1,2}:\d{2})\b")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})\b")


def problems(folder: Path, learnt: Mapping[str, str] = MappingProxyType({})) -> list[Problem]:
    """Every mistake and warning in the profiles of `folder` and in the topics' labels.

    Args:
        learnt: intent by example, as in data/nlu: phrasings of added entries may not
            stand under another intent there.
    """
    found: list[Problem] = []
    try:
        load_topics()
    except DataError as error:
        found += error.problems
    paths = profile_paths(folder)
    if not paths:
        found.append(Problem(folder, 1, "no clinic profile (*.yml) is here"))
    profiles = []
    for path in paths:
        try:
            document, clinic = profile = read_profile(path)
        except DataError as error:
            found += error.problems
        else:
            profiles.append(profile)
            found += usability_problems(document, clinic)
            found += _phone_problems(document, clinic)
            found += _hours_problems(document, clinic)
            found += _website_problems(document, clinic)
            found += _label_problems(document, clinic)
            found += _notification_problems(document, clinic)
            found += _source_problems(document, clinic)
            found += _spam_problems(document)
            found += _text_problems(document, clinic)
    found += phrasing_problems(profiles, learnt)
    return sorted(found, key=lambda problem: (problem.path, problem.line))


def _phone_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    lines: list[tuple[str, Phone | None]] = [
        ("phone", clinic.phone),
        ("crisis_line", clinic.crisis_line),
    ]
    for place, phone in lines:
        if phone is None:
            continue
        dialled = _number(phone.e164)
        if dialled is None or not phonenumbers.is_valid_number(dialled):
            yield document.problem(
                (place, "e164"), f"{phone.e164} is not a number that can be dialled"
            )
        elif _number(phone.display) != dialled:
            yield document.problem(
                (place, "display"), f"{phone.display!r} is not the same number as {phone.e164}"
            )


def _number(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None


def _hours_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    hours = clinic.hours
    rules: list[tuple[Location, str]] = [(("hours", "rule"), hours.rule)]
    for position, exception in enumerate(hours.exceptions):
        rules.append((("hours", "exceptions", position), exception_rule(exception)))
    for location, rule in rules:
        try:
            check_rule(rule)
        except UnreadableHoursError as error:
            yield document.problem(location, f"{error}; until then the line counts as closed")
    for position, exception in enumerate(hours.exceptions):
        if exception.date in [earlier.date for earlier in hours.exceptions[:position]]:
            yield document.problem(
                ("hours", "exceptions", position),
                f"{exception.date} stands here twice; only the last one counts",
            )
    for start, end in _SPAN.findall(hours.rule):
        if _minutes(end) <= _minutes(start) or _minutes(end) > _minutes("24:00"):
            yield document.problem(
                ("hours", "rule"),
                f"{start}-{end} ends on the next day; if that is not meant, write the opening "
                "first and no time after 24:00",
                warning=True,
            )
    try:
        clinic_zone(clinic)
    except UnreadableHoursError as error:
        yield document.problem(
            ("time_zone",), f"{error}; use an IANA name such as America/New_York"
        )
    else:
        if "/" not in clinic.time_zone:
            yield document.problem(
                ("time_zone",),
                f"{clinic.time_zone} may have no summer time; name the place instead, such as "
                "America/New_York",
            )
    for language in LANGUAGES:
        words = hours.in_words.in_language(language)
        for time in dict.fromkeys(_CLOCK.findall(hours.rule)):
            spoken = _spoken(int(time[0]), time[1], language)
            if spoken not in words:
                yield document.problem(
                    ("hours", "in_words", language),
                    f"the rule says {':'.join(time)}, but these words do not say {spoken!r}",
                )
    if hours.example:
        yield document.problem(
            ("hours", "example"),
            "these hours are an example; put the clinic's own, then example: false",
            warning=True,
        )


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


def _spoken(hour: int, minute: str, language: str) -> str:
    morning, afternoon = {"en": ("AM", "PM"), "es": ("a. m.", "p. m.")}[language]
    return f"{hour % 12 or 12}:{minute} {morning if hour % 24 < 12 else afternoon}"


def _website_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    website = clinic.website
    for position, origin in enumerate(website.origins):
        place = ("website", "origins", position)
        if origin in website.origins[:position]:
            yield document.problem(place, f"{origin} stands here twice; keep one")
        if origin.startswith("http://"):
            yield document.problem(
                place,
                f"{origin} is for trying things out; take it out before opening",
                warning=True,
            )
    if website.accent is not None:
        contrast = _contrast_to_white(website.accent)
        if contrast < LEAST_CONTRAST:
            yield document.problem(
                ("website", "accent"),
                f"white words on {website.accent} have a contrast of {contrast:.1f} to 1; "
                f"{LEAST_CONTRAST} is the least that people can read, choose a darker colour",
            )


def _contrast_to_white(colour: str) -> float:
    """WCAG 2.2's contrast ratio of white on `colour`, "#rrggbb"."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _label_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    for position, extra in enumerate(clinic.extra_faq):
        for language in LANGUAGES:
            length = len(extra.label.in_language(language))
            if length > LABEL_LIMIT:
                yield document.problem(
                    ("extra_faq", position, "label", language),
                    f"the label has {length} characters; a button holds {LABEL_LIMIT}",
                )


def _notification_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    told = clinic.notifications
    if not told.reach_somebody:
        yield document.problem(
            ("notifications",),
            "nobody is told of new and urgent requests; name coordinators or a webhook",
            warning=True,
        )
    elif not told.supervisors and told.webhook is None:
        yield document.problem(
            ("notifications", "supervisors"),
            "no supervisor is told when an urgent request stays unclaimed; coordinators are",
            warning=True,
        )


def _source_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    for position, entry in enumerate(clinic.faq):
        if entry.known and entry.source == "silent":
            yield document.problem(
                ("faq", position, "source"),
                "the answer counts as known, so name where it is written",
            )


def _text_problems(document: Document, clinic: Clinic) -> Iterator[Problem]:
    for answer in answer_texts(clinic):
        try:
            text = clinic.fill_in(answer.text, answer.language)
        except KeyError:
            continue  # usability_problems names the placeholder
        if answer.channel == "web":
            words = len(text.split())
            if words > WEB_WORDS:
                yield document.problem(
                    answer.location, f"the answer has {words} words; at most {WEB_WORDS} fit"
                )
            continue
        if len(text) > SMS_CHARACTERS:
            yield document.problem(
                answer.location,
                f"the answer has {len(text)} characters; an SMS may have {SMS_CHARACTERS}",
            )
        strangers = gsm7.outside(text)
        if strangers and answer.language == "en":
            yield document.problem(
                answer.location,
                f"{' '.join(strangers)} cannot be sent cheaply by SMS; use plain letters, "
                "straight quotes and a simple hyphen",
            )


def _spam_problems(document: Document) -> Iterator[Problem]:
    for location, text in _strings(document.data, ()):
        found = _SPAM.search(text)
        if found:
            yield document.problem(location, f"{found[0]!r} looks like spam; take it out")


def _strings(value: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _strings(child, (*location, key))
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from _strings(child, (*location, position))
    elif isinstance(value, str):
        yield location, value
