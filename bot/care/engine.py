"""The level-of-care engine: answers in, a disposition with its reasons out.

Every rule whose conditions all hold sets its floor and the highest floor wins;
nothing is averaged or added up. What is not known never lowers the result: it
turns the level into `consultation`, where a person decides, while `at_least`
keeps the floor that is certain.

Each rule is one bit of an integer. Per item and value there is a mask of the
rules that this value leaves standing, so that an evaluation is one AND per item.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from bot.care.rules import (
    AGE_NOT_KNOWN,
    LEVEL_NOT_OFFERED,
    MINOR,
    NOT_ENOUGH_KNOWN,
    SAFETY_NOT_KNOWN,
    Rule,
    RuleTable,
    load_table,
    valid_values,
)
from bot.reviewed import Bilingual
from bot.vocabulary import (
    CONSULTATION,
    CRISIS_ASSESSMENT,
    EMERGENCY,
    ITEMS,
    LEVELS,
    UNKNOWN,
)

CRISIS_LEVELS = (CRISIS_ASSESSMENT, EMERGENCY)


class Reason(NamedTuple):
    """Why the disposition is as it is.

    Attributes:
        rule: id of the rule or outcome in `rules.yml`.
        floor: the level the rule sets at least; None for notes and outcomes.
        why: one plain sentence for staff, in English.
        visitor: the same in the visitor's terms; None for notes.
        source: the document it rests on.
        items: the questionnaire items that the rule asks about; none for outcomes.
    """

    rule: str
    floor: str | None
    why: str
    visitor: Bilingual | None
    source: str
    items: tuple[str, ...] = ()


class Disposition(NamedTuple):
    """What the rules say about one set of answers.

    Attributes:
        level: a member of `LEVELS`, or `consultation`: for staff.
        at_least: the floor that is certain, a member of `LEVELS`.
        reasons: what led to `level`, the highest floor first; then why a person
            decides, if so. For `outpatient`, what speaks for it.
        notes: remarks for staff that set no floor.
        unknown: items without an answer, in the order of `ITEMS`.
        visitor_level: what the visitor may be told, or None. Jurisdictions
            (`jurisdictions.py`) stand before it, and crisis help before both:
            see `is_crisis`.
        withheld: why `visitor_level` is None, or None.
        rules_version: version of the table that was applied.
    """

    level: str
    at_least: str
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    unknown: tuple[str, ...]
    visitor_level: str | None
    withheld: Reason | None
    rules_version: str

    @property
    def is_crisis(self) -> bool:
        """Crisis help comes first, whatever the visitor's age, state or clinic."""
        return self.level in CRISIS_LEVELS

    def visitor_reasons(self, language: str, most: int = 3) -> list[str]:
        """At most `most` reasons in the visitor's own terms, the weightiest first."""
        wordings = dict.fromkeys(
            reason.visitor.in_language(language) for reason in self.reasons if reason.visitor
        )
        return list(wordings)[:most]


class Prospect(NamedTuple):
    """What further answers could still do.

    Attributes:
        at_least: the floor that no further answer can take away.
        person_decides: safety is not known for good: the level is `consultation`
            unless a crisis floor still turns up.
        worth_asking: the open items that could change the level, in the order of
            `ITEMS`; none: the level is settled.
    """

    at_least: str
    person_decides: bool
    worth_asking: tuple[str, ...]


