"""`handrail check`: mistakes in the phrasings of an entry that an admin added."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clinic.check import problems
from bot.clinic.phrasings import FEWEST, MOST_WORDS

LEARNT = {"¿Dónde están?": "faq_location_contact"}


@pytest.fixture
def said(spoiled, parking: str):
    """What is said about Boston's file with `old` in the added entry replaced by `new`."""

    def check(old: str, new: str) -> list[tuple[str, str]]:
        assert old in parking
        folder: Path = spoiled(("extra_faq: []", parking.replace(old, new, 1)))
        lines = (folder / "greater_boston.yml").read_text(encoding="utf-8").splitlines()
        return [
            (lines[problem.line - 1].strip()[:3], problem.message)
            for problem in problems(folder, LEARNT)
            if not problem.warning
        ]

    return check


def test_a_good_entry_has_no_mistake(said):
    assert said("where can I park", "where can I park my car") == []


def test_too_few_phrasings(said):
    expected = f"2 phrasings are too few to learn from; write at least {FEWEST}"
    assert said("parking?, is there a lot, I come by car", "") == [("en:", expected)]


def test_a_phrasing_of_another_topic(said):
    [(line, message)] = said("dónde me estaciono", "donde estan")
    assert line == "es:"
    assert message == (
        "'donde estan' stands under faq_location_contact already; one phrasing means one thing"
    )


def test_a_phrasing_twice(said):
    assert said("is there a lot", "Where can I park?") == [
        ("en:", "'Where can I park?' stands here twice; keep one")
    ]


def test_a_phrasing_too_long(said):
    story = " ".join(f"word{number}" for number in range(MOST_WORDS + 1))
    [(_line, message)] = said("is there a lot", story)
    assert message == "the phrasing has 41 words; write one question in at most 40"


def test_a_phrasing_without_a_word(said):
    assert said("parking?, is", '"???", is') == [("en:", "the phrasing '???' has no word")]


def test_a_language_that_is_missing(said):
    [(_line, message)] = said("      es: [", "      de: [")[:1]
    assert "es: field required" in message or "extra fields not permitted" in message


def test_the_same_phrasing_under_two_entries(spoiled, parking: str):
    second = parking.replace("extra_faq:\n", "").replace("id: parking", "id: garage")
    messages = [p.message for p in problems(spoiled(("extra_faq: []", parking + second)))]
    assert "'where can I park' stands under faq_parking already; one phrasing means one thing" in (
        messages
    )
