"""Mistakes in the tables that clinicians edit: each is named with its line."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import textstat

from bot.care import check
from bot.care.document import DOCUMENT_FILE, level_of_care_page
from bot.care.jurisdictions import JURISDICTIONS_FILE, jurisdiction_problems, load_jurisdictions
from bot.care.questionnaire import (
    QUESTIONNAIRE_FILE,
    load_questionnaire,
    questionnaire_problems,
    read_questionnaire,
)
from bot.care.rules import RULES_FILE, load_table, read_rules, rule_problems
from bot.reviewed import DataError, Problem


def changed(tmp_path: Path, original: Path, old: str, new: str) -> Path:
    """A copy of a table with one edit; the edit must be possible."""
    text = original.read_text(encoding="utf-8")
    assert old in text
    copy = tmp_path / original.name
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def line_of(path: Path, text: str) -> int:
    """The line of the first occurrence of `text`."""
    return (
        path.read_text(encoding="utf-8")[: path.read_text(encoding="utf-8").index(text)].count("\n")
        + 1
    )


def only(problems: list[Problem]) -> Problem:
    """The one problem there is."""
    assert len(problems) == 1, problems
    return problems[0]


def test_the_tables_in_use_are_without_mistakes() -> None:
    assert check.problems() == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("floor: crisis_assessment", "floor: crisis", "'crisis' is not a level"),
        ("when: {safety_now: [now]}", "when: {safety_now: [today]}", "does not take 'today'"),
        ("when: {safety_now: [now]}", "when: {safety: [now]}", "there is no item 'safety'"),
        ("when: {safety_now: [now]}", "when: {safety_now: []}", "at least one value"),
        ("when: {safety_now: [now]}", "when: {}", "at least one condition"),
        ("source: asq", "source: hearsay", "'hearsay' is not among `sources`"),
        ("sources:\n", "sources:\n  rumor: Somebody said so\n", "nothing cites 'rumor'"),
        ("id: present-danger", "id: immediate-danger", "is taken"),
        ("id: present-danger", "id: under-18", "is taken"),
        ("    note: true\n", "    note: true\n    floor: iop\n", "either a floor or"),
        ("    floor: crisis_assessment\n", "", "either a floor or"),
        ("safety_items: [safety_now,", "safety_items: [safety,", "there is no item 'safety'"),
        ("  under-18:\n", "  minors:\n", "the outcome 'under-18' is missing"),
        ("    floor: crisis_assessment\n", "    floor: crisis_assessment\n    score: 3\n", "score"),
        ("why: Present thoughts", "wy: Present thoughts", "why"),
        ("safety_now: [now]}", "safety_now: [now}", "not valid YAML"),
    ],
)
def test_a_mistake_in_the_rules_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = changed(tmp_path, RULES_FILE, old, new)
    problems = rule_problems(path)
    assert any(message in problem.message for problem in problems)
    with pytest.raises(DataError):
        read_rules(path)


def test_a_mistake_in_the_rules_is_named_with_its_line(tmp_path: Path) -> None:
    path = changed(tmp_path, RULES_FILE, "floor: crisis_assessment", "floor: crisis")
    problem = only(rule_problems(path))
    assert (problem.path, problem.line) == (path, line_of(path, "floor: crisis\n"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  - name: stability", "  - name: steadiness", "there is no item 'steadiness'"),
        ("      - value: not_stable", "      - value: shaky", "needs a choice for each of"),
        ("after: recent_care", "after: availability", "must stand further up"),
        (
            '{"yes": stable, "no": not_stable}',
            '{"yes": good, "no": not_stable}',
            "no choice 'good'",
        ),
        ("sets: {withdrawal_risk: none}", "sets: {withdrawal_risk: no}", "there is no answer"),
        ("role: preference", "role: sometimes", "role"),
        ('en: "Which state do you live in?"', 'de: "Wo?"', "en"),
    ],
)
def test_a_mistake_in_the_questionnaire_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = changed(tmp_path, QUESTIONNAIRE_FILE, old, new)
    assert any(message in problem.message for problem in questionnaire_problems(path))
    with pytest.raises(DataError):
        read_questionnaire(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Are you 18 or older?", "Are you 18 or older? " * 10, "one SMS holds 160"),
        ("Are you 18 or older?", "Are you 18 or older… yet?", "not in the SMS alphabet: …"),
        ("Under 18", "Younger than eighteen years old at the moment", "at most 40"),
        ("Are you 18 or older?", "You need to be 18, are you?", "visitors must not read"),
        ("says:\n          en: [adult,", "says:\n          en: [isn't a child,", "never matches"),
        ("says:\n          en: [adult,", "says:\n          en: [minor,", "also means"),
    ],
)
def test_a_question_that_would_not_serve_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = changed(tmp_path, QUESTIONNAIRE_FILE, old, new)
    assert any(message in problem.message for problem in check.question_problems(path))


@pytest.mark.parametrize(
    "wording", ["You need our day program.", "You have depression.", "Your ASAM level is high."]
)
def test_a_diagnosis_or_an_order_to_the_visitor_is_named(tmp_path: Path, wording: str) -> None:
    path = changed(tmp_path, RULES_FILE, "Most days are manageable.", wording)
    problem = only(check.wording_problems(path))
    assert problem.line == line_of(path, wording)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  IL:\n", "  XX:\n", "'XX' is not a state"),
        ("rule: reserved", "rule: closed", "rule"),
        ('verified_on: "2026-11-21"', 'verified_on: "lately"', "verified_on"),
    ],
)
def test_a_mistake_in_the_jurisdictions_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = changed(tmp_path, JURISDICTIONS_FILE, old, new)
    assert any(message in problem.message for problem in jurisdiction_problems(path))


def test_a_law_not_read_for_half_a_year_is_warned_about() -> None:
    verified = max(found.verified_on for found in load_jurisdictions().states.values())
    fresh = check.problems(verified + datetime.timedelta(days=180))
    assert fresh == []
    stale = check.problems(verified + datetime.timedelta(days=181))
    assert len(stale) == len(load_jurisdictions().states)
    assert all(problem.warning for problem in stale)


def test_the_page_for_clinicians_is_current() -> None:
    assert DOCUMENT_FILE.read_text(encoding="utf-8") == level_of_care_page(), (
        "docs/level-of-care.md is not current: run python -m bot.care.document"
    )


def test_the_page_names_every_rule_question_source_and_state() -> None:
    page = level_of_care_page()
    table = load_table()
    for rule in table.rules:
        assert f"`{rule.id}`" in page
        assert rule.why in page
        assert rule.visitor is None or rule.visitor.es in page
    for source in table.sources.values():
        assert source in page
    for item in load_questionnaire().items.values():
        assert item.question("en", "self") in page
        assert item.question("es", "self") in page
    for code in load_jurisdictions().states:
        assert f"| {code} |" in page


def test_english_for_visitors_is_at_or_below_grade_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    # Syllables are counted by rule: the pronouncing dictionary would be downloaded.
    monkeypatch.setattr(
        "textstat.backend.counts._count_syllables.get_cmudict", lambda language: None
    )
    wordings = [rule.visitor.en for rule in load_table().rules if rule.visitor]
    wordings += [outcome.visitor.en for outcome in load_table().outcomes.values()]
    for item in load_questionnaire().items.values():
        wordings += [item.question("en", person) for person in ("self", "someone_else")]
        wordings += [item.why.en, item.help.en]
    # Single sentences are too short for the formula; a page of them is not.
    assert textstat.flesch_kincaid_grade(" ".join(wordings)) <= 8


@pytest.mark.parametrize("language", ["en", "es"])
def test_visitor_wordings_are_one_sentence(language: str) -> None:
    visitors = [rule.visitor for rule in load_table().rules if rule.visitor]
    visitors += [outcome.visitor for outcome in load_table().outcomes.values()]
    for visitor in visitors:
        text = visitor.in_language(language)
        assert text.endswith(".")
        assert text.count(".") == 1
        assert len(text) <= 130
