"""`handrail outbox`: what staff have not been told yet, and trying it again."""

from __future__ import annotations

import sys

import sqlalchemy as sa

from bot.store import reading, writing
from bot.store.outbox import Notification, Outbox


def show(engine: sa.engine.Engine, *, dead_only: bool) -> int:
    """Print one line for every undelivered notice; returns the exit code."""
    with reading(engine) as db:
        found = Outbox(db).undelivered(dead_only=dead_only)
    for each in found:
        print(_line(each))
    dead = sum(each.dead is not None for each in found)
    print(f"{len(found) - dead} waiting, {dead} dead", file=sys.stderr)
    return 0


def retry(engine: sa.engine.Engine, identity: str) -> int:
    """Have one notice tried again at once; returns the exit code."""
    with writing(engine) as db:
        found = Outbox(db).retry(identity)
    if not found:
        print(f"there is no undelivered notice {identity!r}", file=sys.stderr)
        return 1
    print(f"{identity} is tried again within seconds while `handrail serve` runs")
    return 0


def _line(each: Notification) -> str:
    state = "dead" if each.dead else "waiting"
    created = each.created.isoformat(timespec="seconds")
    reason = each.last_error or "not tried yet"
    return (
        f"{each.id}  {state}  {created}  {each.clinic}  {each.kind}  {each.channel} "
        f"{each.target}  {each.attempts} attempts  {reason}"
    )
