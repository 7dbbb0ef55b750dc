"""One digest at every opening, about the closed time before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clinic.hours import last_closed
from bot.notify.digest import Arrived, digest_of, night_to_tell

BOSTON = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BOSTON)


def nights(clinic, start: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """The nights of which a worker that looks every 10 minutes would tell, each once."""
    found = {}
    for step in range(days * 144):
        # Real minutes, also where the clock is put forward or back.
        now = datetime.fromtimestamp(start.timestamp() + step * 600, tz=BOSTON)
        night = night_to_tell(clinic, now)
        if night is not None:
            found[night.end] = night.start
    return [(start, end) for end, start in found.items()]


def test_a_night_is_told_of_a_minute_after_the_opening_until_closing(boston):
    assert night_to_tell(boston, at(11, 18, 8, 30)) is None
    night = night_to_tell(boston, at(11, 18, 8, 31))
    assert night is not None
    assert (night.start, night.end) == (at(11, 17, 18), at(11, 18, 8, 30))
    assert night_to_tell(boston, at(11, 18, 17, 59)) == night
    assert night_to_tell(boston, at(11, 18, 18)) is None


def test_a_week_with_a_holiday_has_a_digest_on_each_working_day(boston):
    found = nights(boston, at(11, 23, 0), 8)  # Thanksgiving is Thursday the 26th
    assert [end.date() for _, end in found] == [
        *(date(2026, 11, day) for day in (23, 24, 25, 27, 30)),
    ]
    assert found[3][0] == at(11, 25, 18), "Wednesday's evening to Friday is one night"
    assert found[4][0] == at(11, 27, 18), "so is a weekend"


@pytest.mark.parametrize("change", [at(3, 8, 0), at(11, 1, 0)])
def test_the_digest_comes_at_the_local_opening_when_clocks_change(boston, change):
    found = nights(boston, change - timedelta(days=3), 6)
    assert {(end.hour, end.minute) for _, end in found} == {(8, 30)}


def test_every_opening_has_one_also_after_a_lunch_break(boston):
    hours = boston.hours.copy(update={"rule": "Mo-Fr 08:30-12:00,13:00-18:00; PH off"})
    found = nights(boston.copy(update={"hours": hours}), at(11, 18, 0), 1)
    assert [(start.hour, end.hour) for start, end in found] == [(18, 8), (12, 13)]


@pytest.mark.parametrize("rule", ["24/7", "off", "whenever"])
def test_without_an_opening_there_is_no_digest(boston, rule):
    hours = boston.hours.copy(update={"rule": rule})
    assert nights(boston.copy(update={"hours": hours}), at(11, 18, 0), 2) == []


def test_a_clinic_that_wants_none_gets_none(boston):
    told = boston.notifications.copy(update={"digest": False})
    assert night_to_tell(boston.copy(update={"notifications": told}), at(11, 18, 10)) is None


def test_a_long_closure_counts_from_a_month_ago(boston):
    hours = boston.hours.copy(update={"rule": "Nov 18 08:30-18:00"})
    closed = last_closed(boston.copy(update={"hours": hours}), at(11, 18, 10))
    assert closed is not None
    assert closed.start == at(10, 18, 10)


def arrived(reference: str, tier: str = "none", **changes) -> Arrived:
    values = {"levels": (None, None), "kind": "callback", "can_be_called": True, **changes}
    return Arrived(reference, tier, **values)


def test_the_digest_lists_codes_by_urgency_and_who_waits_for_nobody_is_not_in_it(boston):
    now = at(11, 18, 8, 31)
    night = night_to_tell(boston, now)
    assert night is not None
    notices = digest_of(
        night,
        [
            arrived("CCC-222"),
            arrived("AAA-222", "crisis_self", kind="crisis", can_be_called=False),
            arrived("BBB-222", levels=("emergency", None)),
            arrived("DDD-222", kind="phone", can_be_called=False),
        ],
        boston,
        now,
    )
    assert [notice.target for notice in notices] == [
        "intake@clinic.example",
        "desk@clinic.example",
        "https://hooks.example/in",
    ]
    assert notices[0].payload == {
        "clinic_name": "Greater Boston",
        "since": "2026-11-17T18:00-05:00",
        "until": "2026-11-18T08:30-05:00",
        "codes": {"urgent": ["AAA-222", "BBB-222"], "routine": ["CCC-222"]},
    }


def test_an_opening_has_one_digest_whoever_makes_it_and_whenever(boston):
    night = night_to_tell(boston, at(11, 18, 9))
    assert night is not None
    first = digest_of(night, [], boston, at(11, 18, 9))
    second = digest_of(night, [arrived("CCC-222")], boston, at(11, 18, 16))
    assert [notice.key for notice in first] == [notice.key for notice in second]
