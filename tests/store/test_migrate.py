from __future__ import annotations

import multiprocessing

import pytest
import sqlalchemy as sa

from bot.store import StoreError, check, migrate, open_engine
from bot.store.migrate import HEAD
from bot.store.tables import metadata


def _migrate(url: str) -> None:
    migrate(open_engine(url))


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


def test_four_processes_may_migrate_at_once(empty_database):
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_migrate, args=(empty_database,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    check(open_engine(empty_database))


def test_missing_tables_are_noticed(empty_database):
    with pytest.raises(StoreError, match="version None"):
        check(open_engine(empty_database))


def test_a_database_of_a_newer_version_is_refused_and_left_alone(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another version"):
        migrate(engine)
    with engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    assert version == "9999"


def test_downgrade_removes_every_table(engine):
    from alembic import command
    from alembic.config import Config

    from bot.store.migrate import _MIGRATIONS

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
