"""When a text that we start may leave: by day, where the person is."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sms.hours import DAY_BEGINS, DAY_ENDS, is_answer, leaves_at, zones_of

EAST, WEST = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-11-18T12:00:00-05:00", "2026-11-18T12:00:00-05:00"),
        ("2026-11-18T20:00:00-05:00", "2026-11-19T09:00:00-05:00"),
        ("2026-11-18T07:41:00-05:00", "2026-11-18T09:00:00-05:00"),
        # The night in which the clocks go back.
        ("2026-10-31T23:30:00-04:00", "2026-11-01T09:00:00-05:00"),
    ],
)
def test_a_text_waits_for_the_day(now, leaves):
    assert leaves_at(at(now), [EAST]) == at(leaves)


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)),
    st.sampled_from([(EAST,), (WEST,), (EAST, WEST), (EAST, ZoneInfo("Pacific/Honolulu"))]),
)
def test_it_is_day_everywhere_when_it_leaves_and_never_earlier_than_now(moment, zones):
    now = moment.replace(tzinfo=timezone.utc)
    leaves = leaves_at(now, zones)
    assert now <= leaves < now + timedelta(days=2)
    assert all(DAY_BEGINS <= leaves.astimezone(zone).time() < DAY_ENDS for zone in zones)


def test_the_area_code_counts_only_where_the_state_is_not_known():
    assert zones_of("+13105550142", None, EAST) == (EAST, WEST)
    assert zones_of("+13105550142", EAST, EAST) == (EAST,)
    assert zones_of("+18005550142", None, EAST)[0] == EAST


def test_an_answer_comes_within_the_hour():
    now = at("2026-11-18T23:00:00-05:00")
    assert is_answer(now, now - timedelta(minutes=59))
    assert not is_answer(now, now - timedelta(minutes=61))
    assert not is_answer(now, None)
