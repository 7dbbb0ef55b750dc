"""Bring the database's tables up to date, safely when two processes try at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bot.store.engine import reading, writing
from bot.store.errors import StoreError

HEAD = "0004"  # the newest revision; a test compares it with the files
_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 5_308_417  # any number, the same in every process


def migrate(engine: sa.engine.Engine) -> None:
    """Create or upgrade the tables; returns at once when there is nothing to do.

    Raises:
        StoreError: the database cannot be used, or a newer Handrail has written it.
    """
    if _revision(engine) == HEAD:
        return
    # Alembic takes half a second to import, and is needed only when tables change.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    # The write transaction is the lock on SQLite: the second process waits, and then
    # finds nothing left to do.
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
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


def check(engine: sa.engine.Engine) -> None:
    """Whether the database answers and its tables are up to date.

    Raises:
        StoreError: it does not answer, or its tables are missing or of another version.
    """
    found = _revision(engine)
    if found != HEAD:
        raise StoreError(
            f"the tables are of version {found}, this Handrail needs {HEAD}: "
            "restart it, it upgrades them when it starts"
        )


def _revision(engine: sa.engine.Engine) -> str | None:
    with reading(engine) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return str(version) if version is not None else None
