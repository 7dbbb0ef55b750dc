"""The page of figures says what was measured, and what was missed."""

import json
from pathlib import Path

import pytest

from bench import turns_page

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
FIGURES = json.loads((ROOT / "bench/turns.json").read_text(encoding="utf-8"))


def system(p50: float, per_second: float = 100.0) -> dict:
    spread = {"p50": p50, "p95": p50 * 2, "p99": p50 * 3}
    load = {
        "answered per second": per_second,
        "without an answer of its own": 0,
        "milliseconds": spread,
    }
    return {
        "start": {"first safe answer": 1.0, "ready": 5.0},
        "milliseconds": spread,
        "cpu seconds per 1000": {"server": 3.0},
        "bytes per conversation": 4096,
        "turn": {"5": p50, "1000": p50},
        "load": {"16": load},
        "peak megabytes": {"brain": 300, "server": 1000},
    }


@pytest.fixture
def result():
    return {
        "date": "2026-01-02",
        "machine": "a machine",
        "plan": {"seconds": 5},
        "systems": {
            "floor": system(4.0),
            "product": system(9.0),
            "product, 2 brains": system(9.0, 200.0),
            "brain in-process": system(5.0),
            "stock Rasa": system(50.0, 20.0) | {"start": {"ready": 60.0}},
        },
    }


def test_the_page_shows_the_figures_of_the_last_run():
    assert turns_page.tables(FIGURES) in PAGE


def test_new_figures_take_the_place_of_the_old_and_leave_the_words(result):
    once = turns_page.with_figures(PAGE, result)
    assert turns_page.with_figures(once, FIGURES) == PAGE
    assert "a machine" in once


def test_a_bound_that_is_kept_and_one_that_is_missed_are_told_apart(result):
    result["systems"]["product"]["turn"]["1000"] = 90.0
    lines = turns_page.bounds(result["systems"]).splitlines()
    [slower] = [line for line in lines if "turn 1000" in line]
    [floor] = [line for line in lines if "floor" in line]
    assert "10.00" in slower
    assert "missed" in slower
    assert "2.25" in floor
    assert "kept" in floor


def test_messages_without_an_answer_are_said(result):
    result["systems"]["product"]["load"]["16"]["without an answer of its own"] = 7
    assert "7 apologies" in turns_page.tables(result)
