"""Which question comes next: every way through the questionnaire, and its bounds."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from bot.care.engine import load_rules
from bot.care.questionnaire import Questionnaire, load_questionnaire
from bot.care.rules import valid_values
from bot.vocabulary import CONSULTATION, ITEMS, UNKNOWN

Answers = dict[str, str]


@pytest.fixture(scope="module")
def questionnaire() -> Questionnaire:
    return load_questionnaire()


def ways_through(questionnaire: Questionnaire, **clinic: bool) -> Iterator[Answers]:
    """Every way of answering, skips included, to the end.

    For whom one asks and in which state one lives are notes to the rules (proved
    below), so one value and a skip stand for all.
    """
    open_ways: list[Answers] = [{}]
    while open_ways:
        answers = open_ways.pop()
        item = questionnaire.next_item(answers, **clinic)
        if item is None:
            yield answers
            continue
        values = valid_values(item.name)
        if item.name in ("for_whom", "state", "availability"):
            values = values[:1]
        open_ways += [{**answers, item.name: value} for value in (*values, UNKNOWN)]


def asked(questionnaire: Questionnaire, **replies: str) -> list[str]:
    """The items asked of somebody who is well except for `replies`."""
    answers: Answers = {}
    while item := questionnaire.next_item(answers):
        answers[item.name] = replies.get(item.name, valid_values(item.name)[0])
    return list(answers)


@pytest.fixture(scope="module", params=[False, True], ids=["boston", "atlanta"])
def moderate(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def ways(questionnaire: Questionnaire, moderate: bool) -> list[Answers]:
    return list(ways_through(questionnaire, outpatient_for_moderate=moderate))


def test_nobody_is_asked_more_than_twelve_questions(ways: list[Answers]) -> None:
    assert len(ways) > 10_000
    assert max(map(len, ways)) == 12


def test_no_open_question_could_have_changed_the_level(
    questionnaire: Questionnaire, ways: list[Answers], moderate: bool
) -> None:
    rules = load_rules()
    chance = random.Random(12)
    shown = [
        answers
        for answers in ways
        if len(answers) < questionnaire.limit
        and answers.get("age_band") == "adult"
        and answers.get("state") != UNKNOWN
    ]
    for answers in chance.sample(shown, min(4_000, len(shown))):
        complete = questionnaire.with_inferences(answers)
        level = rules.evaluate(complete, outpatient_for_moderate=moderate).level
        for _ in range(3):
            other = {item: chance.choice((*valid_values(item), UNKNOWN)) for item in ITEMS}
            got = rules.evaluate({**other, **complete}, outpatient_for_moderate=moderate).level
            assert got == level or (level == "crisis_assessment" and got == "emergency")


def test_the_limit_leaves_questions_open_only_on_the_documented_ways(
    questionnaire: Questionnaire, ways: list[Answers], moderate: bool
) -> None:
    for answers in ways:
        if len(answers) < questionnaire.limit or UNKNOWN in answers.values():
            continue
        complete = questionnaire.with_inferences(answers)
        prospect = load_rules().prospect(complete, outpatient_for_moderate=moderate)
        if prospect.worth_asking:
            assert (answers["recent_care"], answers["stability"]) == ("iop", "stable")
            main_concern = answers["substance_use"] == "main_concern"
            assert main_concern or answers["symptom_severity"] == "moderate"
            level = load_rules().evaluate(complete, outpatient_for_moderate=moderate).level
            assert level == CONSULTATION


def test_adults_who_answer_everything_get_a_level(
    questionnaire: Questionnaire, ways: list[Answers], moderate: bool
) -> None:
    answered = [
        answers
        for answers in ways
        if UNKNOWN not in answers.values()
        and answers.get("age_band") == "adult"
        and len(answers) < questionnaire.limit
    ]
    assert answered
    for answers in answered:
        complete = questionnaire.with_inferences(answers)
        assert (
            load_rules().evaluate(complete, outpatient_for_moderate=moderate).level != CONSULTATION
        )


def test_remaining_is_zero_exactly_at_the_end(
    questionnaire: Questionnaire, ways: list[Answers], moderate: bool
) -> None:
    for answers in random.Random(3).sample(ways, 500):
        assert questionnaire.remaining(answers, outpatient_for_moderate=moderate) == 0
        before = dict(list(answers.items())[:-1])
        left = questionnaire.remaining(before, outpatient_for_moderate=moderate)
        assert 1 <= left <= questionnaire.limit - len(before)


def test_for_whom_and_state_are_only_notes_to_the_rules() -> None:
    raising = [rule for rule in load_rules().table.rules if rule.floor]
    assert not any(
        {"for_whom", "state", "availability", "age_band"} & rule.when.keys() for rule in raising
    )


def test_safety_comes_right_after_for_whom(questionnaire: Questionnaire) -> None:
    assert asked(questionnaire)[:2] == ["for_whom", "safety_now"]


@pytest.mark.parametrize("danger", ["now", "immediate"])
def test_danger_ends_the_questions_at_once(questionnaire: Questionnaire, danger: str) -> None:
    assert asked(questionnaire, safety_now=danger) == ["for_whom", "safety_now"]


def test_severe_withdrawal_ends_the_questions_at_once(questionnaire: Questionnaire) -> None:
    way = asked(questionnaire, substance_use="main_concern", withdrawal_risk="severe_signs")
    assert way[-1] == "withdrawal_risk"


def test_withdrawal_is_asked_only_of_people_who_use(questionnaire: Questionnaire) -> None:
    assert "withdrawal_risk" not in asked(questionnaire)
    way = asked(questionnaire, substance_use="alongside")
    assert way.index("withdrawal_risk") == way.index("substance_use") + 1


def test_withdrawal_is_never_asked_before_substance_use(ways: list[Answers]) -> None:
    for answers in ways:
        order = list(answers)
        if "withdrawal_risk" in order:
            assert order.index("substance_use") < order.index("withdrawal_risk")


@pytest.mark.parametrize("program", ["iop", "php", "inpatient"])
def test_stability_is_asked_right_after_a_recent_program(
    questionnaire: Questionnaire, program: str
) -> None:
    way = asked(questionnaire, recent_care=program)
    assert way.index("stability") == way.index("recent_care") + 1


def test_stability_is_not_asked_of_others(ways: list[Answers]) -> None:
    for answers in ways:
        if "stability" in answers:
            assert answers["recent_care"] in ("iop", "php", "inpatient")


def test_once_iop_is_certain_only_what_could_raise_it_is_asked(
    questionnaire: Questionnaire,
) -> None:
    way = asked(questionnaire, symptom_severity="moderate")
    assert not {"weekly_enough", "support_at_home", "recurring_crises"} & set(way)
    assert way[-1] == "availability"


def test_facts_told_unasked_are_not_asked(questionnaire: Questionnaire) -> None:
    item = questionnaire.next_item({"for_whom": "self", "recent_care": "php"})
    assert item is not None
    assert item.name == "safety_now"
    answers: Answers = {"recent_care": "php", "for_whom": "self"}
    while item := questionnaire.next_item(answers):
        assert item.name not in answers
        answers[item.name] = valid_values(item.name)[0]


@pytest.mark.parametrize(
    "closed", [{"age_band": "under_18"}, {"age_band": UNKNOWN}, {"state": UNKNOWN}]
)
def test_where_no_level_will_be_shown_only_urgent_questions_are_asked(
    questionnaire: Questionnaire, closed: Answers
) -> None:
    way = asked(questionnaire, **closed)
    after = way[way.index(next(iter(closed))) + 1 :]
    assert after
    assert all(questionnaire.items[name].urgent for name in after)


def test_a_closed_gate_leaves_only_urgent_questions(questionnaire: Questionnaire) -> None:
    answers: Answers = {"for_whom": "self", "safety_now": "no", "state": "IL"}
    while item := questionnaire.next_item(answers, level_shown=False):
        assert item.urgent
        answers[item.name] = valid_values(item.name)[0]


def test_nothing_more_is_asked_when_safety_stays_unknown_and_no_danger_can_turn_up(
    questionnaire: Questionnaire,
) -> None:
    assert asked(questionnaire, safety_now=UNKNOWN) == ["for_whom", "safety_now", "substance_use"]


def test_inferences_never_replace_an_answer(questionnaire: Questionnaire) -> None:
    told = {
        "substance_use": "none",
        "withdrawal_risk": "possible",
        "symptom_severity": "mild",
        "daily_functioning": UNKNOWN,
    }
    complete = questionnaire.with_inferences(told)
    assert {item: complete[item] for item in told} == told


def test_inferences_fill_in_only_what_sets_no_floor(questionnaire: Questionnaire) -> None:
    for inference in questionnaire.inferences:
        for item, value in inference.sets.items():
            assert value == ITEMS[item][0]


def test_recent_danger_is_always_followed_by_the_question_on_24_hour_care(
    ways: list[Answers],
) -> None:
    for answers in ways:
        shown = answers.get("age_band") == "adult" and UNKNOWN not in answers.values()
        if shown and answers["safety_now"] == "past" and "availability" in answers:
            assert "needs_24h_care" in answers


@pytest.mark.parametrize("answers", [{"mood": "low"}, {"safety_now": "perhaps"}])
def test_answers_that_do_not_exist_are_refused(
    questionnaire: Questionnaire, answers: Answers
) -> None:
    with pytest.raises(ValueError, match=r"there is no item|does not take"):
        questionnaire.next_item(answers)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_item_can_be_asked_for_both_people_and_in_short(
    questionnaire: Questionnaire, language: str
) -> None:
    assert set(questionnaire.items) == set(ITEMS)
    for item in questionnaire.items.values():
        for for_whom in ("self", "someone_else", UNKNOWN):
            full = item.question(language, for_whom)
            short = item.question(language, for_whom, short=True)
            assert full
            assert 0 < len(short) <= 80
        assert len(item.choice_labels(language)) == len(ITEMS[item.name])


def test_english_about_somebody_else_does_not_say_you(questionnaire: Questionnaire) -> None:
    for item in questionnaire.items.values():
        if item.name not in ("for_whom", "weekly_enough", "medication_support"):
            for short in (False, True):
                words = item.question("en", "someone_else", short).lower().split()
                assert not {"you", "your"} & {word.strip("?,.") for word in words}


def test_labels_are_read_back(questionnaire: Questionnaire) -> None:
    for item in questionnaire.items.values():
        for language in ("en", "es"):
            labels = item.choice_labels(language)
            assert [item.value_of_label(label) for label in labels] == [
                choice.value for choice in item.choices
            ]
    assert questionnaire.items["safety_now"].value_of_label("Perhaps") is None


def test_somebody_else_is_called_by_what_was_told(questionnaire: Questionnaire) -> None:
    safety = questionnaire.items["safety_now"]
    assert "this person" in safety.question("en", "someone_else")
    assert "esta persona" in safety.question("es", "someone_else")
    assert "your son" in safety.question(
        "en", "someone_else", person=questionnaire.person("son", "en")
    )
    assert questionnaire.person(None, "en") is None
    assert "your son" not in safety.question("en", "self", person="your son")


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_question_is_left_with_a_gap_or_starts_small(
    questionnaire: Questionnaire, language: str
) -> None:
    for item in questionnaire.items.values():
        for for_whom in ("self", "someone_else"):
            for short in (False, True):
                for relation in (None, *questionnaire.relations):
                    person = questionnaire.person(relation, language)
                    text = item.question(language, for_whom, short, person)
                    assert "{" not in text
                    assert text.lstrip("¿")[0].isupper()
                    assert "¿" + (person or "{") not in text
