"""The outbox on both databases: nothing is sent by two, nothing is lost."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest

from bot.notify.notice import Notice
from bot.store import reading, writing
from bot.store.outbox import LEASE, LONGEST_WAIT, Outbox

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def notice(key: str, *, rank: int = 1, created: datetime = NOON) -> Notice:
    return Notice(
        key=key,
        kind="new",
        clinic="greater_boston",
        subject="K7M-4QX",
        channel="email",
        target="intake@clinic.example",
        payload={"code": "K7M-4QX"},
        rank=rank,
        created=created,
    )


def add(engine, *notices: Notice) -> int:
    with writing(engine) as db:
        return Outbox(db).add(notices)


def take(engine, now: datetime = NOON, *, holder: str = "one", limit: int = 10) -> list[str]:
    with writing(engine) as db:
        return [each.id for each in Outbox(db).take(holder, now, limit)]


def test_the_same_thing_is_stored_once(engine):
    assert add(engine, notice("a"), notice("b")) == 2
    assert add(engine, notice("a"), notice("c")) == 1
    assert len(take(engine)) == 3


def test_what_fails_with_its_cause_is_not_stored(engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as db:  # noqa: PT012
        Outbox(db).add([notice("a")])
        raise ZeroDivisionError
    assert take(engine) == []


def test_urgent_notices_go_first_then_the_oldest(engine):
    add(
        engine,
        notice("late", created=NOON + MINUTE),
        notice("early"),
        notice("urgent", rank=0, created=NOON + 2 * MINUTE),
    )
    with writing(engine) as db:
        taken = Outbox(db).take("one", NOON + 3 * MINUTE, 10)
    assert [each.created - NOON for each in taken] == [2 * MINUTE, 0 * MINUTE, MINUTE]


def test_what_one_worker_holds_no_other_takes(engine):
    add(engine, notice("a"), notice("b"))
    assert len(take(engine, holder="one", limit=1)) == 1
    assert len(take(engine, holder="two")) == 1
    assert take(engine, holder="three") == []


def test_workers_that_take_at_the_same_time_never_share(engine):
    add(engine, *(notice(str(number)) for number in range(60)))
    taken: list[str] = []
    barrier = threading.Barrier(4)

    def work(holder: str) -> None:
        barrier.wait()
        while ids := take(engine, holder=holder, limit=5):
            taken.extend(ids)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 60


def test_what_a_dead_worker_held_is_free_after_its_lease(engine):
    add(engine, notice("a"))
    first = take(engine, holder="one")
    assert take(engine, NOON + LEASE - MINUTE, holder="two") == []
    assert take(engine, NOON + LEASE, holder="two") == first


def test_a_restarted_worker_takes_up_at_once_what_it_held(engine):
    add(engine, notice("a"))
    first = take(engine, holder="one")
    with writing(engine) as db:
        assert Outbox(db).release("two") == 0
        assert Outbox(db).release("one") == 1
    assert take(engine, holder="one") == first


def test_a_delivered_notice_is_never_taken_again(engine):
    add(engine, notice("a"))
    [identity] = take(engine)
    with writing(engine) as db:
        Outbox(db).delivered(identity, NOON)
        Outbox(db).failed(identity, "a second worker's late word", NOON)
    assert take(engine, NOON + timedelta(days=1)) == []
    with reading(engine) as db:
        assert Outbox(db).undelivered() == []
        found = Outbox(db).find(identity)
    assert found is not None
    assert (found.delivered, found.last_error) == (NOON, None)


def test_a_failed_notice_waits_until_it_is_due(engine):
    add(engine, notice("a"))
    [identity] = take(engine)
    with writing(engine) as db:
        Outbox(db).failed(identity, "connection refused", NOON + MINUTE)
    assert take(engine, NOON) == []
    with reading(engine) as db:
        assert not Outbox(db).anything_due(NOON)
        assert Outbox(db).anything_due(NOON + MINUTE)
    with writing(engine) as db:
        [again] = Outbox(db).take("one", NOON + MINUTE, 10)
    assert (again.id, again.attempts, again.last_error) == (identity, 2, "connection refused")


def test_what_could_not_be_tried_costs_no_attempt(engine):
    add(engine, notice("a"))
    [identity] = take(engine)
    with writing(engine) as db:
        Outbox(db).not_tried(identity, "HANDRAIL_SMTP is not set", NOON + MINUTE)
        found = Outbox(db).find(identity)
    assert found is not None
    assert (found.attempts, found.last_error) == (0, "HANDRAIL_SMTP is not set")


def test_a_dead_notice_is_shown_and_can_be_tried_again(engine):
    add(engine, notice("a"), notice("b"))
    identity, _ = take(engine)
    with writing(engine) as db:
        Outbox(db).give_up(identity, "550 no such user", NOON)
        [dead] = Outbox(db).undelivered(dead_only=True)
        assert (dead.id, dead.dead, dead.last_error) == (identity, NOON, "550 no such user")
        assert Outbox(db).retry("unknown") is False
        assert Outbox(db).retry(identity) is True
    assert take(engine, NOON + MINUTE, holder="two") == [identity]


def test_the_backlog_counts_what_waits_fails_and_is_dead(engine):
    add(engine, notice("a"), notice("b", created=NOON + MINUTE), notice("c"), notice("d"))
    first, second, third, _ = take(engine, NOON + MINUTE)
    with writing(engine) as db:
        Outbox(db).delivered(first, NOON)
        Outbox(db).give_up(second, "gone", NOON)
        Outbox(db).failed(third, "refused", NOON)
    with reading(engine) as db:
        backlog = Outbox(db).backlog()
    assert (backlog.waiting, backlog.failing, backlog.dead) == (2, 1, 1)
    assert backlog.oldest in (NOON, NOON + MINUTE)


def test_an_empty_backlog_is_empty(engine):
    with reading(engine) as db:
        backlog = Outbox(db).backlog()
    assert (backlog.waiting, backlog.failing, backlog.dead, backlog.oldest) == (0, 0, 0, None)


def test_a_clock_that_falls_back_an_hour_delays_nothing(engine):
    fast = NOON + timedelta(hours=1, minutes=5)
    add(engine, notice("new", created=fast), notice("failed", created=fast))
    held, failed = take(engine, fast)
    with writing(engine) as db:
        Outbox(db).failed(failed, "refused", fast + MINUTE)
    assert fast + MINUTE > NOON + LONGEST_WAIT
    assert set(take(engine, NOON, holder="two")) == {held, failed}


def test_errors_are_kept_short(engine):
    add(engine, notice("a"))
    [identity] = take(engine)
    with writing(engine) as db:
        Outbox(db).failed(identity, "x" * 5000, NOON)
        found = Outbox(db).find(identity)
    assert found is not None
    assert len(found.last_error or "") == 300
