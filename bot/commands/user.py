"""`handrail user`: who may use the staff console."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import datetime, timezone

import sqlalchemy as sa

from bot.clinic.profile import profile_paths
from bot.console.passwords import Passwords
from bot.console.users import UserError, add_user, disable_user, enable_user, set_password
from bot.settings import Settings
from bot.store import StoreError, migrate, open_store, reading
from bot.store.staff import Staff


def user(settings: Settings, chosen: argparse.Namespace) -> int:
    """Do what was asked; returns 0, or 1 with the reason on stderr."""
    try:
        engine = open_store(settings)
        migrate(engine)
        try:
            _do(engine, settings, chosen, datetime.now(timezone.utc))
        finally:
            engine.dispose()
    except (UserError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _do(
    engine: sa.engine.Engine, settings: Settings, chosen: argparse.Namespace, now: datetime
) -> None:
    passwords = Passwords()
    if chosen.todo == "list":
        with reading(engine) as db:
            members = Staff(db).all()
        for member in members:
            state = "disabled" if member.disabled else "active"
            clinics = " ".join(member.clinics) or "-"
            print(member.name, member.role, clinics, state, member.full_name, sep="\t")
    elif chosen.todo == "add":
        known = {path.stem for path in profile_paths(settings.clinics)}
        unknown = sorted(set(chosen.at) - known)
        if unknown:
            raise UserError(f"there is no clinic {unknown[0]!r}; there are: {sorted(known)}")
        add_user(
            engine,
            passwords,
            name=chosen.name,
            full_name=chosen.full_name or chosen.name,
            role=chosen.role,
            clinics=chosen.at,
            password=_read_password(),
            now=now,
        )
        print(f"{chosen.name} can log in at {settings.console}")
    elif chosen.todo == "password":
        set_password(engine, passwords, chosen.name, _read_password(), now)
        print(f"{chosen.name} has a new password")
    elif chosen.todo == "disable":
        disable_user(engine, chosen.name, now)
        print(f"{chosen.name} is disabled and logged out")
    else:
        enable_user(engine, chosen.name, now)
        print(f"{chosen.name} can log in again")


def _read_password() -> str:
    """The password: asked for twice at a terminal, else the first line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise UserError("these were two different passwords")
    return first
