"""Proof that the engine and its table do what the clinical table says, for every answer.

Thirteen items can set a floor. Their values (with `unknown`) have 29,859,840
combinations, and a clinic may or may not call outpatient care right for moderate
symptoms: 59,719,680 cases. They are covered by decomposition:

1. `weekly_enough`, `recurring_crises`, `medication_support` and `emotion_regulation`
   each stand in exactly one rule above outpatient, alone, with the floor `iop` and no
   clinic condition (checked on the table below). The engine looks at rules above
   outpatient only through three questions: which floor is the highest that holds,
   whether any that settles the level holds, whether any could still hold. So the four
   items matter only through "does one of them hold" and "is one of them unknown": four
   classes instead of 108 combinations. All 108 are compared with their class on a
   sample of the other answers.
2. The clinic's condition stands only in rules that ask for moderate symptoms (checked
   on the table), so the second kind of clinic is enumerated for those alone.

What remains, 1,382,400 cases, is evaluated one by one with the engine itself, and the
properties are then checked on the whole grid at once.
"""

from __future__ import annotations

import itertools
import random
import time

import numpy as np
import pytest

from bot.care.engine import Rules, load_rules
from bot.vocabulary import CONSULTATION, ITEMS, LEVELS, UNKNOWN

GRID_ITEMS = (
    "safety_now",
    "withdrawal_risk",
    "needs_24h_care",
    "recent_care",
    "stability",
    "symptom_severity",
    "daily_functioning",
    "substance_use",
    "support_at_home",
)
# Each raises to `iop` by itself, with one value, whatever the other answers are.
ALONE = {
    "weekly_enough": "no",
    "recurring_crises": "yes",
    "medication_support": "monitoring",
    "emotion_regulation": "yes",
}
NONE_HOLDS = {item: ITEMS[item][0] for item in ALONE}
CLASSES = (
    NONE_HOLDS,
    {**NONE_HOLDS, "weekly_enough": UNKNOWN},
    {**NONE_HOLDS, "recurring_crises": "yes"},
    {**NONE_HOLDS, "recurring_crises": "yes", "weekly_enough": UNKNOWN},
)
# From better to worse. `main_concern` is not worse than `alongside`: the table gives
# dual diagnosis the higher floor. `recent_care` is worse only with stability the same.
WORSE = {item: ITEMS[item] for item in GRID_ITEMS if item != "substance_use"}
CODES = {level: code for code, level in enumerate((*LEVELS, CONSULTATION))}
OUTPATIENT, IOP, PHP, INPATIENT, CRISIS, EMERGENCY, ASK = range(7)


class Grid:
    """Level and at_least for every combination, as codes, one axis per grid item.

    The last axis is the class of the four items that raise alone; the first is the
    clinic: 0, or 1 where outpatient care suits moderate symptoms.
    """

    def __init__(self, rules: Rules):
        values = [(*ITEMS[item], UNKNOWN) for item in GRID_ITEMS]
        shape = (2, *(len(v) for v in values), len(CLASSES))
        started = time.process_time()
        answers = [
            {**dict(zip(GRID_ITEMS, combination, strict=True)), **alone}
            for combination in itertools.product(*values)
            for alone in CLASSES
        ]
        moderate = [a["symptom_severity"] == "moderate" for a in answers]
        plain = [rules.evaluate(a)[:2] for a in answers]
        other = [
            rules.evaluate(a, outpatient_for_moderate=True)[:2] if is_moderate else known
            for a, known, is_moderate in zip(answers, plain, moderate, strict=True)
        ]
        self.seconds = time.process_time() - started
        self.evaluations = len(answers) + sum(moderate)
        both = [*plain, *other]
        self.level = np.array([CODES[level] for level, _ in both], np.int8).reshape(shape)
        self.at_least = np.array([CODES[floor] for _, floor in both], np.int8).reshape(shape)

    @staticmethod
    def axis(item: str) -> int:
        """The axis of `item`."""
        return 1 + GRID_ITEMS.index(item)

    def where(self, item: str, *wanted: str) -> np.ndarray:
        """Where `item` has one of the values, in a shape that broadcasts."""
        values = (*ITEMS[item], UNKNOWN)
        shape = [1] * self.level.ndim
        shape[self.axis(item)] = len(values)
        return np.array([value in wanted for value in values]).reshape(shape)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.fixture(scope="module")
