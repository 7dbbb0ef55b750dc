"""When to call: people's own words as days and a time of day, and what the clinic can do."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.care.states import STATE_CODES
from bot.clinic.hours import UnreadableHoursError, line_state
from bot.clinic.profile import load_clinic
from bot.handoff.times import next_call, read_wish, tells_a_time
from bot.handoff.zones import load_zones, zone_of
from bot.settings import ROOT

BOSTON = load_clinic(ROOT / "clinics" / "greater_boston.yml")
EASTERN = ZoneInfo("America/New_York")
TODAY = date(2026, 11, 23)  # a Monday
NOW = datetime(2026, 11, 23, 10, tzinfo=EASTERN)
WEEK = "all week"


@pytest.mark.parametrize(
    ("said", "day", "start", "until"),
    [
        ("mornings", WEEK, 8, 12),
        ("tomorrow after 5", "tomorrow", 17, 22),
        ("after 5:30", WEEK, (17, 30), 22),
        ("after 5pm", WEEK, 17, 22),
        ("before noon", WEEK, 8, 12),
        ("between 10 and 12", WEEK, 10, 12),
        ("9-5", WEEK, 9, 17),
        ("9 to 11 am", WEEK, 9, 11),
        ("2-4 pm", WEEK, 14, 16),
        ("at three", WEEK, 15, 16),
        ("8 in the evening", WEEK, 20, 21),
        ("Tuesday afternoon", {1}, 12, 17),
        ("Mon or Wed, lunch break", {0, 2}, 12, 13),
        ("weekdays before 4", {0, 1, 2, 3, 4}, 7, 16),
        ("any day but not Friday", {0, 1, 2, 3, 5, 6}, 7, 22),
        ("today", "today", 7, 22),
        ("tonight", "today", 18, 21),
        ("after work", WEEK, 17, 20),
        ("mañana por la tarde", "tomorrow", 12, 17),
        ("por la mañana", WEEK, 8, 12),
        ("mañana por la mañana", "tomorrow", 8, 12),
        ("mañana", "tomorrow", 7, 22),
        ("después de las 5", WEEK, 17, 22),
        ("entre las 9 y las 11", WEEK, 9, 11),
        ("a las 8 de la mañana", WEEK, 8, 9),
        ("el lunes a las tres", {0}, 15, 16),
        ("los fines de semana", {5, 6}, 7, 22),
        ("todos los días menos el martes", {0, 2, 3, 4, 5, 6}, 7, 22),
    ],
)
def test_words_are_read_as_days_and_hours(said, day, start, until):
    wish = read_wish(said, TODAY)
    dates = {"today": TODAY, "tomorrow": date(2026, 11, 24)}
    assert wish.on == (dates.get(day) if isinstance(day, str) else None)
    assert wish.days == (set(range(7)) if isinstance(day, str) else day)
    assert wish.start == (time(*start) if isinstance(start, tuple) else time(start))
    assert wish.until == time(until)


@pytest.mark.parametrize(
    "said", ["any time", "whenever", "in 20 minutes", "I don't mind", "cuando quieran", "99", ""]
)
def test_what_names_no_time_is_left_to_the_coordinator(said):
    assert read_wish(said, TODAY) is None


@pytest.mark.parametrize(
    ("said", "is_time"),
    [
        ("please have a person call me about my son, he is 15", False),
        ("call me, I have 2 kids", False),
        ("call me, I am worried", False),
        ("call me, I am sober after 12 years", False),
        ("llámenme, mi hijo tiene 12", False),
        ("call me back at 617 555 0142", False),
        ("call me at 3", True),
        ("call me 9:30", True),
        ("call me 4 pm", True),
        ("call me after 5", True),
        ("call me tomorrow", True),
        ("llámenme a las 4", True),
    ],
)
def test_a_number_in_a_wish_for_a_call_is_a_time_only_where_it_says_so(said, is_time):
    assert tells_a_time(said, TODAY) == is_time


@given(st.text(max_size=400))
def test_nothing_that_is_typed_breaks_it(text):
    wish = read_wish(text, TODAY)
    assert wish is None or wish.start < wish.until


@pytest.mark.parametrize(
    ("said", "zone", "first"),
    [
        ("mornings", "America/New_York", "2026-11-23T10:00-05:00"),
        ("tomorrow after 5", "America/New_York", "2026-11-24T17:00-05:00"),
        ("after 5", "America/Los_Angeles", None),
        ("mornings", "America/Los_Angeles", "2026-11-23T11:00-05:00"),
        ("Thursday morning", "America/New_York", "2026-12-03T08:30-05:00"),  # not Thanksgiving
        ("Sundays", "America/New_York", None),
        ("after 9 pm", "America/New_York", None),
        ("5:55 pm", "America/New_York", None),  # five minutes before closing
    ],
)
def test_the_next_call_lies_within_the_clinics_hours(said, zone, first):
    wish = read_wish(said, TODAY)
    found = next_call(wish, BOSTON, NOW, ZoneInfo(zone))
    assert (found[0] if found else None) == (datetime.fromisoformat(first) if first else None)


@given(
    st.sampled_from(["mornings", "after 4", "Friday", "before 10", "tomorrow"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 1)),
    st.sampled_from(sorted(load_zones().zones)),
)
def test_no_call_is_ever_promised_while_the_line_is_closed(said, moment, zone):
    now = moment.replace(tzinfo=EASTERN)
    found = next_call(read_wish(said, moment.date()), BOSTON, now, ZoneInfo(zone))
    if found:
        assert now.timestamp() <= found[0].timestamp() < found[1].timestamp()
        assert line_state(BOSTON, found[0]).open


def test_unreadable_hours_are_said_to_be_so():
    clinic = BOSTON.copy(update={"hours": BOSTON.hours.copy(update={"rule": "nine to five"})})
    with pytest.raises(UnreadableHoursError):
        next_call(read_wish("mornings", TODAY), clinic, NOW, EASTERN)


def test_every_state_has_a_zone_or_is_known_to_have_two():
    zones = load_zones()
    listed = [state for states in zones.zones.values() for state in states] + zones.in_two_zones
    assert sorted(listed) == sorted(STATE_CODES)


@pytest.mark.parametrize(
    ("state", "zone"),
    [
        ("CA", "America/Los_Angeles"),
        ("FL", "America/New_York"),
        ("TX", "America/New_York"),
        (None, "America/New_York"),
        ("unknown", "America/New_York"),
    ],
)
def test_in_a_state_of_two_zones_the_clinics_own_counts(state, zone):
    assert zone_of(state, BOSTON).key == zone
