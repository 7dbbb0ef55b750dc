"""Faults of the store: no promise without a record, nothing lost, nothing doubled."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.store import StoreError, Vault, migrate, open_engine, reading, writing
from bot.store.handoffs import Handoffs
from bot.store.tables import handoff
from tests.keys import VAULT
from tests.store.filled import NOON

HOUR = timedelta(hours=1)
HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def wish(conversation: str, phone: str = "+16175550142") -> HandoffRecord:
    return HandoffRecord(
        conversation=conversation,
        clinic="greater_boston",
        channel="web",
        kind="callback",
        language="en",
        tier="none",
        name="Zebedee",
        phone=phone,
    )


def codes(engine) -> list[str]:
    with reading(engine) as db:
        return list(db.execute(sa.select(handoff.c.reference)).scalars())


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "handrail.db"


@pytest.fixture
def sqlite(file, monkeypatch):
    monkeypatch.setattr("bot.store.engine.BUSY_SECONDS", 0.1)
    engine = open_engine(f"sqlite:///{file}", VAULT)
    migrate(engine)
    yield engine
    engine.dispose()


def test_a_full_disk_gives_no_code_and_space_gives_exactly_one(sqlite):
    desk = HandoffDesk(sqlite, {})
    with writing(sqlite) as db:
        size = db.exec_driver_sql("PRAGMA page_count").scalar()
    limits = [f"PRAGMA max_page_count = {size}"]

    def limit(connection, _record, _proxy) -> None:
        connection.execute(limits[0]).close()

    sa.event.listen(sqlite, "checkout", limit)
    promised = []

    def ask_until_it_fails() -> None:
        for number in range(1000):
            wanted = wish(f"a{number}", f"+1617555{number:04d}")
            promised.append(desk.record(wanted, NOON).reference)

    with pytest.raises(StoreError, match="free some disk space"):
        ask_until_it_fails()
    assert sorted(codes(sqlite)) == sorted(promised)
    limits[0] = "PRAGMA max_page_count = 1000000"
    recorded = desk.record(wish("later", "+16175559999"), NOON)
    assert sorted(codes(sqlite)) == sorted([*promised, recorded.reference])
    with reading(sqlite) as db:
        assert db.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_a_database_held_by_another_process_gives_no_code_until_it_lets_go(sqlite, file):
    desk = HandoffDesk(sqlite, {})
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="another program holds it"):
            desk.record(wish("a"), NOON)
        holder.communicate("")
    recorded = desk.record(wish("a"), NOON)
    assert codes(sqlite) == [recorded.reference]


def test_writers_of_one_process_wait_in_line_and_not_for_ever(sqlite):
    desk = HandoffDesk(sqlite, {})
    with ThreadPoolExecutor(1) as other:
        with writing(sqlite):
            late = other.submit(desk.record, wish("a"), NOON)
            with pytest.raises(StoreError, match="too many want to write at once"):
                late.result()
        recorded = other.submit(desk.record, wish("a"), NOON).result()
    assert codes(sqlite) == [recorded.reference]


def test_a_removed_file_is_noticed_before_anything_is_promised(sqlite, file):
    desk = HandoffDesk(sqlite, {})
    desk.record(wish("a"), NOON)
    for part in file.parent.glob("handrail.db*"):
        part.unlink()
    with pytest.raises(StoreError, match="tables are missing"):
        desk.record(wish("b"), NOON)


def test_a_file_put_back_from_a_backup_is_used_at_once(sqlite, file):
    desk = HandoffDesk(sqlite, {})
    kept = desk.record(wish("a"), NOON).reference
    backup = file.with_name("copy.db")
    with sqlite3.connect(backup) as copy, sqlite3.connect(file) as original:
        original.backup(copy)
    copy.close()
    original.close()
    desk.record(wish("b", "+16175550143"), NOON)
    for part in file.parent.glob("handrail.db*"):
        part.unlink()
    backup.rename(file)
    assert codes(sqlite) == [kept]
    assert desk.record(wish("a"), NOON).reference == kept


def test_a_server_that_goes_away_mid_write_leaves_nothing_and_the_next_try_one(engine):
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no server")
    desk = HandoffDesk(engine, {}, Random(1))
    with pytest.raises(StoreError), writing(engine) as db:  # noqa: PT012
        lost = desk.write(db, wish("a"), NOON).reference
        process = db.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with engine.connect() as admin:
            admin.execute(sa.select(sa.func.pg_terminate_backend(process)))
    assert lost not in codes(engine)
    recorded = desk.record(wish("a"), NOON)
    assert codes(engine) == [recorded.reference]


def test_a_clock_that_jumps_an_hour_neither_doubles_nor_loses_a_request(engine):
    desk = HandoffDesk(engine, {})
    first = desk.record(wish("a"), NOON)
    for now in (NOON - HOUR, NOON + HOUR, NOON):
        again = desk.record(wish("a"), now)
        assert (again.reference, again.updated) == (first.reference, True)
    other = desk.record(wish("b"), NOON - HOUR)  # the same number, the same day
    assert other.reference == first.reference
    with reading(engine) as db:
        found = Handoffs(db).find("a")
        assert found is not None
        assert found[1].phone == "+16175550142"
    assert codes(engine) == [first.reference]


def _ask_for_calls(url: str, key_file: Path, process: int, told: multiprocessing.Queue) -> None:
    """25 visitors at once; who is told that it failed asks again."""
    engine = open_engine(url, Vault(None, key_file))
    desk = HandoffDesk(engine, {})

    def ask(number: int) -> str:
        while True:
            try:
                wanted = wish(f"p{process}.{number}", f"+1617555{process}{number:03d}")
                return desk.record(wanted, NOON).reference
            except StoreError:
                continue

    with ThreadPoolExecutor(25) as visitors:
        told.put(list(visitors.map(ask, range(25))))
    engine.dispose()


def test_fifty_requests_at_once_are_fifty_records_with_fifty_codes(empty_database, tmp_path):
    engine = open_engine(empty_database, Vault(None, tmp_path / "keys"))
    migrate(engine)
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    processes = [
        spawn.Process(target=_ask_for_calls, args=(empty_database, tmp_path / "keys", n, told))
        for n in range(2)
    ]
    for process in processes:
        process.start()
    promised = [code for _ in processes for code in told.get(timeout=120)]
    for process in processes:
        process.join(60)
    assert len(set(promised)) == 50
    assert sorted(codes(engine)) == sorted(promised)
    engine.dispose()
