"""Who is first, why, and when a call is due."""

from __future__ import annotations

import dataclasses
import itertools
from datetime import datetime, timedelta, timezone

import pytest

from bot.console.desk import desk_problems, load_desk
from bot.console.queue import (
    Waiting,
    add_opening_time,
    due,
    order,
    reason,
    spoken,
    timer,
    urgency_of,
)
from tests.console.night import MORNING, NIGHT

DESK = load_desk()
CALM = Waiting(
    reference="H9T-3WD",
    clinic="greater_boston",
    kind="callback",
    channel="web",
    language="en",
    tier="none",
    danger=None,
    level="iop",
    at_least="iop",
    has_contact=True,
    created=NIGHT,
)


@pytest.fixture
def clinic(clinics):
    return clinics["greater_boston"]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


def test_the_reviewed_data_has_no_problems():
    assert desk_problems() == []


@pytest.mark.parametrize(
    ("changes", "urgency"),
    [
        ({"tier": "emergency"}, "emergency"),
        ({"level": "emergency"}, "emergency"),
        ({"level": "consultation", "at_least": "emergency"}, "emergency"),
        ({"tier": "crisis_self"}, "crisis"),
        ({"tier": "crisis_other", "kind": "phone"}, "crisis"),
        ({"level": "crisis_assessment"}, "crisis"),
        ({"tier": "concern"}, "concern"),
        ({}, "request"),
        ({"kind": "phone"}, "expected"),
    ],
)
def test_tier_and_level_set_the_urgency_whichever_is_worse(changes, urgency):
    assert urgency_of(dataclasses.replace(CALM, **changes)) == urgency


def test_a_request_at_night_falls_due_after_the_line_has_opened(clinic):
    crisis = dataclasses.replace(CALM, tier="crisis_self")
    assert due(crisis, clinic, DESK) == utc(2026, 11, 18, 14, 0)  # 8:30 in Boston and 30 minutes


def test_what_does_not_fit_before_closing_goes_on_after_the_next_opening(clinic):
    friday_afternoon = utc(2026, 11, 20, 22, 40)  # 5:40 PM, twenty minutes before closing
    assert add_opening_time(friday_afternoon, timedelta(minutes=30), clinic) == utc(
        2026, 11, 23, 13, 40
    )


def test_thanksgiving_does_not_count(clinic):
    evening_before = utc(2026, 11, 26, 1, 0)
    assert add_opening_time(evening_before, timedelta(minutes=30), clinic) == utc(
        2026, 11, 27, 14, 0
    )


def test_hours_that_cannot_be_read_make_nobody_wait(clinic):
    hours = clinic.hours.copy(update={"rule": "whenever"})
    unreadable = clinic.copy(update={"hours": hours})
    assert add_opening_time(NIGHT, timedelta(minutes=30), unreadable) == NIGHT + timedelta(
        minutes=30
    )


def test_a_visitor_who_writes_again_need_not_wait_for_the_planned_call(clinic):
    planned = dataclasses.replace(CALM, tier="crisis_self", next_try=MORNING + timedelta(days=2))
    again = dataclasses.replace(planned, new_message=MORNING)
    assert due(planned, clinic, DESK) == MORNING + timedelta(days=2)
    assert due(again, clinic, DESK) == MORNING + timedelta(minutes=30)


def test_the_timer_says_in_words_what_its_colour_says(clinic):
    crisis = dataclasses.replace(CALM, tier="crisis_self")
    at = due(crisis, clinic, DESK)
    seen = [
        timer(crisis, at, at + timedelta(minutes=minutes), clinic, DESK)
        for minutes in (-20, -5, 12)
    ]
    assert [one.colour for one in seen] == ["green", "amber", "red"]
    assert [one.words for one in seen] == [
        "due today 9:00 AM", "due in 5 min, today 9:00 AM", "12 min late"
    ]  # fmt: skip


def test_danger_comes_before_time_and_those_without_contact_before_their_equals(clinic):
    def rank(**changes):
        record = dataclasses.replace(CALM, **changes)
        return order(record, due(record, clinic, DESK))

    late = MORNING - timedelta(days=5)
    ranked = [
        rank(tier="emergency"),
        rank(tier="crisis_self", has_contact=False),
        rank(tier="crisis_self", created=late),
        rank(tier="concern"),
        rank(created=late),
        rank(),
        rank(tier="emergency", status="reached"),
    ]
    assert ranked == sorted(ranked)


def test_whoever_writes_again_after_being_reached_is_back_in_their_place(clinic):
    reached = dataclasses.replace(CALM, tier="crisis_self", status="reached")
    again = dataclasses.replace(reached, new_message=MORNING)
    calm = order(CALM, due(CALM, clinic, DESK))
    assert order(reached, due(reached, clinic, DESK)) > calm
    assert order(again, due(again, clinic, DESK)) < calm


def test_every_record_has_a_reason_in_words():
    tiers = ("none", "concern", "crisis_other", "crisis_self", "emergency")
    levels = (None, "iop", "consultation", "crisis_assessment", "emergency")
    for tier, level, contact, kind in itertools.product(
        tiers, levels, (True, False), ("phone", "callback", "crisis")
    ):
        record = dataclasses.replace(
            CALM, tier=tier, level=level, at_least=level, has_contact=contact, kind=kind
        )
        words = reason(record, DESK)
        assert words
        assert "None" not in words
        assert contact or urgency_of(record) == "expected" or "No contact details" in words


def test_a_length_of_time_is_said_in_two_units():
    lengths = (timedelta(minutes=5), timedelta(minutes=65), timedelta(hours=3), timedelta(hours=50))
    assert [spoken(length) for length in lengths] == ["5 min", "1 h 5 min", "3 h", "2 d 2 h"]
