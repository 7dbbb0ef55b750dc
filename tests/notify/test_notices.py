"""Who is told of what: notices for hand-offs and messages of danger."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notify.notice import Event, Notice, is_urgent, notifications_for
from bot.vocabulary import HANDOFFS, LEVELS, TIERS

OPEN = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)  # a Wednesday, 10 AM in Boston
NIGHT = datetime(2026, 11, 19, 7, 0, tzinfo=timezone.utc)  # 2 AM
CALL_ME = Event(
    clinic="greater_boston",
    conversation="greater_boston.0123",
    reference="K7M-4QX",
    tier="none",
    kind="callback",
    can_be_called=True,
    at=OPEN,
)
DANGER = dataclasses.replace(CALL_ME, tier="crisis_self", kind="crisis", can_be_called=False)


def at(event: Event, moment: datetime, **changes: object) -> Event:
    return dataclasses.replace(event, at=moment, **changes)


def keys(notices: list[Notice]) -> set[str]:
    return {notice.key for notice in notices}


@pytest.mark.parametrize("moment", [OPEN, NIGHT])
def test_danger_pages_coordinators_and_webhook_at_any_hour(boston, moment):
    notices = notifications_for(at(DANGER, moment), boston)
    assert [(notice.channel, notice.target) for notice in notices] == [
        ("email", "intake@clinic.example"),
        ("email", "desk@clinic.example"),
        ("webhook", "https://hooks.example/in"),
    ]
    assert {notice.payload["urgency"] for notice in notices} == {"urgent"}
    assert {notice.rank for notice in notices} == {0}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("level", [None, *LEVELS])
def test_danger_and_emergency_levels_are_urgent_and_nothing_else_is(tier, level):
    dangerous = tier in ("crisis_other", "crisis_self", "emergency")
    emergency = level in ("crisis_assessment", "emergency")
    assert is_urgent(tier, [None, level]) == (dangerous or emergency)


def test_a_message_of_danger_without_a_code_pages_too(boston):
    notices = notifications_for(at(DANGER, NIGHT, reference=None), boston)
    assert len(notices) == 3
    assert notices[0].payload["code"] is None


def test_many_messages_of_danger_page_once_in_ten_minutes(boston):
    first = notifications_for(at(DANGER, NIGHT), boston)
    soon = notifications_for(at(DANGER, NIGHT + timedelta(minutes=9)), boston)
    later = notifications_for(at(DANGER, NIGHT + timedelta(minutes=10)), boston)
    assert keys(first) == keys(soon)
    assert not keys(first) & keys(later)


def test_rising_danger_pages_at_once(boston):
    first = notifications_for(at(DANGER, NIGHT), boston)
    worse = notifications_for(at(DANGER, NIGHT, tier="emergency"), boston)
    assert not keys(first) & keys(worse)


def test_a_request_for_a_call_is_told_at_once_while_the_line_is_open(boston):
    notices = notifications_for(CALL_ME, boston)
    assert {notice.payload["urgency"] for notice in notices} == {"routine"}
    assert len(notices) == 3


def test_a_request_of_the_night_waits_for_the_digest(boston):
    assert notifications_for(at(CALL_ME, NIGHT), boston) == []


def test_a_request_of_the_night_is_told_at_once_where_there_is_no_digest(boston):
    told = boston.notifications.copy(update={"digest": False})
    without = boston.copy(update={"notifications": told})
    assert len(notifications_for(at(CALL_ME, NIGHT), without)) == 3


def test_a_request_is_told_at_once_where_hours_cannot_be_read(boston):
    hours = boston.hours.copy(update={"rule": "whenever"})
    assert len(notifications_for(at(CALL_ME, NIGHT), boston.copy(update={"hours": hours}))) == 3


def test_a_repeated_request_is_told_once_a_day(boston):
    first = notifications_for(CALL_ME, boston)
    assert keys(first) == keys(notifications_for(at(CALL_ME, OPEN + timedelta(hours=3)), boston))
    assert not keys(first) & keys(notifications_for(at(CALL_ME, OPEN + timedelta(days=1)), boston))


@pytest.mark.parametrize("kind", ["phone", "none", None])
def test_who_was_given_the_number_is_not_waiting(boston, kind):
    assert notifications_for(at(CALL_ME, OPEN, kind=kind), boston) == []


def test_a_request_without_a_phone_number_is_not_told_yet(boston):
    assert notifications_for(at(CALL_ME, OPEN, can_be_called=False), boston) == []


def test_a_clinic_that_names_nobody_tells_nobody(silent):
    assert notifications_for(DANGER, silent) == []
    assert notifications_for(DANGER, None) == []


def test_where_only_supervisors_are_named_they_are_told(boston):
    told = boston.notifications.copy(update={"coordinators": [], "webhook": None})
    [notice] = notifications_for(DANGER, boston.copy(update={"notifications": told}))
    assert notice.target == "lead@clinic.example"


@given(
    tier=st.sampled_from(TIERS),
    level=st.sampled_from([None, *LEVELS]),
    kind=st.sampled_from([None, *HANDOFFS]),
    phone=st.booleans(),
    conversation=st.uuids().map(str),
)
def test_a_payload_says_code_urgency_and_clinic_alone(
    boston, tier, level, kind, phone, conversation
):
    event = at(
        CALL_ME,
        OPEN,
        tier=tier,
        levels=(level,),
        kind=kind,
        can_be_called=phone,
        conversation=conversation,
    )
    for notice in notifications_for(event, boston):
        assert notice.payload == {
            "clinic_name": "Greater Boston",
            "code": "K7M-4QX",
            "urgency": "urgent" if is_urgent(tier, [level]) else "routine",
        }
