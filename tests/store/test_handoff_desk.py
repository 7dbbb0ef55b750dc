"""The desk: a record is committed before its code is told; a person has one a day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.clinic.profile import load_clinics
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord, crisis_record, merged
from bot.settings import ROOT
from bot.store import StoreError, reading, writing
from bot.store.handoffs import Handoffs

BOSTON = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 23, 10, tzinfo=BOSTON)
CLINICS = load_clinics(ROOT / "clinics")
PHONE = "+16175550142"


def request(conversation: str, **known: object) -> HandoffRecord:
    basics = {"clinic": "greater_boston", "channel": "web", "kind": "callback"}
    return HandoffRecord(
        **{"conversation": conversation, "language": "en", "tier": "none", **basics, **known}
    )


@pytest.fixture
def desk(engine):
    return HandoffDesk(engine, CLINICS, Random(1))


@pytest.fixture
def found(engine):
    """Code and record that a conversation leads to."""

    def find(conversation):
        with reading(engine) as connection:
            return Handoffs(connection).find(conversation)

    return find


def test_what_was_asked_for_is_found_again(desk, found):
    record = request(
        "a",
        name="Ana",
        phone=PHONE,
        best_time="after 5",
        call_from=NOW,
        answers={"state": "MA"},
        reasons=[{"rule": "r", "why": "w", "items": ["state"]}],
        unknown=["age_band"],
        consent="yes to this",
        consent_at=NOW,
    )
    recorded = desk.record(record, NOW)
    code, stored = found("a")
    assert code == recorded.reference
    assert stored == record or vars(stored) == {
        **vars(record),
        "reasons": list(record.reasons),
        "unknown": list(record.unknown),
    }
    assert not recorded.updated


def test_the_same_conversation_updates_its_record(desk, found):
    first = desk.record(request("a", phone=PHONE, name="Ana"), NOW)
    again = desk.record(request("a", kind="phone"), NOW)
    assert (again.reference, again.updated, again.requested_before) == (
        first.reference,
        True,
        True,
    )
    _, stored = found("a")
    assert (stored.phone, stored.name, stored.kind) == (PHONE, "Ana", "callback")


def test_the_same_number_on_the_same_day_is_the_same_request(desk, found):
    first = desk.record(request("a", phone=PHONE), NOW)
    again = desk.record(request("b", phone=PHONE, best_time="mornings"), NOW)
    assert (again.reference, again.requested_before) == (first.reference, True)
    assert found("b") == found("a")
    assert found("b")[1].best_time == "mornings"
    # The second conversation keeps finding it, without a number too.
    assert desk.record(request("b"), NOW).reference == first.reference


@pytest.mark.parametrize(
    ("other", "now"),
    [
        ({"clinic": "time_wellness_georgia"}, NOW),
        ({}, datetime(2026, 11, 24, 0, 1, tzinfo=BOSTON)),
        ({"phone": "+1"}, NOW),
    ],
)
def test_another_clinic_day_or_number_is_another_request(desk, other, now):
    first = desk.record(request("a", phone=PHONE), NOW)
    second = desk.record(request("b", **{"phone": PHONE, **other}), now)
    assert second.reference != first.reference


def test_the_day_is_the_clinics_own(desk):
    # 23:30 in Boston is the next day in UTC, and still the same day for the clinic.
    evening = datetime(2026, 11, 24, 4, 30, tzinfo=timezone.utc)
    first = desk.record(request("a", phone=PHONE), NOW)
    assert desk.record(request("b", phone=PHONE), evening).reference == first.reference


def test_a_clinic_that_is_gone_still_has_its_requests(desk, found):
    desk.record(request("a", clinic="gone"), NOW)
    assert found("a")


def test_a_code_told_before_the_number_was_known_leads_to_the_request_that_goes_on(
    desk, found, engine
):
    first = desk.record(request("a", phone=PHONE, name="Ana"), NOW)
    early = desk.record(request("b", tier="crisis_self", tier_rule="r"), NOW)
    assert early.reference != first.reference
    desk.record(request("b", phone=PHONE), NOW)
    code, stored = found("b")
    assert code == first.reference
    assert (stored.name, stored.tier, stored.tier_rule) == ("Ana", "crisis_self", "r")
    with reading(engine) as connection:
        handoffs = Handoffs(connection)
        assert handoffs.conversations(first.reference) == ["a", "b"]
        assert handoffs.current(early.reference) == first.reference
        assert handoffs.current(first.reference) == first.reference
        assert handoffs.current("K7M-4QX") is None


def test_danger_never_gets_less_and_keeps_what_set_it():
    danger = crisis_record(
        conversation="a",
        clinic="c",
        channel="web",
        language="en",
        tier="crisis_self",
        rule="wants_to_die",
        categories=("suicide_active",),
    )
    for later in (request("a"), request("a", tier="concern", tier_rule="tired")):
        both = merged(danger, later)
        assert (both.tier, both.tier_rule, both.kind) == ("crisis_self", "wants_to_die", "crisis")
        assert both.safety_category == "suicide_active"
    worse = merged(danger, request("a", tier="emergency", tier_rule="took_pills"))
    assert (worse.tier, worse.tier_rule, worse.safety_category) == ("emergency", "took_pills", None)


def test_answers_are_replaced_as_a_whole_or_kept_as_a_whole():
    earlier = request("a", answers={"age_band": "adult"}, level="iop", reasons=[{"rule": "r"}])
    assert merged(earlier, request("b")).level == "iop"
    newer = merged(earlier, request("b", answers={"state": "MA"}))
    assert (newer.answers, newer.level, newer.reasons) == ({"state": "MA"}, None, ())


def test_a_taken_code_is_drawn_again(engine, found):
    class Stuck(Random):
        def __init__(self):
            super().__init__()
            self.draws = 0

        def choice(self, seq):
            self.draws += 1
            return seq[0] if self.draws <= 10 else seq[1]

    desk = HandoffDesk(engine, CLINICS, Stuck())
    first = desk.record(request("a"), NOW)
    assert desk.record(request("b"), NOW).reference != first.reference


def test_a_failure_in_the_callers_transaction_takes_the_record_with_it(engine, desk, found):
    def dies_before_the_commit() -> None:
        with writing(engine) as connection:
            desk.write(connection, request("a"), NOW)
            raise RuntimeError("the process dies here")

    with pytest.raises(RuntimeError):
        dies_before_the_commit()
    assert found("a") is None


def test_without_a_database_nothing_is_recorded(desk, engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE handoff_conversation")
    with pytest.raises(StoreError):
        desk.record(request("a"), NOW)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM handoff").scalar_one() == 0


@pytest.mark.parametrize("same_person", [True, False])
def test_fifty_at_once_are_all_stored_and_nobody_twice(engine, same_person):
    def ask(number: int) -> str:
        phone = PHONE if same_person else f"+1617555{number:04}"
        desk = HandoffDesk(engine, CLINICS, Random(number))
        return desk.record(request(f"c{number}", phone=phone), NOW).reference

    with ThreadPoolExecutor(8) as people:
        codes = set(people.map(ask, range(50)))
    with reading(engine) as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM handoff").scalar_one()
    assert rows == len(codes) == (1 if same_person else 50)
