"""Encrypt everything anew with the active key, while the assistant goes on serving.

Batches are small transactions of their own; a row is read, encrypted and written under
a lock, so that no change of somebody else is lost. Whatever is interrupted goes on where
it was, because a row tells with which key it was encrypted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import audit, keys_in_use
from bot.store.engine import empty_write_ahead_log, writing
from bot.store.tables import encryption_key, metadata
from bot.store.vault import (
    Blind,
    Sealed,
    Vault,
    key_of,
    protected_columns,
    row_columns,
    vault_of,
)

BATCH = 200


def rows_by_key(connection: sa.engine.Connection) -> Counter[str]:
    """How many encrypted or hashed values there are of each key, by key id."""
    counted: Counter[str] = Counter()
    for table in _tables():
        for column in protected_columns(table):
            stored = sa.type_coerce(column, sa.Text)
            for value in connection.execute(sa.select(stored).where(column.is_not(None))).scalars():
                counted[key_of(value)] += 1
    return counted


def is_finished(connection: sa.engine.Connection) -> bool:
    """Whether everything is encrypted with the active key."""
    active = _active(vault_of(connection))
    return keys_in_use.used(connection) == [active] and not any(
        connection.execute(
            sa.select(sa.literal(1)).where(_outdated(table, active)).limit(1)
        ).first()
        for table in _tables()
    )


def rotate(engine: sa.engine.Engine, now: datetime, say: Callable[[str], None]) -> int:
    """Encrypt with the active key whatever another key has encrypted.

    Args:
        engine: its vault has the new key, active, and all earlier ones.
        now: zone-aware, for the audit.
        say: told of the progress.

    Returns:
        How many rows were encrypted anew.

    Raises:
        StoreError: stopped where it was; what was done stays done.
    """
    with writing(engine) as connection:
        keys_in_use.remember_active(connection)
        active = _active(vault_of(connection))
    rows = 0
    for table in _tables():
        _wait_for_writers(engine, table)
        done = _reencrypt(engine, table, active, say)
        rows += done
    with writing(engine) as connection:
        audit.sign_anew(connection)
        for identity in keys_in_use.used(connection):
            if identity != active:
                keys_in_use.forget(connection, identity)
        audit.Audit(connection).add(
            actor="operator", action="keys.rotated", details={"key": active, "rows": rows}, at=now
        )
    empty_write_ahead_log(engine)
    return rows


def _reencrypt(
    engine: sa.engine.Engine, table: sa.Table, active: str, say: Callable[[str], None]
) -> int:
    named = [table.c[name] for name in row_columns(table)]
    done = 0
    last: Mapping[str, Any] | None = None
    while True:
        with writing(engine) as connection:
            query = sa.select(*_needed(table)).where(_outdated(table, active))
            if last is not None:
                query = query.where(
                    sa.tuple_(*named) > sa.tuple_(*(last[column.name] for column in named))
                )
            rows = (
                connection.execute(query.order_by(*named).limit(BATCH).with_for_update())
                .mappings()
                .all()
            )
            for row in rows:
                _encrypt_anew(connection, table, row)
        if not rows:
            return done
        last = rows[-1]
        done += len(rows)
        say(f"{table.name}: {done} rows")


def _encrypt_anew(
    connection: sa.engine.Connection, table: sa.Table, row: Mapping[str, Any]
) -> None:
    vault = vault_of(connection)
    sealed = vault.seal(table, vault.open(table, row))
    which = [table.c[name] == row[name] for name in row_columns(table)]
    values = {column.name: sealed[column.name] for column in protected_columns(table)}
    connection.execute(sa.update(table).where(*which).values(values))


def _wait_for_writers(engine: sa.engine.Engine, table: sa.Table) -> None:
    """Let writers end that have begun with the old key; later ones use the new one."""
    if engine.dialect.name == "postgresql":  # on SQLite every transaction waits by itself
        with writing(engine) as connection:
            connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE MODE")


def _tables() -> list[sa.Table]:
    return [
        table
        for table in metadata.sorted_tables
        if table is not encryption_key and protected_columns(table)
    ]


def _needed(table: sa.Table) -> list[sa.Column[Any]]:
    names = set(row_columns(table))
    for column in protected_columns(table):
        names.add(column.name)
        if isinstance(column.type, Blind):
            names.add(column.type.scope)
    return [column for column in table.columns if column.name in names]


def _outdated(table: sa.Table, active: str) -> Any:
    mark = f"{active}."
    return sa.or_(
        *(
            sa.func.substr(sa.type_coerce(column, sa.Text), 1, len(mark)) != mark
            for column in protected_columns(table)
            if isinstance(column.type, (Sealed, Blind))
        )
    )


def _active(vault: Vault) -> str:
    ring = vault.keyring
    if ring is None:
        raise AssertionError("the keys were proved before")
    return ring.active