def grid(rules: Rules) -> Grid:
    return Grid(rules)


# --- the decomposition is allowed -----------------------------------------------------


@pytest.mark.parametrize("item", ALONE)
def test_item_raises_to_iop_by_itself_and_in_no_other_rule(rules: Rules, item: str) -> None:
    raising = [
        rule
        for rule in rules.table.rules
        if item in rule.when and rule.floor not in (None, "outpatient")
    ]
    assert [(rule.when, rule.floor, rule.bound, rule.clinic) for rule in raising] == [
        ({item: [ALONE[item]]}, "iop", False, None)
    ]


def test_clinics_differ_only_for_moderate_symptoms(rules: Rules) -> None:
    different = [rule for rule in rules.table.rules if rule.clinic]
    assert different
    assert all(rule.when["symptom_severity"] == ["moderate"] for rule in different)


def test_all_items_above_outpatient_are_enumerated(rules: Rules) -> None:
    used = {
        item
        for rule in rules.table.rules
        if rule.floor not in (None, "outpatient")
        for item in rule.when
    }
    assert used == {*GRID_ITEMS, *ALONE}


def test_the_four_items_matter_only_through_their_class(rules: Rules) -> None:
    chance = random.Random(5)
    everything = list(
        itertools.product(*((*ITEMS[item], UNKNOWN) for item in ALONE)),
    )
    for _ in range(300):
        others = {item: chance.choice((*ITEMS[item], UNKNOWN)) for item in GRID_ITEMS}
        moderate = chance.random() < 0.5
        for values in everything:
            alone = dict(zip(ALONE, values, strict=True))
            holds = any(alone[item] == value for item, value in ALONE.items())
            unknown = UNKNOWN in values
            expected = {**others, **CLASSES[2 * holds + unknown]}
            assert (
                rules.evaluate({**others, **alone}, outpatient_for_moderate=moderate)[:2]
                == rules.evaluate(expected, outpatient_for_moderate=moderate)[:2]
            )


# --- what is proved -------------------------------------------------------------------


def test_every_case_has_a_level_and_a_floor(grid: Grid, capsys: pytest.CaptureFixture) -> None:
    assert ((grid.level >= OUTPATIENT) & (grid.level <= ASK)).all()
    assert (grid.at_least < ASK).all()
    with capsys.disabled():
        print(
            f"\nlevel of care: 59,719,680 cases covered by {grid.evaluations:,} evaluations "
            f"in {grid.seconds:.1f} s of one core"
        )


def test_level_is_the_floor_or_a_person_decides(grid: Grid) -> None:
    assert ((grid.level == grid.at_least) | (grid.level == ASK)).all()


def test_engine_agrees_with_the_clinical_table_written_out(grid: Grid) -> None:
    at = grid.where
    shape = grid.level.shape
    floor = np.zeros(shape, np.int8)

    def rule(level: int, condition: np.ndarray) -> None:
        np.maximum(floor, np.where(condition, level, 0).astype(np.int8), out=floor)

    moderate_outpatient = (np.arange(2) == 1).reshape(2, *[1] * (len(shape) - 1))
    alone_holds = np.isin(np.arange(4), (2, 3))
    alone_unknown = np.isin(np.arange(4), (1, 3))
    rule(EMERGENCY, at("safety_now", "immediate") | at("withdrawal_risk", "severe_signs"))
    rule(CRISIS, at("safety_now", "now"))
    rule(INPATIENT, at("needs_24h_care", "yes") | at("withdrawal_risk", "possible"))
    rule(PHP, at("symptom_severity", "severe") & at("daily_functioning", "unable"))
    after_hospital = at("recent_care", "inpatient", "php")
    rule(PHP, after_hospital & at("stability", "not_stable"))
    rule(IOP, after_hospital & at("stability", "stable"))
    rule(IOP, at("recent_care", "iop") & at("stability", "not_stable"))
    rule(IOP, alone_holds | at("substance_use", "alongside"))
    rule(IOP, at("symptom_severity", "severe") | at("daily_functioning", "unable"))
    rule(IOP, at("support_at_home", "none") | at("safety_now", "past"))
    rule(IOP, at("substance_use", "main_concern") & at("symptom_severity", "moderate", "severe"))
    strong = at("support_at_home", "strong")
    rule(IOP, at("symptom_severity", "moderate") & ~(moderate_outpatient & strong))

    # An unknown that could still set a floor above outpatient.
    could = (
        at("symptom_severity", UNKNOWN)
        | at("daily_functioning", UNKNOWN)
        | at("substance_use", UNKNOWN)
        | at("support_at_home", UNKNOWN)
        | at("recent_care", UNKNOWN)
        | (at("recent_care", "iop", "php", "inpatient") & at("stability", UNKNOWN))
        | alone_unknown
    )
    safety_unknown = (
        at("safety_now", UNKNOWN) | at("withdrawal_risk", UNKNOWN) | at("needs_24h_care", UNKNOWN)
    )
    level = np.where((floor == OUTPATIENT) & could, ASK, floor)
    level = np.where(safety_unknown & (floor < CRISIS), ASK, level)
    # Both answers on stability give at least IOP after a hospital or PHP.
    bound = after_hospital & at("stability", UNKNOWN)
    assert (grid.at_least == np.maximum(floor, np.where(bound, IOP, 0))).all()
    assert (grid.level == level).all()


