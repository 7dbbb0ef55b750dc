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

from bot.care.questionnaire import load_questionnaire
from bot.handoff.callback import PERSON, VISITOR, display_phone
from bot.handoff.records import HandoffRecord
from bot.reviewed import Document, ReviewedModel
from bot.safety.lexicon import CATEGORIES
from bot.vocabulary import LEVELS, TIER_NONE, TIERS, UNKNOWN

SUMMARY_FILE = Path(__file__).with_name("summary.yml")
PART_2 = "42 CFR Part 2"
MOST_LINES = 12  # of any summary; a test tries every kind of record

_SUBSTANCE_ORDER = ("substance_use", "withdrawal_risk")
SUBSTANCE_ITEMS = frozenset(_SUBSTANCE_ORDER)
SUBSTANCE_CATEGORIES = frozenset({"overdose_and_poison", "medical_emergency_and_withdrawal"})
_MOST_REASONS = 3
_LONGEST = 400  # characters of a line
_SOMEBODY = "someone_else"


class Wording(ReviewedModel):
    """The whole of `summary.yml`."""

    lines: dict[str, str]
    tiers: dict[str, str]
    categories: dict[str, str]
    rules: dict[str, str]
    ways: dict[str, str]
    voicemail: dict[str, str]
    ages: dict[str, str]
    levels: dict[str, str]
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
    missing = {
        *set(TIERS).difference(wording.tiers),
        *set(CATEGORIES).difference(wording.categories),
        *set(LEVELS).difference(wording.levels),
    }
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
    yield Line(_who(record, wording))
    yield Line(_for_whom(record, wording))
    yield from _risk(record, wording)
    yield Line(_contact(record, wording))
    if record.best_time:
        city = (record.time_zone or "").rpartition("/")[2]
        zone = say["zone"].format(city=_plain(city)) if city else ""
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
        yield Line(say["unknown"].format(items=", ".join(map(_topic, record.unknown))))


def _who(record: HandoffRecord, wording: Wording) -> str:
    """Name, age and state; the age only where it is the visitor's own."""
    say = wording.lines
    age = _age(record)
    own_age = _for(record) != _SOMEBODY
    known = [record.name or say["no_name"]]
    if own_age and age != UNKNOWN:
        known.append(wording.ages[age])
    if record.state:
        known.append(record.state)
    no_age, no_state = own_age and age == UNKNOWN, not record.state
    missing = {
        (True, True): "no_age_and_state",
        (True, False): "no_age",
        (False, True): "no_state",
    }.get((no_age, no_state))
    line = say["who"].format(known=", ".join(known))
    return f"{line} {say[missing]}" if missing else line


def _age(record: HandoffRecord) -> str:
    return record.answers.get("age_band", UNKNOWN)


def _for(record: HandoffRecord) -> str:
    return record.answers.get("for_whom", UNKNOWN)


def _consent(record: HandoffRecord, wording: Wording) -> str:
    if record.consent_at is None:
        return wording.lines["no_consent"]
    at = record.consent_at.astimezone(timezone.utc)
    return wording.lines["consent"].format(at=at.strftime("%Y-%m-%d %H:%M"))


def _for_whom(record: HandoffRecord, wording: Wording) -> str:
    say = wording.lines
    if _for(record) != _SOMEBODY:
        return say["for_self" if _for(record) == "self" else "for_unknown"]
    owner = {VISITOR: "owner_visitor", PERSON: "owner_person"}.get(record.phone_owner or "")
    line = say["for_other" if record.relation else "for_somebody"]
    return line.format(
        person=_plain(record.relation or ""),
        age=wording.ages[_age(record)],
        owner=say[owner or "owner_unknown"] if record.phone else "",
    ).strip()


def _risk(record: HandoffRecord, wording: Wording) -> Iterator[Line]:
    yield Line(wording.lines["risk"].format(meaning=wording.tiers[record.tier]))
    if record.tier == TIER_NONE or not record.tier_rule:
        return
    category = record.safety_category or ""
    kind = wording.categories.get(category) or wording.rules.get(
        record.tier_rule, wording.rules["other"]
    )
    yield Line(
        wording.lines["risk_rule"].format(rule=_plain(record.tier_rule), meaning=kind),
        part2=category in SUBSTANCE_CATEGORIES,
    )


def _contact(record: HandoffRecord, wording: Wording) -> str:
    if not record.phone:
        return wording.lines["no_contact"]
    way = {
        ("yes", "yes"): "both",
        ("yes", "no"): "call",
        ("no", "yes"): "text",
        ("no", "no"): "neither",
    }.get((str(record.ok_to_call), str(record.ok_to_text)), UNKNOWN)
    number = wording.ways[way].format(phone=display_phone(record.phone))
    return f"{number} {wording.voicemail[record.ok_voicemail or UNKNOWN]}"


def _care(record: HandoffRecord, wording: Wording) -> Iterator[Line]:
    say, level, at_least = wording.lines, record.level, record.at_least
    if level in wording.levels:
        yield Line(say["level"].format(level=wording.levels[level]))
    elif at_least in wording.levels:
        yield Line(say["level_open"].format(at_least=wording.levels[at_least]))
    elif level:
        yield Line(say["not_enough"])
    else:
        yield Line(say["no_level" if record.answers else "no_answers"])
    tagged = [reason for reason in record.reasons if SUBSTANCE_ITEMS & set(reason["items"])]
    others = [reason for reason in record.reasons if reason not in tagged]
    if others:
        yield Line(say["because"].format(reasons=_reasons(others)))
    if tagged:
        yield Line(say["because_part2"].format(reasons=_reasons(tagged)), part2=True)
    told = [item for item in _SUBSTANCE_ORDER if record.answers.get(item, UNKNOWN) != UNKNOWN]
    if told:
        answers = ". ".join(_answer(item, record.answers[item]) for item in told)
        yield Line(say["substance"].format(answers=answers), part2=True)


def _answer(item: str, value: str) -> str:
    """Topic and answer as they stood before the visitor."""
    asked = load_questionnaire().items[item]
    return f"{asked.topic.en}: {asked.label_of(value, 'en') or _plain(value)}"


def _topic(item: str) -> str:
    """What an item is about, inside a sentence."""
    asked = load_questionnaire().items.get(item)
    words = asked.topic.en if asked else _plain(item)
    return words[:1].lower() + words[1:]


def _reasons(reasons: Sequence[Mapping[str, object]]) -> str:
    return " ".join(str(reason["why"]) for reason in reasons[:_MOST_REASONS])


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