class Rules:
    """A table of rules, ready to evaluate answers.

    Args:
        table: a checked table (`read_rules`, `load_table`).
    """

    def __init__(self, table: RuleTable):
        self.table = table
        self.version = table.version()
        # Rules with the highest floor come first: bit order is reason order.
        self._rules: list[Rule] = sorted(
            table.rules, key=lambda rule: -LEVELS.index(rule.floor) if rule.floor else 1
        )
        self._bit = {rule.id: bit for bit, rule in enumerate(self._rules)}
        self._masks = {item: self._masks_of(item) for item in ITEMS}
        self._unasked = {
            item: self._bits(rule for rule in self._rules if item not in rule.when)
            for item in ITEMS
        }
        self._floors = [(level, self._bits_of_floor(level)) for level in reversed(LEVELS)]
        self._notes = self._bits(rule for rule in self._rules if rule.note)
        self._bounds = self._bits(rule for rule in self._rules if rule.bound)
        self._raising = self._bits(
            rule for rule in self._rules if rule.floor not in (None, LEVELS[0])
        )
        self._at_clinic = {
            flag: self._bits(
                rule for rule in self._rules if rule.holds_at(outpatient_for_moderate=flag)
            )
            for flag in (False, True)
        }
        self._safety = frozenset(table.safety_items)
        self._outcomes = {
            name: Reason(name, None, outcome.why, outcome.visitor, table.sources[outcome.source])
            for name, outcome in table.outcomes.items()
        }
        self._reasons = [
            Reason(
                rule.id,
                rule.floor,
                rule.why,
                rule.visitor,
                table.sources[rule.source],
                tuple(rule.when),
            )
            for rule in self._rules
        ]
        # Few combinations of reasons occur; building them anew would be half the time.
        self._reasons_of = functools.lru_cache(maxsize=16384)(self._list_reasons)

    def evaluate(
        self,
        answers: Mapping[str, str],
        *,
        outpatient_for_moderate: bool = False,
        levels_offered: Collection[str] | None = None,
    ) -> Disposition:
        """The disposition for `answers`.

        Args:
            answers: item to value, as in `bot.vocabulary.ITEMS`; a missing item
                and the value `unknown` mean the same.
            outpatient_for_moderate: the clinic's outpatient care suits moderate
                symptoms of somebody with strong support at home.
            levels_offered: the programs the clinic has; None for all. The two
                crisis levels are nobody's program and always stand.

        Raises:
            ValueError: an item or value that does not exist, naming what does.
        """
        holds = possible = self._at_clinic[outpatient_for_moderate]
        unknown: list[str] = []
        try:
            for item, masks in self._masks.items():
                value = answers.get(item, UNKNOWN)
                holds &= masks[value]
                if value == UNKNOWN:
                    unknown.append(item)
                else:
                    possible &= masks[value]
        except (KeyError, TypeError):
            raise ValueError(_no_such_value(item, value)) from None
        if len(answers) + len(unknown) != len(ITEMS) and not answers.keys() <= ITEMS.keys():
            raise ValueError(_no_such_item(answers))

        at_least = self._highest(holds)
        extra: list[Reason] = []
        if at_least in CRISIS_LEVELS:
            level = at_least
        elif not self._safety.isdisjoint(unknown):
            level = CONSULTATION
            extra.append(self._outcomes[SAFETY_NOT_KNOWN])
        elif not holds & self._raising & ~self._bounds and possible & self._raising:
            level = CONSULTATION
            extra.append(self._outcomes[NOT_ENOUGH_KNOWN])
        else:
            level = at_least
            if levels_offered is not None and level not in levels_offered:
                level = CONSULTATION
                extra.append(self._outcomes[LEVEL_NOT_OFFERED])

        for item, condition in self.table.applies.items():
            if item in unknown and any(
                answers.get(other, UNKNOWN) not in values for other, values in condition.items()
            ):
                unknown.remove(item)
        telling = holds & self._raising or holds & ~self._notes
        withheld = self._withheld(answers.get("age_band", UNKNOWN))
        return Disposition(
            level,
            at_least,
            (*self._reasons_of(telling), *extra) if extra else self._reasons_of(telling),
            self._reasons_of(holds & self._notes),
            tuple(unknown),
            None if withheld else level,
            withheld,
            self.version,
        )

    def prospect(
        self, answers: Mapping[str, str], *, outpatient_for_moderate: bool = False
    ) -> Prospect:
        """What asking further could still change; the questionnaire lives on this.

        Here a missing item is open (not asked yet), while `unknown` is an answer:
        asked and not known. Arguments and errors otherwise as in `evaluate`.
        """
        certain = possible = self._at_clinic[outpatient_for_moderate]
        undecided = set()
        try:
            for item, masks in self._masks.items():
                if item not in answers:
                    certain &= self._unasked[item]
                    continue
                certain &= masks[answers[item]]
                possible &= masks[answers[item]]
                if answers[item] == UNKNOWN:
                    undecided.add(item)
        except (KeyError, TypeError):
            raise ValueError(_no_such_value(item, answers[item])) from None
        if not answers.keys() <= ITEMS.keys():
            raise ValueError(_no_such_item(answers))

        at_least = self._highest(certain)
        if at_least in CRISIS_LEVELS:
            return Prospect(at_least, False, ())
        person_decides = bool(self._safety & undecided)
        # Only rules above this rank can still change the level.
        rank = LEVELS.index(self._highest(certain & ~self._bounds))
        if person_decides:
            rank = LEVELS.index(CRISIS_ASSESSMENT) - 1
        worth = {
            item
            for bit, rule in enumerate(self._rules)
            if possible >> bit & 1 and rule.floor and LEVELS.index(rule.floor) > rank
            for item in rule.when
        }
        if not person_decides:
            worth |= self._safety
        worth -= answers.keys()
        return Prospect(at_least, person_decides, tuple(item for item in ITEMS if item in worth))

    def _highest(self, holds: int) -> str:
        for level, bits in self._floors:
            if holds & bits:
                return level
        return LEVELS[0]

    def _list_reasons(self, bits: int) -> tuple[Reason, ...]:
        found = []
        while bits:
            lowest = bits & -bits
            found.append(self._reasons[lowest.bit_length() - 1])
            bits ^= lowest
        return tuple(found)

    def _withheld(self, age_band: str) -> Reason | None:
        if age_band == "under_18":
            return self._outcomes[MINOR]
        if age_band == UNKNOWN:
            return self._outcomes[AGE_NOT_KNOWN]
        return None

    def _masks_of(self, item: str) -> dict[str, int]:
        return {
            value: self._bits(
                rule for rule in self._rules if item not in rule.when or value in rule.when[item]
            )
            for value in (*valid_values(item), UNKNOWN)
        }

    def _bits_of_floor(self, level: str) -> int:
        return self._bits(rule for rule in self._rules if rule.floor == level)

    def _bits(self, chosen: Iterable[Rule]) -> int:
        return sum(1 << self._bit[rule.id] for rule in chosen)


@functools.cache
def load_rules() -> Rules:
    """Handrail's own rules; raises `bot.reviewed.DataError` on a mistake in the table."""
    return Rules(load_table())


def _no_such_value(item: str, value: object) -> str:
    allowed = ", ".join((*valid_values(item), UNKNOWN))
    return f"{item} does not take {value!r}; it takes {allowed}"


def _no_such_item(answers: Mapping[str, str]) -> str:
    strangers = ", ".join(repr(item) for item in answers if item not in ITEMS)
    return f"there is no item {strangers}; the items are {', '.join(ITEMS)}"
