"""A hand-off and what staff are told of it are one commit."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
import sqlalchemy as sa

from bot.clinic.profile import Notifications, load_clinic
from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.settings import ROOT
from bot.store import StoreError, migrate, open_engine, reading, writing
from bot.store.handoffs import Handoffs
from bot.store.outbox import Outbox
from tests.keys import VAULT

NIGHT = datetime(2026, 11, 19, 7, 0, tzinfo=timezone.utc)  # 2 AM in Boston
URGENT = HandoffRecord(
    conversation="greater_boston.0123",
    clinic="greater_boston",
    channel="web",
    kind="callback",
    language="en",
    tier="crisis_self",
    name="Sam",
    phone="+16175550142",
)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'handrail.db'}", VAULT)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine):
    shipped = load_clinic(ROOT / "clinics" / "greater_boston.yml")
    told = Notifications(coordinators=["intake@clinic.example"])
    return HandoffDesk(engine, {"greater_boston": shipped.copy(update={"notifications": told})})


def test_a_recorded_hand_off_is_told_under_its_code(desk, engine):
    recorded = desk.record(URGENT, NIGHT)
    with reading(engine) as db:
        [told] = Outbox(db).undelivered()
    assert told.payload == {
        "clinic_name": "Greater Boston",
        "code": recorded.reference,
        "urgency": "urgent",
    }


def test_an_updated_hand_off_is_not_told_twice(desk, engine):
    desk.record(URGENT, NIGHT)
    assert desk.record(URGENT, NIGHT).updated
    with reading(engine) as db:
        assert len(Outbox(db).undelivered()) == 1


def test_without_the_notice_there_is_no_record_and_no_promise(desk, engine):
    with writing(engine) as db:
        db.execute(sa.text("DROP TABLE notification"))
    with pytest.raises(StoreError):
        desk.record(URGENT, NIGHT)
    with reading(engine) as db:
        assert Handoffs(db).find(URGENT.conversation) is None
