"""What has been kept long enough is deleted, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.notify.notice import Notice
from bot.reviewed import DataError
from bot.store import Audit, Conversations, Messages, TrackerEvents, reading, writing
from bot.store.handoffs import Handoffs
from bot.store.outbox import Outbox
from bot.store.purge import due_before, load_retention, purge
from bot.store.tables import (
    casework,
    login_failure,
    metadata,
    notification,
    staff,
    staff_session,
)
from tests.store.filled import NOON, days, request, talk

POLICY = {
    "abandoned_chat": timedelta(hours=72),
    "handoff": timedelta(days=365),
    "notification": timedelta(days=30),
    "staff_session": timedelta(hours=24),
    "login_failure": timedelta(days=7),
    "sms_received": timedelta(hours=48),
    "sms_sent": timedelta(days=30),
    "sms_number": timedelta(hours=72),
    "sms_opt_out": timedelta(days=1826),
}


def conversations(engine) -> list[str]:
    with reading(engine) as db:
        rows = db.execute(sa.text("SELECT id FROM conversation ORDER BY id"))
        return list(rows.scalars())


def test_the_policy_that_comes_with_handrail_is_sound():
    policy = load_retention()
    assert policy["abandoned_chat"] == timedelta(hours=72)
    assert set(policy) == set(POLICY)


@given(st.datetimes(min_value=NOON.replace(tzinfo=None), timezones=st.just(NOON.tzinfo)))
def test_nothing_younger_than_its_time_is_ever_due(now):
    for name, moment in due_before(POLICY, now).items():
        assert now - moment == POLICY[name]


def test_an_abandoned_chat_goes_after_72_hours_with_all_that_was_said(engine):
    talk(engine, "old", NOON - timedelta(hours=72))
    talk(engine, "young", NOON - timedelta(hours=71, minutes=59))
    assert purge(engine, POLICY, NOON)["abandoned_chat"] == 1
    assert conversations(engine) == ["young"]
    with reading(engine) as db:
        assert Messages(db).after("old") == []
        assert TrackerEvents(db).read("old") == []
        assert len(Messages(db).after("young")) == 2
        assert TrackerEvents(db).read("young")
        for table in ("message", "button"):
            left = db.execute(sa.text(f"SELECT DISTINCT conversation FROM {table}"))
            assert list(left.scalars()) == ["young"]


def test_a_chat_with_a_request_stays_as_long_as_its_request(engine):
    talk(engine, "a", NOON - days(300))
    request(engine, "a", NOON - days(300))
    assert sum(purge(engine, POLICY, NOON).values()) == 0
    deleted = purge(engine, POLICY, NOON + days(66))
    assert (deleted["handoff"], conversations(engine)) == (1, [])
    with reading(engine) as db:
        assert Handoffs(db).find("a") is None
        assert TrackerEvents(db).read("a") == []


def test_a_request_stays_while_one_of_its_conversations_goes_on(engine):
    talk(engine, "a", NOON - days(400))
    request(engine, "a", NOON - days(400))
    with writing(engine) as db:
        found = Conversations(db).find("a")
        assert found is not None
        Conversations(db).set_state("a", found.state, NOON, chosen_language=None)
    assert sum(purge(engine, POLICY, NOON).values()) == 0


def test_a_request_that_staff_have_begun_with_stays_until_they_close_it(engine):
    talk(engine, "a", NOON - days(400))
    code = request(engine, "a", NOON - days(400))
    with writing(engine) as db:
        db.execute(sa.insert(casework).values(reference=code, status="attempted"))
    assert purge(engine, POLICY, NOON)["handoff"] == 0
    with writing(engine) as db:
        db.execute(sa.update(casework).values(status="closed", closed=NOON - days(399)))
    assert purge(engine, POLICY, NOON)["handoff"] == 1


def test_logins_and_failed_ones_are_forgotten(engine):
    with writing(engine) as db:
        for name, at in (("old", NOON - days(8)), ("young", NOON)):
            staff_id = db.execute(
                sa.insert(staff).values(
                    name=name,
                    full_name=name,
                    role="auditor",
                    clinics=[],
                    password_hash="x",
                    created=at,
                )
            ).inserted_primary_key[0]
            db.execute(
                sa.insert(staff_session).values(
                    token_hash=name, staff=staff_id, created=at, seen=at
                )
            )
            db.execute(sa.insert(login_failure).values(subject=name, count=3, last=at))
    purge(engine, POLICY, NOON)
    with reading(engine) as db:
        assert db.execute(sa.select(staff_session.c.token_hash)).scalars().all() == ["young"]
        assert db.execute(sa.select(login_failure.c.subject)).scalars().all() == ["young"]


def test_a_dry_run_counts_and_deletes_nothing(engine):
    talk(engine, "a", NOON - days(4))
    assert purge(engine, POLICY, NOON, dry_run=True)["abandoned_chat"] == 1
    assert conversations(engine) == ["a"]
    with reading(engine) as db:
        assert Audit(db).count() == 0


def test_every_deletion_is_in_the_audit_by_id(engine, monkeypatch):
    monkeypatch.setattr("bot.store.purge.BATCH", 2)
    for name in "abc":
        talk(engine, name, NOON - days(4))
    purge(engine, POLICY, NOON)
    with reading(engine) as db:
        entries = Audit(db).after()
    assert [entry.action for entry in entries] == ["retention.purged"] * 2
    assert sorted(i for entry in entries for i in entry.details["ids"]) == ["a", "b", "c"]


def test_sent_notices_go_and_waiting_ones_stay(engine):
    def notice(key: str) -> Notice:
        return Notice(
            key=key,
            kind="urgent",
            clinic="greater_boston",
            subject=key,
            channel="email",
            target="staff@clinic.example",
            payload={},
            rank=0,
            created=NOON - days(40),
        )

    with writing(engine) as db:
        Outbox(db).add([notice("sent"), notice("waits")])
        sent = next(n for n in Outbox(db).undelivered() if n.subject == "sent")
        Outbox(db).delivered(sent.id, NOON - days(31))
    assert purge(engine, POLICY, NOON)["notification"] == 1
    with reading(engine) as db:
        assert db.execute(sa.select(notification.c.subject)).scalars().all() == ["waits"]


def test_a_clock_that_runs_an_hour_behind_deletes_nothing_early(engine):
    talk(engine, "a", NOON - timedelta(hours=72))
    assert purge(engine, POLICY, NOON - timedelta(hours=1))["abandoned_chat"] == 0


def test_every_table_of_visitors_is_covered_by_a_class():
    """A new table either hangs on a conversation or request, or is named here with its reason."""
    covered = {"conversation", "handoff", "notification", "tracker_event"}
    covered |= {"staff_session", "login_failure", "sms_contact"}
    covered |= {"encryption_key", "audit", "audit_head", "staff"}  # hold nothing of visitors
    left = {
        table.name
        for table in metadata.tables.values()
        if table.name not in covered
        and not any(key.ondelete == "CASCADE" for key in table.foreign_keys)
    }
    assert left == set()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("keep: 72 hours", "keep: -3 hours"),
        ("keep: 72 hours", "keep: forever"),
        ("id: handoff", "id: handof"),
        ("id: notification", "id: handoff"),
    ],
)
def test_a_mistake_in_the_policy_is_told_with_its_line(tmp_path, line, message):
    from bot.store.purge import RETENTION

    file = tmp_path / "retention.yml"
    file.write_text(RETENTION.read_text().replace(line, message))
    with pytest.raises(DataError, match=r"retention.yml:\d+"):
        load_retention(file)