@pytest.mark.parametrize("item", WORSE)
def test_a_worse_answer_never_lowers_the_level(grid: Grid, item: str) -> None:
    axis = grid.axis(item)
    known = range(len(ITEMS[item]))
    floors = np.take(grid.at_least, known, axis)
    assert (np.diff(floors, axis=axis) >= 0).all()
    levels = np.take(grid.level, known, axis)
    better, worse = (np.take(levels, part, axis) for part in (known[:-1], range(1, len(known))))
    assert ((worse >= better) | (better == ASK)).all()  # ASK is the highest code


@pytest.mark.parametrize("worse", ["alongside", "main_concern"])
def test_substance_use_never_lowers_the_level(grid: Grid, worse: str) -> None:
    axis = grid.axis("substance_use")
    none, use = (
        np.take(grid.at_least, ITEMS["substance_use"].index(value), axis)
        for value in ("none", worse)
    )
    assert (use >= none).all()


def test_one_of_the_four_items_never_lowers_the_level(grid: Grid) -> None:
    assert (grid.at_least[..., 2] >= grid.at_least[..., 0]).all()
    assert (grid.at_least[..., 3] >= grid.at_least[..., 1]).all()
    assert (grid.at_least[..., 1] >= grid.at_least[..., 0]).all()


@pytest.mark.parametrize("item", GRID_ITEMS)
def test_not_knowing_never_lowers_the_floor_below_what_the_rest_gives(
    grid: Grid, item: str
) -> None:
    axis = grid.axis(item)
    unknown = len(ITEMS[item])
    least_of_all_answers = np.take(grid.at_least, range(unknown), axis).min(axis)
    assert (np.take(grid.at_least, unknown, axis) >= least_of_all_answers).all()


@pytest.mark.parametrize("item", GRID_ITEMS)
def test_not_knowing_never_makes_outpatient_of_more(grid: Grid, item: str) -> None:
    axis = grid.axis(item)
    unknown = len(ITEMS[item])
    highest = np.take(grid.at_least, range(unknown), axis).max(axis)
    with_unknown = np.take(grid.level, unknown, axis)
    assert (with_unknown[highest > OUTPATIENT] != OUTPATIENT).all()


def test_safety_dominates_everything_else(grid: Grid) -> None:
    immediate = np.broadcast_to(
        grid.where("safety_now", "immediate") | grid.where("withdrawal_risk", "severe_signs"),
        grid.level.shape,
    )
    assert (grid.level[immediate] == EMERGENCY).all()
    now = np.broadcast_to(grid.where("safety_now", "now"), grid.level.shape) & ~immediate
    assert (grid.level[now] == CRISIS).all()


def test_no_level_below_crisis_while_safety_is_not_known(grid: Grid) -> None:
    for item in ("safety_now", "withdrawal_risk", "needs_24h_care"):
        unknown = np.broadcast_to(grid.where(item, UNKNOWN), grid.level.shape)
        assert (grid.level[unknown] >= CRISIS).all()  # crisis, emergency or a person decides


def test_outpatient_only_when_everything_that_could_raise_it_is_known(grid: Grid) -> None:
    outpatient = grid.level == OUTPATIENT
    for item in GRID_ITEMS:
        if item != "stability":
            assert not (outpatient & grid.where(item, UNKNOWN)).any()
    assert not outpatient[..., (1, 3)].any()
