"""Urgent requests that nobody claims page again, then the supervisors, then everybody."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from bot.notify.escalation import Unclaimed, pages_due

SINCE = datetime(2026, 11, 19, 7, 0, tzinfo=timezone.utc)  # 2 AM in Boston
WAITING = Unclaimed("K7M-4QX", "greater_boston", SINCE)
COORDINATORS = ["intake@clinic.example", "desk@clinic.example"]
SUPERVISORS = ["lead@clinic.example"]


def pages(clinic, minutes: float, record: Unclaimed = WAITING):
    found = pages_due([record], SINCE + timedelta(minutes=minutes), clinic)
    return [notice for notice in found if notice.channel == "email"]


@pytest.mark.parametrize(
    ("minutes", "kind", "told"),
    [
        (15, "again", COORDINATORS),
        (29.9, "again", COORDINATORS),
        (30, "supervisor", SUPERVISORS),
        (89.9, "supervisor", SUPERVISORS),
        (90, "still_waiting", COORDINATORS + SUPERVISORS),
        (60 * 50, "still_waiting", COORDINATORS + SUPERVISORS),
    ],
)
def test_the_longer_it_waits_the_more_people_are_paged(boston, minutes, kind, told):
    found = pages(boston, minutes)
    assert {notice.kind for notice in found} == {kind}
    assert [notice.target for notice in found] == told
    assert {notice.rank for notice in found} == {0}


@pytest.mark.parametrize("minutes", [-60, 0, 14.9])
def test_before_that_nobody_is_paged_again(boston, minutes):
    assert pages_due([WAITING], SINCE + timedelta(minutes=minutes), boston) == []


def test_each_step_pages_once_and_then_once_an_hour(boston):
    keys = [
        notice.key
        for minute in range(0, 60 * 5)
        for notice in pages(boston, minute)
        if notice.target in (SUPERVISORS[0], COORDINATORS[0])
    ]
    # To the coordinator: again, and the hours from 1:30 to 4:30; the supervisor alike.
    assert len(dict.fromkeys(keys)) == (1 + 4) + (1 + 4)


def test_a_clock_that_jumps_an_hour_and_back_repeats_no_page(boston):
    jumped = {notice.key for notice in pages(boston, 20 + 60)}
    later = {notice.key for minute in range(20, 85) for notice in pages(boston, minute)}
    assert jumped <= later


def test_a_request_that_waits_anew_pages_anew(boston):
    reopened = Unclaimed("K7M-4QX", "greater_boston", SINCE + timedelta(hours=8))
    first = {notice.key for notice in pages(boston, 15)}
    anew = {notice.key for notice in pages(boston, 60 * 8 + 15, reopened)}
    assert len(anew) == 2
    assert not first & anew


def test_other_clinics_requests_page_nobody_here(boston):
    assert pages(boston, 60, Unclaimed("K7M-4QX", "time_wellness_georgia", SINCE)) == []


def test_a_page_names_the_code_and_nothing_else(boston):
    [webhook] = [
        notice
        for notice in pages_due([WAITING], SINCE + timedelta(minutes=15), boston)
        if notice.channel == "webhook"
    ]
    assert webhook.payload == {
        "clinic_name": "Greater Boston",
        "code": "K7M-4QX",
        "urgency": "urgent",
    }
