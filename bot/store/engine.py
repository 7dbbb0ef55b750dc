"""Open the database, and the two ways to use it: `reading` and `writing`.

SQLite runs in WAL mode with synchronous=FULL. NORMAL would save one fsync a turn,
but may lose the last commits when the power fails, and what we commit is then
told to a visitor as a promise ("we will call you"). Chat writes a few rows a
second; the fsync is paid gladly.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.pool import NullPool, QueuePool

from bot.settings import Settings
from bot.store.errors import StoreError, translated
from bot.store.vault import OPTION, Vault

BUSY_SECONDS = 2.0  # below the 3 s in which a visitor gets an answer
_READING = "handrail_reading"
_FILE = "handrail_file"  # in a connection's record: which file it has opened
_POSTGRES_ARGUMENTS = {
    "connect_timeout": int(BUSY_SECONDS),
    # A machine that is gone without a word is noticed, and what it held is free again.
    "options": f"-c lock_timeout={int(BUSY_SECONDS * 1000)} -c timezone=UTC"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    # What was sent and is not acknowledged is no idle connection; it would wait 15 minutes.
    "tcp_user_timeout": 10_000,  # milliseconds
}
_writers: WeakKeyDictionary[sa.engine.Engine, threading.Lock] = WeakKeyDictionary()


def open_store(settings: Settings) -> sa.engine.Engine:
    """The engine on the database and the keys of an installation; raises StoreError."""
    return open_engine(settings.database, Vault.of_settings(settings.keys, settings.key_file))


def open_engine(url: str, vault: Vault) -> sa.engine.Engine:
    """An engine for a SQLAlchemy URL; nothing is read or written yet.

    Args:
        url: "sqlite:////path/to/file" or "postgresql://user:password@host/name".
        vault: encrypts what visitors say; repositories find it by `vault_of(connection)`.

    Raises:
        StoreError: the URL is not usable. In-memory SQLite is refused: it would
            lose every conversation at the end of the process.
    """
    try:
        parsed = sa.engine.make_url(url)
    except exc.ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise StoreError(
            "HANDRAIL_DATABASE is not a database URL; write sqlite:////path/to/file "
            "or postgresql://user:password@host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed, vault)
    if backend == "postgresql":
        return sa.create_engine(
            parsed,
            future=True,
            pool_pre_ping=True,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
            execution_options={OPTION: vault},
            connect_args=_POSTGRES_ARGUMENTS,
        )
    raise StoreError(
        f"HANDRAIL_DATABASE asks for {backend}; only sqlite and postgresql are supported"
    )


def own_connection(engine: sa.engine.Engine) -> sa.engine.Connection:
    """A connection to PostgreSQL beside the pool, for what outlives a transaction.

    Every statement is a transaction of its own. Raises StoreError.
    """
    alone = sa.create_engine(
        engine.url,
        future=True,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args=_POSTGRES_ARGUMENTS,
    )
    with translated(engine.url):
        return alone.connect()


@contextmanager
def reading(engine: sa.engine.Engine) -> Iterator[sa.engine.Connection]:
    """A connection that sees one state of the database; raises StoreError."""
    with translated(engine.url), engine.connect() as connection:
        yield connection.execution_options(**{_READING: True})


@contextmanager
def writing(engine: sa.engine.Engine) -> Iterator[sa.engine.Connection]:
    """One transaction: all of it is committed at the end, or none of it.

    Raises:
        Conflict: a row with the same key exists.
        StoreError: the database cannot be used.
    """
    with _turn_to_write(engine), translated(engine.url), engine.begin() as connection:
        yield connection


def empty_write_ahead_log(engine: sa.engine.Engine) -> None:
    """Take what was deleted out of SQLite's write-ahead log too.

    While somebody reads an earlier state nothing happens; SQLite does it later by itself.
    """
    if engine.dialect.name != "sqlite":
        return
    with translated(engine.url):
        raw = engine.raw_connection()
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            raw.close()


@contextmanager
def _turn_to_write(engine: sa.engine.Engine) -> Iterator[None]:
    """Wait for the other writers of this process, on SQLite, which knows no queue.

    It lets waiting writers look now and then whether the lock is free, and whoever looks
    at the wrong moments waits in vain: of fifty at once some would give up.
    """
    lock = _writers.get(engine)
    if lock is None:
        yield
        return
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise StoreError(f"database {engine.url!r}: too many want to write at once")
    try:
        yield
    finally:
        lock.release()


def _open_sqlite(url: sa.engine.URL, vault: Vault) -> sa.engine.Engine:
    if not url.database or url.database == ":memory:" or url.query.get("mode") == "memory":
        raise StoreError(
            "HANDRAIL_DATABASE is SQLite in memory, which forgets everything at the end; "
            "write sqlite:////path/to/file"
        )
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the folder {folder} of the database cannot be made: {error.strerror}. Let this user "
            "write there, or set HANDRAIL_DATA or HANDRAIL_DATABASE to another one."
        ) from error
    engine = sa.create_engine(
        url,
        future=True,
        poolclass=QueuePool,
        pool_timeout=BUSY_SECONDS,
        hide_parameters=True,
        execution_options={OPTION: vault},
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    _writers[engine] = threading.Lock()
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "connect", _remember_file(url.database))
    event.listen(engine, "checkout", _refuse_a_file_that_is_gone(url.database))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling leaves DDL outside; `begin` does it.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _remember_file(path: str) -> Callable[[Any, Any], None]:
    def remember(_: Any, record: Any) -> None:
        record.info[_FILE] = _file(path)

    return remember


def _refuse_a_file_that_is_gone(path: str) -> Callable[[Any, Any, Any], None]:
    # SQLite writes on into a file that was removed or replaced, and what we promise on
    # the strength of that would be lost. The pool then opens the path anew.
    def refuse(_: Any, record: Any, __: Any) -> None:
        if record.info[_FILE] != _file(path):
            raise exc.DisconnectionError("the database file is not the one that was opened")

    return refuse


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _begin_sqlite(connection: sa.engine.Connection) -> None:
    # A writer takes the lock at once: a read lock that wants to become a write
    # lock fails without waiting when another process has written meanwhile.
    read = connection.get_execution_options().get(_READING)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")
