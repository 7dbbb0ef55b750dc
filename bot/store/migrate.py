"""Bring the database's tables and keys up to date, safely when two processes try at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.store import audit, keys_in_use
from bot.store.engine import reading, writing
from bot.store.errors import StoreError

HEAD = "0008"  # the newest revision; a test compares it with the files
_MIGRATIONS = Path(__file__).parent / "migrations"
_PATIENCE = "120s"  # for another process to finish with its migration
_POSTGRES_LOCK = 5_308_417  # any number, the same in every process


def migrate(engine: sa.engine.Engine) -> None:
    """Create or upgrade the tables; returns at once when there is nothing to do.

    At the very first start it also makes the key file, unless HANDRAIL_KEYS is set.

    Raises:
        StoreError: the database cannot be used, a newer Handrail has written it, or a
            key that has encrypted it is missing.
    """
    if _is_ready(engine):
        return
    # Alembic takes half a second to import, and is needed only when tables change.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    # The write transaction is the lock on SQLite: the second process waits, and then
    # finds nothing left to do.
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            _wait_for_others(connection)
        keys_in_use.make_key_file_if_new(connection)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database was written by another version of Handrail ({error}); "
                "install that version, or restore a backup"
            ) from error
        keys_in_use.prove(connection)
        keys_in_use.remember_active(connection)
        audit.begin(connection)


def _wait_for_others(connection: sa.engine.Connection) -> None:
    """On PostgreSQL, wait until no other process changes the tables.

    The wait may be long, but not the one for a table that is in use: while a change waits
    for it, all who come later wait too.
    """
    usual = connection.execute(sa.text("SHOW lock_timeout")).scalar_one()
    connection.execute(sa.select(sa.func.set_config("lock_timeout", _PATIENCE, True)))
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
    connection.execute(sa.select(sa.func.set_config("lock_timeout", usual, True)))


def check(engine: sa.engine.Engine) -> None:
    """Whether the database answers, its tables are up to date and its keys are here.

    Tables of a newer version will do: machines are upgraded one after the other, and a
    migration must leave the version before it working.

    Raises:
        StoreError: it does not answer, its tables are missing or of an older version, or
            a key is missing.
    """
    found = _revision(engine)
    if found is None or found < HEAD:
        raise StoreError(
            f"the tables are of version {found}, this Handrail needs {HEAD}: "
            "restart it, it upgrades them when it starts"
        )
    with reading(engine) as connection:
        keys_in_use.prove(connection)


def _is_ready(engine: sa.engine.Engine) -> bool:
    if _revision(engine) != HEAD:
        return False
    with reading(engine) as connection:
        keys_in_use.prove(connection)
        return keys_in_use.active_is_known(connection)


def _revision(engine: sa.engine.Engine) -> str | None:
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return str(version) if version is not None else None
