"""What the engine says about single cases, and what it refuses."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.care.engine import CRISIS_LEVELS, Rules, load_rules
from bot.care.rules import valid_values
from bot.vocabulary import CONSULTATION, ITEMS, LEVELS, UNKNOWN

WELL = {item: valid_values(item)[0] for item in ITEMS} | {"state": "MA"}

any_answers = st.fixed_dictionaries(
    {}, optional={item: st.sampled_from((*valid_values(item), UNKNOWN)) for item in ITEMS}
)
programs = st.sets(st.sampled_from(("outpatient", "iop", "php", "inpatient")))


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ({}, "outpatient"),
        ({"safety_now": "immediate"}, "emergency"),
        ({"withdrawal_risk": "severe_signs"}, "emergency"),
        ({"safety_now": "now"}, "crisis_assessment"),
        ({"needs_24h_care": "yes"}, "inpatient"),
        ({"withdrawal_risk": "possible"}, "inpatient"),
        ({"symptom_severity": "severe", "daily_functioning": "unable"}, "php"),
        ({"recent_care": "php", "stability": "not_stable"}, "php"),
        ({"recent_care": "inpatient", "stability": "stable"}, "iop"),
        ({"recent_care": "iop", "stability": "not_stable"}, "iop"),
        ({"recent_care": "iop", "stability": "stable"}, "outpatient"),
        ({"recent_care": "outpatient"}, "outpatient"),
        ({"weekly_enough": "no"}, "iop"),
        ({"substance_use": "alongside"}, "iop"),
        ({"substance_use": "main_concern"}, "outpatient"),
        ({"substance_use": "main_concern", "symptom_severity": "moderate"}, "iop"),
        ({"support_at_home": "none"}, "iop"),
        ({"safety_now": "past"}, "iop"),
        ({"medication_support": "review"}, "outpatient"),
        ({"availability": "limited"}, "outpatient"),
        ({"for_whom": "someone_else"}, "outpatient"),
        ({"weekly_enough": UNKNOWN}, CONSULTATION),
        ({"stability": UNKNOWN}, "outpatient"),
        ({"recent_care": "iop", "stability": UNKNOWN}, CONSULTATION),
        ({"weekly_enough": UNKNOWN, "recurring_crises": "yes"}, "iop"),
    ],
)
def test_level_for_somebody_well_except_for(rules: Rules, told: dict, level: str) -> None:
    assert rules.evaluate({**WELL, **told}).level == level


def test_moderate_symptoms_with_strong_support_follow_the_clinic(rules: Rules) -> None:
    moderate = {**WELL, "symptom_severity": "moderate"}
    assert rules.evaluate(moderate).level == "iop"
    assert rules.evaluate(moderate, outpatient_for_moderate=True).level == "outpatient"
    for support in ("some", "none", UNKNOWN):
        weaker = {**moderate, "support_at_home": support}
        assert rules.evaluate(weaker, outpatient_for_moderate=True).level == "iop"


def test_nothing_known_means_a_person_decides(rules: Rules) -> None:
    disposition = rules.evaluate({})
    assert (disposition.level, disposition.at_least) == (CONSULTATION, "outpatient")
    assert disposition.unknown == tuple(ITEMS)


def test_unknown_safety_keeps_the_floor_that_was_found(rules: Rules) -> None:
    disposition = rules.evaluate({**WELL, "needs_24h_care": "yes", "safety_now": UNKNOWN})
    assert (disposition.level, disposition.at_least) == (CONSULTATION, "inpatient")
    assert [reason.rule for reason in disposition.reasons] == [
        "care-around-the-clock",
        "safety-not-known",
    ]


def test_unknown_stability_after_the_hospital_is_at_least_iop_and_a_person_decides(
    rules: Rules,
) -> None:
    disposition = rules.evaluate({**WELL, "recent_care": "inpatient", "stability": UNKNOWN})
    assert (disposition.level, disposition.at_least) == (CONSULTATION, "iop")


def test_stability_is_not_unknown_for_somebody_without_a_program(rules: Rules) -> None:
    known = {item: value for item, value in WELL.items() if item != "stability"}
    assert rules.evaluate(known).unknown == ()
    assert rules.evaluate({**known, "recent_care": "iop"}).unknown == ("stability",)


def test_a_missing_item_is_the_same_as_unknown(rules: Rules) -> None:
    for item in ITEMS:
        without = {other: value for other, value in WELL.items() if other != item}
        assert rules.evaluate(without) == rules.evaluate({**WELL, item: UNKNOWN})


def test_minors_get_no_level_and_staff_do(rules: Rules) -> None:
    disposition = rules.evaluate({**WELL, "age_band": "under_18", "weekly_enough": "no"})
    assert (disposition.level, disposition.visitor_level) == ("iop", None)
    assert disposition.withheld is not None
    assert disposition.withheld.rule == "under-18"
    assert "note-minor" in [note.rule for note in disposition.notes]


def test_a_minor_in_danger_still_gets_crisis_help(rules: Rules) -> None:
    disposition = rules.evaluate({**WELL, "age_band": "under_18", "safety_now": "now"})
    assert disposition.is_crisis
    assert disposition.visitor_level is None


def test_unknown_age_withholds_the_level(rules: Rules) -> None:
    disposition = rules.evaluate({**WELL, "age_band": UNKNOWN})
    assert disposition.visitor_level is None
    assert disposition.withheld is not None
    assert disposition.withheld.rule == "age-not-known"


def test_a_level_the_clinic_does_not_offer_becomes_a_consultation(rules: Rules) -> None:
    severe = {**WELL, "symptom_severity": "severe", "daily_functioning": "unable"}
    disposition = rules.evaluate(severe, levels_offered=["outpatient", "iop"])
    assert (disposition.level, disposition.at_least) == (CONSULTATION, "php")
    assert disposition.reasons[-1].rule == "level-not-offered"
    assert "the clinic will help find it" in disposition.reasons[-1].why


def test_outpatient_tells_what_speaks_for_it(rules: Rules) -> None:
    assert [reason.rule for reason in rules.evaluate(WELL).reasons] == [
        "mild-symptoms",
        "weekly-enough",
        "strong-support",
    ]


def test_what_speaks_for_outpatient_is_no_reason_for_iop(rules: Rules) -> None:
    reasons = rules.evaluate({**WELL, "recurring_crises": "yes"}).reasons
    assert [reason.rule for reason in reasons] == ["recurring-crises"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_visitors_read_at_most_three_reasons_the_weightiest_first(
    rules: Rules, language: str
) -> None:
    disposition = rules.evaluate(
        {
            **WELL,
            "symptom_severity": "severe",
            "daily_functioning": "unable",
            "support_at_home": "none",
            "weekly_enough": "no",
        }
    )
    told = disposition.visitor_reasons(language)
    assert len(told) == 3
    assert disposition.reasons[0].visitor is not None
    assert told[0] == disposition.reasons[0].visitor.in_language(language)


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"safety": "no"}, ["'safety'", "safety_now"]),
        ({"safety_now": "maybe"}, ["safety_now", "'maybe'", "immediate", "unknown"]),
        ({"state": "Massachusetts"}, ["state", "'Massachusetts'", "MA"]),
        ({"safety_now": None}, ["safety_now", "None"]),
        ({"safety_now": True}, ["safety_now", "True"]),
        ({"safety_now": ["no"]}, ["safety_now", "['no']"]),
        ({**WELL, "mood": "low"}, ["'mood'"]),
    ],
)
def test_a_wrong_item_or_value_is_named_with_what_is_right(
    rules: Rules, answers: dict, named: list[str]
) -> None:
    for apply in (rules.evaluate, rules.prospect):
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the words are checked below
            apply(answers)
        assert all(word in str(refused.value) for word in named)


@given(any_answers, programs, st.booleans())
def test_level_is_one_that_can_be_given(answers: dict, offered: set, moderate: bool) -> None:
    disposition = load_rules().evaluate(
        answers, outpatient_for_moderate=moderate, levels_offered=offered
    )
    assert disposition.level in {CONSULTATION, *offered, *CRISIS_LEVELS}
    free = load_rules().evaluate(answers, outpatient_for_moderate=moderate)
    assert disposition.at_least == free.at_least
    assert disposition.is_crisis == free.is_crisis


@given(any_answers, st.randoms(use_true_random=False))
def test_order_of_answers_does_not_matter(answers: dict, chance: random.Random) -> None:
    shuffled = list(answers.items())
    chance.shuffle(shuffled)
    assert load_rules().evaluate(dict(shuffled)) == load_rules().evaluate(answers)


@pytest.fixture(scope="module")
def shuffled_tables(rules: Rules) -> list[Rules]:
    chance = random.Random(7)
    tables = []
    for _ in range(5):
        table = rules.table.copy(
            update={"rules": chance.sample(rules.table.rules, len(rules.table.rules))}
        )
        tables.append(Rules(table))
    return tables


@given(answers=any_answers)
def test_order_of_rules_does_not_matter(answers: dict, shuffled_tables: list[Rules]) -> None:
    expected = load_rules().evaluate(answers)
    for other in shuffled_tables:
        got = other.evaluate(answers)
        assert (got.level, got.at_least) == (expected.level, expected.at_least)
        for found, wanted in ((got.reasons, expected.reasons), (got.notes, expected.notes)):
            assert {reason.rule for reason in found} == {reason.rule for reason in wanted}


@given(any_answers)
def test_every_reason_holds_the_floor_or_less(answers: dict) -> None:
    disposition = load_rules().evaluate(answers)
    floors = [LEVELS.index(reason.floor) for reason in disposition.reasons if reason.floor]
    assert floors == sorted(floors, reverse=True)
    assert max(floors, default=0) == LEVELS.index(disposition.at_least)


def test_version_changes_with_any_change_of_the_table(rules: Rules) -> None:
    changed = [
        rules.table.rules[0].copy(update={"why": "Something else."}),
        *rules.table.rules[1:],
    ]
    other = Rules(rules.table.copy(update={"rules": changed}))
    assert other.version != rules.version
    assert Rules(rules.table).version == rules.version
    assert rules.evaluate({}).rules_version == rules.version
