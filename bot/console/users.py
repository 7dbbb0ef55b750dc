"""Users of the console: added, disabled, given a password; each change is audited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.console.passwords import Passwords
from bot.store import Conflict, writing
from bot.store.audit import Audit
from bot.store.staff import Member, Staff
from bot.vocabulary import COORDINATOR, SUPERVISOR

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_OPERATOR = "operator"


class UserError(Exception):
    """The command cannot be done; the text says why."""


def add_user(
    engine: sa.engine.Engine,
    passwords: Passwords,
    *,
    name: str,
    full_name: str,
    role: str,
    clinics: Sequence[str],
    password: str,
    now: datetime,
    actor: str = _OPERATOR,
) -> None:
    """Add a user.

    Args:
        name: 2 to 40 small letters, digits, dots, hyphens.
        role: a member of `bot.store.staff.ROLES`.
        clinics: whose records they may see.
        actor: who adds, for the audit.

    Raises:
        UserError: the name is taken or not usable, or the password is too short.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be a user name: 2 to 40 small letters, digits, dots or hyphens"
        )
    if role in (COORDINATOR, SUPERVISOR) and not clinics:
        raise UserError("a coordinator or supervisor belongs to at least one clinic")
    if not full_name.strip():
        raise UserError("the person's name as colleagues know it is missing")
    hashed = _hashed(passwords, password)
    try:
        with writing(engine) as db:
            Staff(db).add(
                name=name,
                full_name=full_name.strip()[:120],
                role=role,
                clinics=clinics,
                password_hash=hashed,
                now=now,
            )
            Audit(db).add(
                actor=actor,
                action="user.added",
                details={"user": name, "role": role, "clinics": " ".join(clinics)},
                at=now,
            )
    except Conflict:
        raise UserError(f"there is a user {name!r} already") from None


def disable_user(
    engine: sa.engine.Engine, name: str, now: datetime, *, actor: str = _OPERATOR
) -> None:
    """Keep a user out from now on; raises UserError."""
    with writing(engine) as db:
        Staff(db).disable(_member(db, name).id, now)
        Audit(db).add(actor=actor, action="user.disabled", details={"user": name}, at=now)


def enable_user(
    engine: sa.engine.Engine, name: str, now: datetime, *, actor: str = _OPERATOR
) -> None:
    """Let a disabled user in again; raises UserError."""
    with writing(engine) as db:
        Staff(db).enable(_member(db, name).id)
        Audit(db).add(actor=actor, action="user.enabled", details={"user": name}, at=now)


def set_password(
    engine: sa.engine.Engine,
    passwords: Passwords,
    name: str,
    password: str,
    now: datetime,
    *,
    actor: str = _OPERATOR,
) -> None:
    """Change a user's password and end their sessions; raises UserError."""
    hashed = _hashed(passwords, password)
    with writing(engine) as db:
        Staff(db).set_password(_member(db, name).id, hashed)
        Audit(db).add(actor=actor, action="user.password", details={"user": name}, at=now)


def _hashed(passwords: Passwords, password: str) -> str:
    try:
        return passwords.hash(password)
    except ValueError as error:
        raise UserError(str(error)) from None


def _member(db: sa.engine.Connection, name: str) -> Member:
    found = Staff(db).find(name)
    if found is None:
        raise UserError(f"there is no user {name!r}")
    return found
