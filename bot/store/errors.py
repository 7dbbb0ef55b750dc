"""What can go wrong with the store, said so that an operator knows what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

import sqlalchemy as sa
from sqlalchemy import exc


class StoreError(Exception):
    """The database cannot be used; the message names the fix."""


class Conflict(StoreError):
    """Somebody else wrote the same thing first; read again and decide anew."""


@contextmanager
def translated(url: sa.engine.URL) -> Iterator[None]:
    """Turn the driver's errors into `StoreError` or `Conflict`.

    SQLAlchemy's own message carries the statement's parameters, which are the
    visitor's words; only the driver's first line is passed on.
    """
    try:
        yield
    except exc.IntegrityError as error:
        raise Conflict(_first_line(error)) from None
    except exc.DBAPIError as error:
        reason = _first_line(error)
        raise StoreError(f"{_place(url)}: {reason}; {_fix(url, reason)}") from None
    except exc.TimeoutError:
        raise StoreError(
            f"{_place(url)}: every connection is busy; the database is too slow, "
            "look at its load and its disk"
        ) from None
    except exc.SQLAlchemyError as error:
        raise StoreError(f"{_place(url)}: {type(error).__name__}") from None


def _place(url: sa.engine.URL) -> str:
    return f"database {url.render_as_string(hide_password=True)}"


def _first_line(error: exc.DBAPIError) -> str:
    """The driver's reason; never its DETAIL lines, which quote the row."""
    reason: BaseException | None = error.orig
    while reason is not None and "no such savepoint" in str(reason):
        # SQLite has rolled everything back by itself; what made it do so came before.
        reason = reason.__context__
    lines = str(reason or error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _fix(url: sa.engine.URL, reason: str) -> str:
    told = reason.lower()
    if "no such table" in told or ("relation" in told and "does not exist" in told):
        return "its tables are missing: run `handrail serve`, or call bot.store.migrate"
    if "locked" in told:
        return "another program holds it: end that program, or wait until it is done"
    if "full" in told or "no space" in told:
        return "free some disk space"
    if "malformed" in told or "not a database" in told:
        return "the file is damaged: restore it from a backup"
    if "readonly" in told or "read-only" in told or "unable to open" in told:
        return "check that its folder exists and that this user may write there"
    if url.get_backend_name() == "postgresql":
        return "check that the server runs and that HANDRAIL_DATABASE names it rightly"
    return "check HANDRAIL_DATABASE"
