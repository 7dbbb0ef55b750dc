"""Opening hours: holidays, exceptions, daylight saving, words, and failing safe."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clinic.hours import (
    CLOSING_SOON,
    LineState,
    UnreadableHoursError,
    callback_promise,
    check_rule,
    describe,
    line_state,
)
from bot.clinic.profile import Clinic, DatedException, load_clinic
from bot.settings import ROOT

NEW_YORK = ZoneInfo("America/New_York")
FIRST_YEAR, LAST_YEAR = 2026, 2030
BOSTON = load_clinic(ROOT / "clinics" / "greater_boston.yml")


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)


def with_hours(rule: str, *exceptions: tuple[str, str], zone: str = "America/New_York") -> Clinic:
    hours = BOSTON.hours.copy(
        update={
            "rule": rule,
            "exceptions": tuple(
                DatedException(date=day, hours=times, reason="test") for day, times in exceptions
            ),
        }
    )
    return BOSTON.copy(update={"hours": hours, "time_zone": zone})


class TestThanksgiving2026:
    def test_the_line_is_closed_and_opens_on_friday(self):
        state = line_state(BOSTON, at(2026, 11, 26, 10))
        assert not state.open
        assert state.opens_at == at(2026, 11, 27, 8, 30)
        assert state.closes_at is None
        assert state.readable

    def test_the_evening_before_already_looks_past_it(self):
        now = at(2026, 11, 25, 20)
        opens_at = line_state(BOSTON, now).opens_at
        assert opens_at == at(2026, 11, 27, 8, 30)
        assert describe(opens_at, now, BOSTON, "en") == "Friday at 8:30 AM Eastern"

    def test_a_clinic_that_closes_on_friday_too_opens_on_monday(self):
        clinic = with_hours("Mo-Fr 08:30-18:00; PH off", ("2026-11-27", "off"))
        assert line_state(clinic, at(2026, 11, 26)).opens_at == at(2026, 11, 30, 8, 30)

    def test_a_dated_exception_wins_over_the_holiday(self):
        clinic = with_hours("Mo-Fr 08:30-18:00; PH off", ("2026-11-26", "09:00-12:00"))
        assert line_state(clinic, at(2026, 11, 26, 10)).closes_at == at(2026, 11, 26, 12)
        assert not line_state(clinic, at(2026, 11, 26, 13)).open


class TestAnOrdinaryDay:
    @pytest.mark.parametrize(
        ("hour", "minute", "is_open"),
        [(8, 29, False), (8, 30, True), (17, 59, True), (18, 0, False), (0, 0, False)],
    )
    def test_open_from_the_first_to_the_last_minute(self, hour: int, minute: int, is_open: bool):
        assert line_state(BOSTON, at(2026, 11, 24, hour, minute)).open is is_open

    @pytest.mark.parametrize(
        ("hour", "minute", "soon"),
        [(17, 49, False), (17, 50, False), (17, 51, True), (18, 0, False)],
    )
    def test_the_last_ten_minutes_promise_no_transfer(self, hour: int, minute: int, soon: bool):
        state = line_state(BOSTON, at(2026, 11, 24, hour, minute))
        assert state.closing_soon is soon
        assert state.can_transfer is (state.open and not soon)

    def test_the_zone_of_now_does_not_matter(self):
        now = at(2026, 11, 24, 17, 55)
        for zone in (timezone.utc, ZoneInfo("Asia/Tokyo"), timezone(timedelta(hours=-5))):
            assert line_state(BOSTON, now.astimezone(zone)) == line_state(BOSTON, now)

    def test_a_time_without_zone_is_refused(self):
        with pytest.raises(ValueError, match="zone-aware"):
            line_state(BOSTON, datetime(2026, 11, 24, 12))

    def test_the_present_opening_ends_at_the_lunch_break(self):
        clinic = with_hours("Mo-Fr 08:30-12:00,13:00-18:00")
        state = line_state(clinic, at(2026, 11, 24, 11))
        assert state.closes_at == at(2026, 11, 24, 12)
        assert state.opens_at == at(2026, 11, 24, 13)

    def test_two_stretches_without_a_gap_are_one_opening(self):
        clinic = with_hours('Mo-Fr 08:30-12:00 "Ann", Mo-Fr 12:00-18:00 "Bo"')
        state = line_state(clinic, at(2026, 11, 24, 11))
        assert state.closes_at == at(2026, 11, 24, 18)
        assert state.opens_at == at(2026, 11, 25, 8, 30)

    def test_a_night_shift_spans_midnight(self):
        clinic = with_hours("Mo-Fr 22:00-06:00")
        state = line_state(clinic, at(2026, 11, 25, 1))
        assert state.open
        assert state.closes_at == at(2026, 11, 25, 6)

    def test_an_exception_closes_early(self):
        clinic = with_hours("Mo-Fr 08:30-18:00; PH off", ("2026-12-24", "08:30-13:00"))
        assert line_state(clinic, at(2026, 12, 24, 12)).closes_at == at(2026, 12, 24, 13)

    def test_always_open_never_opens_or_closes(self):
        assert line_state(with_hours("24/7"), at(2026, 11, 26)) == LineState(
            open=True, opens_at=None, closes_at=None, closing_soon=False, readable=True
        )

    @pytest.mark.parametrize("rule", ["off", "2020 Mo-Fr 08:30-18:00", "24/7 unknown"])
    def test_never_surely_open_is_closed(self, rule: str):
        assert line_state(with_hours(rule), at(2026, 11, 24)) == LineState(
            open=False, opens_at=None, closes_at=None, closing_soon=False, readable=True
        )


class TestDaylightSaving:
    @pytest.mark.parametrize(
        ("friday", "monday", "utc_hour"),
        [((2026, 3, 6), (2026, 3, 9), 12), ((2026, 10, 30), (2026, 11, 2), 13)],
    )
    def test_monday_after_the_change_opens_at_the_same_wall_time(self, friday, monday, utc_hour):
        opens_at = line_state(BOSTON, at(*friday, 20)).opens_at
        assert opens_at == at(*monday, 8, 30)
        utc = opens_at.astimezone(timezone.utc)
        assert (utc.hour, utc.minute) == (utc_hour, 30)

    @pytest.mark.parametrize(("day", "hours"), [((2026, 3, 8), 3.5), ((2026, 11, 1), 5.5)])
    def test_a_shift_over_the_change_is_an_hour_shorter_or_longer(self, day, hours: float):
        clinic = with_hours("Su 00:30-05:00")
        state = line_state(clinic, at(*day, 0, 40))
        length = state.closes_at.timestamp() - at(*day, 0, 30).timestamp()
        assert length == hours * 3600

    def test_closing_soon_counts_real_minutes(self):
        # 1:55 AM in summer time is 65 real minutes before 2:00 AM in winter time.
        clinic = with_hours("Su 00:00-02:00")
        first = datetime(2026, 11, 1, 5, 55, tzinfo=timezone.utc)
        assert not line_state(clinic, first).closing_soon
        assert line_state(clinic, first + timedelta(hours=1)).closing_soon


class TestAgainstTheHolidaysLibrary:
    """`holidays` is an independent list of US federal holidays and observed days."""

    FEDERAL = holidays.US(years=range(FIRST_YEAR, LAST_YEAR + 2), observed=True)

    def days(self):
        day = date(FIRST_YEAR, 1, 1)
        while day.year <= LAST_YEAR:
            yield day
            day += timedelta(days=1)

    def test_five_years_differ_on_columbus_day_only(self):
        different = {
            (self.FEDERAL.get(day), line_state(BOSTON, at(day.year, day.month, day.day)).open)
            for day in self.days()
            if line_state(BOSTON, at(day.year, day.month, day.day)).open
            != (day.weekday() < 5 and day not in self.FEDERAL)
        }
        assert different == {("Columbus Day", True)}

    def test_a_clinic_can_close_on_columbus_day(self):
        clinic = with_hours("Mo-Fr 08:30-18:00; PH off; Oct Mo[2] off")
        for day in self.days():
            expected = day.weekday() < 5 and day not in self.FEDERAL
            assert line_state(clinic, at(day.year, day.month, day.day)).open is expected, day

    def test_the_next_opening_is_the_next_working_day(self):
        for day in self.days():
            following = day + timedelta(days=1)
            while following.weekday() > 4 or (
                following in self.FEDERAL and self.FEDERAL[following] != "Columbus Day"
            ):
                following += timedelta(days=1)
            opens_at = line_state(BOSTON, at(day.year, day.month, day.day, 20)).opens_at
            assert opens_at == datetime.combine(following, time(8, 30), NEW_YORK)


class TestUnreadable:
    @pytest.mark.parametrize(
        ("clinic", "reason"),
        [
            (with_hours("Mo-Fr 8:30-18:0"), "from '0' on; days are Mo Tu"),
            (with_hours("Monday 9-5"), "from 'nday 9-5' on"),
            (with_hours("24/7", ("2026-11-27", "closed for lunch")), "cannot be read"),
            (with_hours("24/7", zone="America/Boston"), "no such time zone: 'America/Boston'"),
            (with_hours("24/7", zone="America"), "no such time zone"),
            (with_hours("24/7", zone="../etc/passwd"), "no such time zone"),
        ],
    )
    def test_it_counts_as_closed_and_says_why(self, clinic: Clinic, reason: str):
        state = line_state(clinic, at(2026, 11, 24))
        assert (state.open, state.readable, state.can_transfer) == (False, False, False)
        assert (state.opens_at, state.closes_at) == (None, None)
        assert reason in state.unreadable_because

    def test_the_promise_then_names_no_time(self):
        clinic = with_hours("Monday 9-5")
        assert callback_promise(clinic, at(2026, 11, 24), "en") == (
            BOSTON.callback_promise.general.en
        )

    def test_checking_a_rule_raises(self):
        with pytest.raises(UnreadableHoursError, match="from '0' on"):
            check_rule("Mo-Fr 8:30-18:0")


class TestWords:
    NOW = at(2026, 11, 24, 20)  # a Tuesday

    @pytest.mark.parametrize(
        ("moment", "english", "spanish"),
        [
            (
                at(2026, 11, 24, 21, 5),
                "today at 9:05 PM Eastern",
                "hoy a las 9:05 p. m. (hora del Este)",
            ),
            (
                at(2026, 11, 25, 8, 30),
                "tomorrow (Wednesday) at 8:30 AM Eastern",
                "mañana (miércoles) a las 8:30 a. m. (hora del Este)",
            ),
            (
                at(2026, 11, 30, 8, 30),
                "Monday at 8:30 AM Eastern",
                "el lunes a las 8:30 a. m. (hora del Este)",
            ),
            (
                at(2026, 12, 1, 8, 30),  # a Tuesday again: the date tells them apart
                "Tuesday, December 1 at 8:30 AM Eastern",
                "el martes 1 de diciembre a las 8:30 a. m. (hora del Este)",
            ),
            (
                at(2026, 11, 28, 13),
                "Saturday at 1:00 PM Eastern",
                "el sábado a la 1:00 p. m. (hora del Este)",
            ),
            (
                at(2026, 11, 28, 0, 15),
                "Saturday at 12:15 AM Eastern",
                "el sábado a las 12:15 a. m. (hora del Este)",
            ),
            (
                at(2026, 11, 28, 12),
                "Saturday at 12:00 PM Eastern",
                "el sábado a las 12:00 p. m. (hora del Este)",
            ),
        ],
    )
    def test_a_moment_reads_as_people_say_it(self, moment: datetime, english: str, spanish: str):
        assert describe(moment, self.NOW, BOSTON, "en") == english
        assert describe(moment, self.NOW, BOSTON, "es") == spanish

    def test_days_are_the_clinics_days_not_those_of_utc(self):
        now = datetime(2026, 11, 25, 2, tzinfo=timezone.utc)  # still Tuesday evening in Boston
        moment = datetime(2026, 11, 25, 3, tzinfo=timezone.utc)
        assert describe(moment, now, BOSTON, "en") == "today at 10:00 PM Eastern"

    @pytest.mark.parametrize("month", [1, 7])
    @pytest.mark.parametrize(
        ("zone", "english", "spanish"),
        [
            ("America/Chicago", "Central", "(hora del Centro)"),
            ("America/Denver", "Mountain", "(hora de la Montaña)"),
            ("America/Los_Angeles", "Pacific", "(hora del Pacífico)"),
            ("Pacific/Honolulu", "Hawaii", "(hora de Hawái)"),
        ],
    )
    def test_the_zone_has_its_plain_name_in_summer_and_winter(
        self, month: int, zone: str, english: str, spanish: str
    ):
        clinic = with_hours("24/7", zone=zone)
        moment = at(2026, month, 15)
        assert describe(moment, moment, clinic, "en").endswith(f" {english}")
        assert describe(moment, moment, clinic, "es").endswith(spanish)


class TestCallbackPromise:
    def test_at_night_it_names_the_next_opening(self):
        now = at(2026, 11, 27, 22)
        assert callback_promise(BOSTON, now, "en").endswith("open, Monday at 8:30 AM Eastern.")
        assert "el lunes a las 8:30 a. m." in callback_promise(BOSTON, now, "es")

    def test_just_before_closing_too(self):
        assert "Monday" in callback_promise(BOSTON, at(2026, 11, 27, 17, 55), "en")

    def test_while_open_it_names_no_time(self):
        promise = callback_promise(BOSTON, at(2026, 11, 27, 10), "en")
        assert promise == BOSTON.callback_promise.general.en


MOMENTS = st.datetimes(
    min_value=datetime(FIRST_YEAR, 1, 1),
    max_value=datetime(LAST_YEAR, 12, 31),
    timezones=st.just(timezone.utc),
)
RULES = st.sampled_from(
    [
        "Mo-Fr 08:30-18:00; PH off",
        "Mo-Fr 08:30-12:00,13:00-18:00; Sa 10:00-12:00; PH off",
        "Mo-Su 22:00-06:00",
        "Jan-Jun Mo-Fr 09:00-17:00; Jul-Dec Mo-Th 07:00-19:00",
        "24/7",
    ]
)


@given(MOMENTS, RULES)
def test_what_a_state_says_of_later_holds_later(now: datetime, rule: str):
    clinic = with_hours(rule)
    state = line_state(clinic, now)
    if state.opens_at:
        assert state.opens_at > now
        assert line_state(clinic, state.opens_at).open
        assert not line_state(clinic, state.opens_at - timedelta(seconds=1)).open
    if state.closes_at:
        assert state.open
        assert not line_state(clinic, state.closes_at).open
        last_second = state.closes_at.astimezone(timezone.utc) - timedelta(seconds=1)
        assert line_state(clinic, last_second).closing_soon
    assert state.closing_soon is (
        state.closes_at is not None
        and state.closes_at.astimezone(timezone.utc) - now < CLOSING_SOON
    )
