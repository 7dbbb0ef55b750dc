"""The table of level-of-care rules as values: its schema and its loading.

`rules.yml` is what clinicians review; here every entry is checked against the
words of the house (items, values, levels), and a mistake is reported with file
and line. `engine.py` applies the table.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pydantic

from bot.care.states import STATE_CODES
from bot.reviewed import Bilingual, DataError, Document, Problem, ReviewedModel
from bot.vocabulary import ITEMS, LEVELS, STATE, UNKNOWN

RULES_FILE = Path(__file__).with_name("rules.yml")

# What the engine may say besides the rules; each has its wording in `outcomes`.
SAFETY_NOT_KNOWN = "safety-not-known"
NOT_ENOUGH_KNOWN = "not-enough-known"
LEVEL_NOT_OFFERED = "level-not-offered"
MINOR = "under-18"
AGE_NOT_KNOWN = "age-not-known"
OUTCOMES = (SAFETY_NOT_KNOWN, NOT_ENOUGH_KNOWN, LEVEL_NOT_OFFERED, MINOR, AGE_NOT_KNOWN)


class Identifier(pydantic.ConstrainedStr):
    """A rule's name: lower-case words joined by hyphens."""

    regex = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Sentence(pydantic.ConstrainedStr):
    """A text that is not empty."""

    strip_whitespace = True
    min_length = 1


class ClinicCondition(ReviewedModel):
    """What the clinic's profile must say for a rule to hold there."""

    outpatient_for_moderate: bool


class Rule(ReviewedModel):
    """One line of the table.

    Attributes:
        id: the rule's name, as reported in reasons.
        when: item to the values with which the rule holds; all items must match.
        floor: the lowest level that the rule allows, or None for a note.
        note: a remark for staff; sets no floor.
        bound: raises `at_least`, but does not settle the level by itself.
        clinic: what the clinic's profile must say, or None for every clinic.
        why: one plain sentence for staff.
        visitor: the same in the visitor's terms; notes have none.
        source: key of the table's `sources`.
    """

    id: Identifier
    when: dict[str, list[str]]
    floor: str | None = None
    note: bool = False
    bound: bool = False
    clinic: ClinicCondition | None = None
    why: Sentence
    visitor: Bilingual | None = None
    source: Sentence

    def holds_at(self, *, outpatient_for_moderate: bool) -> bool:
        """Whether the rule is used at a clinic with this profile."""
        return self.clinic is None or self.clinic.outpatient_for_moderate == outpatient_for_moderate


class Outcome(ReviewedModel):
    """Why a person decides, or why the visitor is told no level."""

    why: Sentence
    visitor: Bilingual
    source: Sentence


class RuleTable(ReviewedModel):
    """The whole of `rules.yml`.

    Attributes:
        sources: key to the document it stands for.
        safety_items: items without which no level is settled.
        applies: item to the answers (item to values) with which it is a question.
        rules: in the order of the file.
        outcomes: what the engine says besides the rules, by name.
    """

    sources: dict[str, Sentence]
    safety_items: list[str]
    applies: dict[str, dict[str, list[str]]]
    rules: list[Rule]
    outcomes: dict[str, Outcome]

    def version(self) -> str:
        """Twelve hex digits that change whenever the content of the table changes."""
        canonical = json.dumps(self.dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def valid_values(item: str) -> tuple[str, ...]:
    """The values that `item` (a key of `ITEMS`) takes, without `unknown`."""
    return STATE_CODES if item == STATE else ITEMS[item]


def rule_problems(path: Path = RULES_FILE) -> list[Problem]:
    """Every mistake in the table at `path`, with file and line."""
    try:
        document = Document(path)
        table = document.parse(RuleTable)
    except DataError as error:
        return error.problems
    return list(_problems(document, table))


def read_rules(path: Path) -> RuleTable:
    """The table at `path`; raises `DataError` with every mistake in it."""
    problems = rule_problems(path)
    if problems:
        raise DataError(problems)
    return Document(path).parse(RuleTable)


@functools.cache
def load_table() -> RuleTable:
    """Handrail's own table; raises `DataError` with every mistake in it."""
    return read_rules(RULES_FILE)


def _problems(document: Document, table: RuleTable) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, rule in enumerate(table.rules):
        here = ("rules", index)
        if rule.id in seen or rule.id in OUTCOMES:
            yield document.problem((*here, "id"), f"the id {rule.id!r} is taken; choose another")
        seen.add(rule.id)
        if not rule.when:
            yield document.problem((*here, "when"), "a rule needs at least one condition")
        for message in _condition_mistakes(rule.when):
            yield document.problem((*here, "when"), message)
        if rule.note == (rule.floor is not None):
            yield document.problem(here, f"{rule.id}: give either a floor or `note: true`")
        if rule.floor is not None and rule.floor not in LEVELS:
            yield document.problem(
                (*here, "floor"), f"{rule.floor!r} is not a level; use one of {', '.join(LEVELS)}"
            )
        if rule.bound and rule.note:
            yield document.problem((*here, "bound"), "a note cannot be a bound")
        if rule.floor is not None and rule.visitor is None:
            yield document.problem(here, f"{rule.id}: a floor needs the visitor's wording too")
        if rule.source not in table.sources:
            yield document.problem(
                (*here, "source"), f"{rule.source!r} is not among `sources`; add it there"
            )
    for position, item in enumerate(table.safety_items):
        if item not in ITEMS:
            yield document.problem(("safety_items", position), _no_such_item(item))
    for item, condition in table.applies.items():
        if item not in ITEMS:
            yield document.problem(("applies", item), _no_such_item(item))
        for message in _condition_mistakes(condition):
            yield document.problem(("applies", item), message)
    cited = {rule.source for rule in table.rules}
    cited |= {outcome.source for outcome in table.outcomes.values()}
    for key in table.sources.keys() - cited:
        yield document.problem(("sources", key), f"nothing cites {key!r}; take it out")
    for name in OUTCOMES:
        if name not in table.outcomes:
            yield document.problem(("outcomes",), f"the outcome {name!r} is missing")
    for name, outcome in table.outcomes.items():
        if name not in OUTCOMES:
            yield document.problem(("outcomes", name), f"the engine knows no outcome {name!r}")
        if outcome.source not in table.sources:
            yield document.problem(
                ("outcomes", name, "source"), f"{outcome.source!r} is not among `sources`"
            )


def _condition_mistakes(condition: dict[str, list[str]]) -> Iterator[str]:
    for item, values in condition.items():
        if item not in ITEMS:
            yield _no_such_item(item)
            continue
        if not values:
            yield f"{item}: list at least one value"
        allowed = (*valid_values(item), UNKNOWN)
        for value in values:
            if value not in allowed:
                yield f"{item} does not take {value!r}; it takes {', '.join(allowed)}"


def _no_such_item(item: str) -> str:
    return f"there is no item {item!r}; the items are {', '.join(ITEMS)}"
