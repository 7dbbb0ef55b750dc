"""The audit can only grow, and shows when somebody went round that."""

from __future__ import annotations

import multiprocessing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import Audit, StoreError, Vault, migrate, open_engine, reading, writing
from bot.store.audit import verify

NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))


@pytest.fixture
def written(engine):
    """A database with five entries."""
    with writing(engine) as db:
        for number in range(5):
            Audit(db).add(
                actor="ana",
                action="handoff.viewed",
                subject=f"K7M-4Q{number}",
                details={"attempts": number, "late": None},
                at=NOON + timedelta(minutes=number),
            )
    return engine


def tamper(engine, *statements: str) -> None:
    """Change the audit as somebody would who owns the database."""
    with engine.begin() as db:
        if engine.dialect.name == "sqlite":
            triggers = db.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in triggers.scalars().all():
                db.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in ("audit", "audit_head"):
                db.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            db.exec_driver_sql(statement)


def broken(engine) -> int | None:
    with reading(engine) as db:
        return verify(db)


def test_entries_come_back_as_they_were_written(written):
    with reading(written) as db:
        found = Audit(db).of("K7M-4Q3")
        assert [(e.seq, e.actor, e.action, e.at, e.details) for e in found] == [
            (4, "ana", "handoff.viewed", NOON + timedelta(minutes=3), {"attempts": 3, "late": None})
        ]
        assert [entry.seq for entry in Audit(db).after(3)] == [4, 5]
        assert Audit(db).count() == 5
    assert broken(written) is None


def test_an_empty_audit_is_unbroken(engine):
    assert broken(engine) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'eve'",
        "DELETE FROM audit WHERE seq = 5",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_itself_refuses_changes(written, statement):
    with pytest.raises(StoreError, match="append-only"), writing(written) as db:
        db.exec_driver_sql(statement)
    assert broken(written) is None


@pytest.mark.parametrize(
    ("statement", "first_broken"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE seq = 1", 1),
        ("UPDATE audit SET subject = NULL WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq > 3", 4),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit_head", 5),
        ("UPDATE audit_head SET seq = 4", 5),
        ("UPDATE audit SET seq = 9 WHERE seq = 5", 5),
    ],
)
def test_tampering_is_found_where_it_happened(written, statement, first_broken):
    tamper(written, statement)
    assert broken(written) == first_broken


def test_entries_cut_off_together_with_the_head_are_found(written):
    tamper(
        written,
        "DELETE FROM audit WHERE seq > 3",
        "UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)",
    )
    assert broken(written) == 3


def test_an_entry_is_part_of_the_callers_transaction(written):
    with pytest.raises(ZeroDivisionError), writing(written) as db:  # noqa: PT012
        Audit(db).add(actor="ana", action="x", at=NOON)
        raise ZeroDivisionError
    with reading(written) as db:
        assert Audit(db).count() == 5
    assert broken(written) is None


def test_nothing_is_added_to_an_audit_without_a_head(written):
    tamper(written, "DELETE FROM audit_head")
    with pytest.raises(StoreError, match="audit verify"), writing(written) as db:
        Audit(db).add(actor="ana", action="x", at=NOON)


def _add_many(url: str, key_file: Path, actor: str) -> None:
    engine = open_engine(url, Vault(None, key_file))
    for number in range(20):
        with writing(engine) as db:
            Audit(db).add(actor=actor, action="x", details={"n": number}, at=NOON)


def test_two_processes_write_one_chain(empty_database, tmp_path):
    engine = open_engine(empty_database, Vault(None, tmp_path / "keys"))
    migrate(engine)
    fork = multiprocessing.get_context("spawn")
    writers = [
        fork.Process(target=_add_many, args=(empty_database, tmp_path / "keys", actor))
        for actor in ("ana", "ben")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with reading(engine) as db:
        assert Audit(db).count() == 40
    assert broken(engine) is None


def test_the_head_row_is_there_from_the_first_start(engine):
    with reading(engine) as db:
        assert db.execute(sa.text("SELECT count(*) FROM audit_head")).scalar() == 1
