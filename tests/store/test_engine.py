from __future__ import annotations

import sqlite3
import threading

import pytest
import sqlalchemy as sa

from bot.store import Conversations, StoreError, TrackerEvents, open_engine, reading, writing
from tests.events import append
from tests.keys import VAULT


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url):
    with pytest.raises(StoreError, match="forgets everything"):
        open_engine(url, VAULT)


@pytest.mark.parametrize("url", ["", "handrail.db", "mysql://someone@localhost/x"])
def test_other_urls_are_refused_with_what_to_write(url):
    with pytest.raises(StoreError, match="HANDRAIL_DATABASE"):
        open_engine(url, VAULT)


def test_an_unreachable_server_is_an_error_that_hides_the_password():
    engine = open_engine("postgresql://clinic:hunter2@127.0.0.1:1/handrail", VAULT)
    with pytest.raises(StoreError, match="check that the server runs") as raised:
        with reading(engine):
            pass
    assert "hunter2" not in str(raised.value)


def test_missing_tables_are_an_error_that_names_the_fix(empty_database):
    with pytest.raises(StoreError, match="handrail serve"):
        with reading(open_engine(empty_database, VAULT)) as db:
            Conversations(db).find("x")


def test_a_damaged_file_is_an_error_that_names_the_fix(tmp_path):
    (tmp_path / "handrail.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="restore it from a backup"):
        with reading(open_engine(f"sqlite:///{tmp_path / 'handrail.db'}", VAULT)):
            pass


def test_a_file_that_somebody_else_holds_is_an_error_that_names_the_fix(tmp_path, monkeypatch):
    monkeypatch.setattr("bot.store.engine.BUSY_SECONDS", 0.05)
    engine = open_engine(f"sqlite:///{tmp_path / 'handrail.db'}", VAULT)
    with writing(engine) as db:
        db.exec_driver_sql("CREATE TABLE t (x)")
    other = sqlite3.connect(tmp_path / "handrail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program holds it"), writing(engine):
        pass
    with reading(engine) as db:  # readers go on
        assert db.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
    other.close()


def test_errors_never_carry_what_a_visitor_wrote(engine):
    with pytest.raises(StoreError) as raised, writing(engine) as db:  # noqa: PT012
        for _ in range(2):
            db.execute(
                sa.text(
                    "INSERT INTO tracker_event (conversation, seq, event) VALUES ('a', 1, :event)"
                ),
                {"event": "my secret words"},
            )
    assert "my secret words" not in str(raised.value)


def test_an_error_inside_a_transaction_leaves_nothing_behind(engine):
    with pytest.raises(ZeroDivisionError), writing(engine) as db:  # noqa: PT012
        append(db, "a", 1, ["x"])
        raise ZeroDivisionError
    with reading(engine) as db:
        assert TrackerEvents(db).read("a") == []


def test_writers_in_many_threads_wait_for_each_other(engine):
    def write(name: str) -> None:
        for seq in range(1, 11):
            with writing(engine) as db:
                TrackerEvents(db).read(name)  # reads first, then writes: no deadlock
                append(db, name, seq, [f"{name}{seq}"])

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with reading(engine) as db:
        assert [len(TrackerEvents(db).read(name)) for name in "abcd"] == [10, 10, 10, 10]


def test_sqlite_survives_power_cuts_and_keeps_its_references(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'handrail.db'}", VAULT)
    with reading(engine) as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
