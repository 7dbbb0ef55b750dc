from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import (
    Buttons,
    Messages,
    StoreError,
    TrackerEvents,
    Vault,
    check,
    migrate,
    open_engine,
    reading,
)
from bot.store.handoffs import Handoffs
from bot.store.migrate import HEAD
from bot.store.tables import handoff, metadata
from tests.keys import VAULT


def _migrate(url: str, key_file: Path) -> None:
    migrate(open_engine(url, Vault(None, key_file)))


def test_migrations_make_exactly_the_tables_of_the_code(engine):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration_file():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from bot.store.migrate import _MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrating_again_changes_nothing(engine):
    migrate(engine)
    check(engine)


def test_four_processes_may_start_at_once_and_make_one_key(empty_database, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=_migrate, args=(empty_database, tmp_path / "keys")) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    check(open_engine(empty_database, Vault(None, tmp_path / "keys")))


def test_missing_tables_are_noticed(empty_database):
    with pytest.raises(StoreError, match="version None"):
        check(open_engine(empty_database, VAULT))


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version"):
        migrate(engine)
    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    assert version == "9999"


def test_a_process_that_runs_already_goes_on_with_the_tables_of_a_newer_version(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    check(engine)


def test_a_process_that_runs_already_refuses_the_tables_of_an_older_version(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(StoreError, match="0001"):
        check(engine)


def test_rows_of_an_older_version_are_encrypted_and_decrypted_on_the_way_back(engine):
    _go_to(engine, "0004")
    with engine.begin() as db:
        db.execute(
            sa.text(
                "INSERT INTO conversation (id, clinic, channel, created, updated, tier, handoff, "
                "language) VALUES ('a', 'c', 'web', :at, :at, 'none', 'none', 'en')"
            ),
            {"at": "2026-11-25 20:00:00"},
        )
        db.execute(
            sa.text(
                "INSERT INTO message (conversation, seq, direction, client_message_id, text, tier, "
                "at) VALUES ('a', 1, 'in', 'm1', 'my words', 'none', :at)"
            ),
            {"at": "2026-11-25 20:00:00"},
        )
        db.execute(
            sa.text(
                "INSERT INTO button (id, conversation, message_seq, position, label, intent, "
                "entities) VALUES ('b1', 'a', 1, 0, 'Yes', 'affirm', :entities)"
            ),
            {"entities": json.dumps({"item": "state"})},
        )
        db.execute(sa.text("INSERT INTO tracker_event VALUES ('a', 1, 'my event')"))
        db.execute(
            sa.text(
                "INSERT INTO handoff (reference, conversation, clinic, channel, kind, language, "
                "tier, answers, reasons, unknown, name, phone, created, updated) VALUES "
                "('K7M-4QX', 'a', 'c', 'web', 'callback', 'en', 'none', :answers, '[]', '[]', "
                "'Ana', '+16175550142', :at, :at)"
            ),
            {"at": "2026-11-25 20:00:00", "answers": json.dumps({"state": "MA"})},
        )
        db.execute(sa.text("INSERT INTO handoff_conversation VALUES ('a', 'K7M-4QX')"))
    migrate(engine)
    with reading(engine) as db:
        assert [m.text for m in Messages(db).after("a")] == ["my words"]
        found = Buttons(db).find("a", "b1")
        assert found is not None
        assert (found.button.label, found.button.entities) == ("Yes", {"item": "state"})
        assert TrackerEvents(db).read("a") == ["my event"]
        record = Handoffs(db).find("a")
        assert record is not None
        assert (record[1].name, record[1].phone, record[1].answers) == (
            "Ana",
            "+16175550142",
            {"state": "MA"},
        )
        hashes = db.execute(sa.select(handoff.c.phone_hash)).scalars().all()
        assert hashes == [VAULT.blind(handoff.c.phone_hash, "+16175550142", "c")]
        raw = db.exec_driver_sql("SELECT text FROM message").scalar()
        assert "my words" not in raw
    _go_to(engine, "0004")
    with engine.begin() as db:
        assert db.exec_driver_sql("SELECT text FROM message").scalar() == "my words"
        assert db.exec_driver_sql("SELECT phone FROM handoff").scalar() == "+16175550142"


def test_downgrade_removes_every_table(engine):
    _go_to(engine, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


def _go_to(engine, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    from bot.store.migrate import _MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
