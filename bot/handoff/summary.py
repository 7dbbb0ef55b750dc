"""The summary of a hand-off for staff: a dozen lines at most, by template, in English.

Pure: everything comes from the record. What rests on answers about substance use is
tagged: federal law (42 CFR Part 2) protects it beyond other health information, and
nothing outside the console may carry it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from datetime import timezone
from pathlib import Path

from bot.handoff.callback import PERSON, VISITOR, display_phone
from bot.handoff.records import HandoffRecord
from bot.reviewed import Document, ReviewedModel
from bot.safety.lexicon import CATEGORIES
from bot.vocabulary import TIER_NONE, TIERS, UNKNOWN

SUMMARY_FILE = Path(__file__).with_name("summary.yml")
PART_2 = "42 CFR Part 2"
MOST_LINES = 12  # of any summary; a test tries every kind of record

SUBSTANCE_ITEMS = frozenset({"substance_use", "withdrawal_risk"})
SUBSTANCE_CATEGORIES = frozenset({"overdose_and_poison", "medical_emergency_and_withdrawal"})
_MOST_REASONS = 3
_LONGEST = 400  # characters of a line


class Wording(ReviewedModel):
    """The whole of `summary.yml`."""

    lines: dict[str, str]
    tiers: dict[str, str]
    categories: dict[str, str]
    rules: dict[str, str]
    ways: dict[str, str]
    words: dict[str, str]
    languages: dict[str, str]
    channels: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Line:
    """One line; `part2`: it rests on substance-use answers and stays in the console."""

    text: str
    part2: bool = False


@dataclasses.dataclass(frozen=True)
class Summary:
    """The lines of a summary, in order.

    Whatever leaves the console must be made of `outside_part2`.
    """

    lines: tuple[Line, ...]

    @property
    def outside_part2(self) -> tuple[str, ...]:
        """The lines that do not rest on substance-use answers."""
        return tuple(line.text for line in self.lines if not line.part2)

    @property
    def part2(self) -> tuple[str, ...]:
        """The lines that do; show them under the words of `PART_2`."""
        return tuple(line.text for line in self.lines if line.part2)


@functools.cache
def load_wording() -> Wording:
    """The staff's wording; raises `bot.reviewed.DataError` on a mistake or a gap."""
    wording = Document(SUMMARY_FILE).parse(Wording)
    missing = {*TIERS, *CATEGORIES} - {*wording.tiers, *wording.categories}
    if missing:
        raise KeyError(f"{SUMMARY_FILE} has no words for {', '.join(sorted(missing))}")
    return wording


def summary(record: HandoffRecord) -> Summary:
    """The summary of `record`, at most `MOST_LINES` lines."""
    return Summary(
        tuple(Line(_one_line(line.text), line.part2) for line in _lines(record, load_wording()))
    )


def _lines(record: HandoffRecord, wording: Wording) -> Iterator[Line]:
    say = wording.lines
    words = wording.words
    answers = record.answers
    age = answers.get("age_band", UNKNOWN)
    yield Line(
        say["who"].format(
            name=record.name or words["no_name"],
            age=words.get(age, words["age_unknown"]),
            state=record.state or words["state_unknown"],
        )
    )
    yield Line(_for_whom(record, wording))
    yield from _risk(record, wording)
    yield Line(_contact(record, wording))
    if record.best_time:
        zone = f" ({record.time_zone})" if record.time_zone else ""
        yield Line(say["when"].format(words=record.best_time, zone=zone))
    elif record.phone:
        yield Line(say["any_time"])
    yield Line(
        say["language"].format(
            language=wording.languages.get(record.language, record.language),
            channel=wording.channels.get(record.channel, record.channel),
            consent=_consent(record, wording),
        )
    )
    yield from _care(record, wording)
    if record.unknown:
        yield Line(say["unknown"].format(items=", ".join(map(_plain, record.unknown))))


def _consent(record: HandoffRecord, wording: Wording) -> str:
    if record.consent_at is None:
        return wording.lines["no_consent"]
    at = record.consent_at.astimezone(timezone.utc)
    return wording.lines["consent"].format(at=at.strftime("%Y-%m-%d %H:%M"))


def _for_whom(record: HandoffRecord, wording: Wording) -> str:
    for_whom = record.answers.get("for_whom", UNKNOWN)
    if for_whom == "self":
        return wording.lines["for_self"]
    if for_whom != "someone_else":
        return wording.lines["for_unknown"]
    owner = {VISITOR: "owner_visitor", PERSON: "owner_person"}.get(record.phone_owner or "")
    return (
        wording.lines["for_other"]
        .format(
            person=_plain(record.relation or "not told who"),
            owner=wording.lines[owner or "owner_unknown"] if record.phone else "",
        )
        .strip()
    )


def _risk(record: HandoffRecord, wording: Wording) -> Iterator[Line]:
    meaning = wording.tiers.get(record.tier, "")
    yield Line(wording.lines["risk"].format(tier=_plain(record.tier), meaning=meaning))
    if record.tier == TIER_NONE or not record.tier_rule:
        return
    category = record.safety_category or ""
    kind = wording.categories.get(category) or wording.rules.get(record.tier_rule, "lexicon")
    yield Line(
        wording.lines["risk_rule"].format(rule=_plain(record.tier_rule), meaning=kind),
        part2=category in SUBSTANCE_CATEGORIES,
    )


def _contact(record: HandoffRecord, wording: Wording) -> str:
    if not record.phone:
        return wording.lines["no_contact"]
    allowed = (record.ok_to_call, record.ok_to_text)
    way = {("yes", "yes"): "both", ("yes", "no"): "call", ("no", "yes"): "text"}.get(
        (str(allowed[0]), str(allowed[1])), UNKNOWN
    )
    return wording.lines["contact"].format(
        ways=wording.ways[way],
        phone=display_phone(record.phone),
        voicemail=wording.words.get(record.ok_voicemail or UNKNOWN, wording.words[UNKNOWN]),
    )


def _care(record: HandoffRecord, wording: Wording) -> Iterator[Line]:
    say = wording.lines
    if record.level:
        yield Line(
            say["level"].format(
                level=_plain(record.level), at_least=_plain(record.at_least or UNKNOWN)
            )
        )
    else:
        yield Line(say["no_level" if record.answers else "no_answers"])
    tagged = [reason for reason in record.reasons if SUBSTANCE_ITEMS & set(reason["items"])]
    others = [reason for reason in record.reasons if reason not in tagged]
    if others:
        yield Line(say["because"].format(reasons=_reasons(others)))
    if tagged:
        yield Line(say["because_part2"].format(reasons=_reasons(tagged)), part2=True)
    told = {item: record.answers.get(item, UNKNOWN) for item in sorted(SUBSTANCE_ITEMS)}
    if set(told.values()) != {UNKNOWN}:
        plain = {item: _plain(value) for item, value in told.items()}
        yield Line(say["substance"].format(**plain), part2=True)


def _reasons(reasons: Sequence[Mapping[str, object]]) -> str:
    return " ".join(str(reason["why"]) for reason in reasons[:_MOST_REASONS])


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
