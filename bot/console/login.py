"""Logging in: sessions, and the lock-out that grows with every failure.

What the answer tells an outsider is the same whether the user does not exist, the
password is wrong, or the name or address is locked out.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.console.passwords import Passwords
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.staff import LoginFailures, Session, Sessions, Staff

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=12)  # then a session ends however busy it is

_FREE_TRIES = {"user": 5, "address": 20}  # people of one office share an address
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN = timedelta(hours=24)  # without a failure for so long, counting starts again


def wait_after(failures: int, free: int) -> timedelta:
    """How long nobody may try again after so many failures in a row; `free` cost nothing."""
    if failures < free:
        return timedelta(0)
    doubled = _FIRST_WAIT * 2 ** min(failures - free, 10)
    return min(doubled, _LONGEST_WAIT)


def log_in(
    engine: sa.engine.Engine,
    passwords: Passwords,
    *,
    name: str,
    password: str,
    address: str,
    now: datetime,
) -> str | None:
    """The token of a new session; None if name and password do not fit or are locked out.

    The try is counted as a failure before the password is looked at, so that many tries
    at once gain nothing.
    """
    name = name.strip().lower()[:60]
    subjects = {"user": f"user:{name}", "address": f"address:{address}"}
    with writing(engine) as db:
        failures = LoginFailures(db)
        locked = False
        for kind, subject in subjects.items():
            found = failures.of(subject)
            if found is not None and now - found[1] > _FORGOTTEN:
                failures.clear(subject)
                found = None
            if found is not None and now < found[1] + wait_after(found[0], _FREE_TRIES[kind]):
                locked = True
        if not locked:
            for subject in subjects.values():
                failures.add(subject, now)
        member = Staff(db).find(name)
    usable = member is not None and member.disabled is None
    fits = passwords.fits(member.password_hash if member else None, password)
    token = secrets.token_urlsafe(32)
    with writing(engine) as db:
        if locked or not usable or not fits or member is None:
            # Somebody who types a password into the name field must not find it in the audit.
            Audit(db).add(
                actor=member.name if member else "unknown",
                action="login.locked_out" if locked else "login.failed",
                at=now,
            )
            return None
        for subject in subjects.values():
            LoginFailures(db).clear(subject)
        if passwords.outdated(member.password_hash):
            Staff(db).rehash(member.id, passwords.hash(password))
        Sessions(db).end_unused_since(now - LONGEST)
        Sessions(db).begin(token, member.id, now)
        Audit(db).add(actor=member.name, action="login", at=now)
    return token


def session_of(engine: sa.engine.Engine, token: str, now: datetime) -> Session | None:
    """The session of `token` if it still counts."""
    with reading(engine) as db:
        found = Sessions(db).find(token)
    if found is None or found.member.disabled is not None:
        return None
    if now - found.seen > IDLE or now - found.created > LONGEST:
        return None
    return found


def log_out(engine: sa.engine.Engine, token: str, name: str, now: datetime) -> None:
    """End the session of `token`, which is `name`'s."""
    with writing(engine) as db:
        Sessions(db).end(token)
        Audit(db).add(actor=name, action="logout", at=now)
