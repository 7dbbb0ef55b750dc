"""What is kept of texting, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from bot.store import Conversations, reading, writing
from bot.store.purge import purge
from bot.store.records import Conversation
from bot.store.sms_contacts import SmsContacts
from bot.store.sms_inbox import Arrival, SmsInbox
from bot.store.sms_outbox import CONFIRMATION, CRISIS, REPLY, STAFF, SmsOutbox, Text
from bot.store.tables import sms_contact, sms_inbox
from bot.turns import TurnState
from tests.store.test_purge import POLICY, days

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=timezone.utc)


def arrival(sid: str, sender: str = "+16175550142", **fields) -> Arrival:
    values = {"idempotency": None, "clinic": "greater_boston", "text": "hello", "media": 0}
    return Arrival(sid=sid, sender=sender, opt_out_type=None, at=NOON, **{**values, **fields})


def came(engine, *arrivals: Arrival) -> list[str]:
    with writing(engine) as db:
        return SmsInbox(db).add(arrivals, NOON)


def put(engine, conversation: str, *texts: Text) -> None:
    with writing(engine) as db:
        for text in texts:
            SmsOutbox(db).add(conversation, text, NOON)


def taken(engine, holder: str = "one", now: datetime = NOON) -> list[str]:
    with reading(engine) as db:
        due = SmsOutbox(db).anything_due(now)
    with writing(engine) as db:
        found = [each.text for each in SmsOutbox(db).take(holder, now, 10)]
    assert due == bool(found)
    return found


def test_texts_come_back_in_order_of_arrival_and_each_counts_once(both_databases):
    first, again, second = came(
        both_databases, arrival("1"), arrival("1"), arrival("2", text="more")
    )
    assert first == again == second
    came(both_databases, arrival("2"))
    texts = []
    while True:
        with writing(both_databases) as db:
            received = SmsInbox(db).take(first, "one", NOON)
            if received is None:
                break
            texts.append(received.text)
            SmsInbox(db).done(received, "one", NOON)
    assert texts == ["hello", "more"]


def test_the_same_number_at_two_clinics_is_two_conversations(both_databases):
    one, other = came(both_databases, arrival("1"), arrival("2", clinic="time_wellness_georgia"))
    assert one.partition(".")[2] != other.partition(".")[2]


def test_one_text_of_a_number_at_a_time_and_crisis_help_first(both_databases):
    calm, crisis = came(both_databases, arrival("1"), arrival("2", "+16175550143"))
    put(both_databases, calm, Text("a", REPLY, "calm one"), Text("b", REPLY, "calm two"))
    put(both_databases, crisis, Text("c", CRISIS, "988"))
    assert sorted(taken(both_databases)) == ["988", "calm one"]
    assert taken(both_databases, "two") == []


def test_the_same_key_is_one_text(both_databases):
    [conversation] = came(both_databases, arrival("1"))
    put(both_databases, conversation, Text("a", REPLY, "one"), Text("a", REPLY, "one"))
    with writing(both_databases) as db:
        assert SmsOutbox(db).written_since(conversation, NOON - days(1)) == 1


def test_a_reply_does_not_wait_behind_a_held_text_of_staff(both_databases):
    [conversation] = came(both_databases, arrival("1"))
    later = NOON + timedelta(hours=9)
    put(both_databases, conversation, Text("s", STAFF, "held", later), Text("r", REPLY, "reply"))
    assert taken(both_databases) == ["reply"]


def test_who_opted_out_gets_the_confirmation_and_nothing_else(both_databases):
    [conversation] = came(both_databases, arrival("1"))
    put(both_databases, conversation, Text("a", REPLY, "reply"), Text("b", CONFIRMATION, "goodbye"))
    with writing(both_databases) as db:
        SmsContacts(db).change(conversation, NOON, opted_out=NOON)
        SmsOutbox(db).cancel(conversation, NOON)
    assert taken(both_databases) == ["goodbye"]


def test_what_a_worker_held_is_free_again(both_databases):
    [conversation] = came(both_databases, arrival("1"))
    put(both_databases, conversation, Text("a", REPLY, "reply"))
    assert taken(both_databases) == ["reply"]
    with writing(both_databases) as db:
        SmsOutbox(db).release("one")
    assert taken(both_databases, "two") == ["reply"]


@pytest.mark.parametrize(("opted_out", "left"), [(None, 0), (NOON, 1)])
def test_an_opt_out_outlives_its_conversation(both_databases, opted_out, left):
    [conversation] = came(both_databases, arrival("1"))
    with writing(both_databases) as db:
        Conversations(db).add(
            Conversation(conversation, "greater_boston", "sms", None, None, NOON, TurnState())
        )
        SmsContacts(db).change(conversation, NOON, opted_out=opted_out)
        SmsInbox(db).done(SmsInbox(db).take(conversation, "one", NOON), "one", NOON)
    for day in (4, 8):
        purge(both_databases, POLICY, NOON + days(day))
    with reading(both_databases) as db:
        count = sa.select(sa.func.count())
        assert db.execute(count.select_from(sms_contact)).scalar_one() == left
        assert db.execute(count.select_from(sms_inbox)).scalar_one() == 0
    purge(both_databases, POLICY, NOON + days(1830))
    with reading(both_databases) as db:
        assert db.execute(count.select_from(sms_contact)).scalar_one() == 0
