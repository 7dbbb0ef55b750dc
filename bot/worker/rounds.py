"""The rounds of a worker: page for unclaimed urgent requests, tell of the night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.clinic.profile import Clinic
from bot.notify.digest import digest_of, night_to_tell
from bot.notify.escalation import pages_due
from bot.notify.notice import Notice
from bot.store import reading, writing
from bot.store.awaiting import Awaiting
from bot.store.outbox import Outbox


def page(engine: sa.engine.Engine, clinics: Mapping[str, Clinic], now: datetime) -> int:
    """Put the pages into the outbox that are due at `now`; returns how many are new."""
    with reading(engine) as db:
        unclaimed = Awaiting(db).urgent_unclaimed(now)
    due = [each for clinic in clinics.values() for each in pages_due(unclaimed, now, clinic)]
    return _put(engine, due)


def tell_of_the_night(
    engine: sa.engine.Engine, clinics: Mapping[str, Clinic], now: datetime
) -> int:
    """Put the digests into the outbox that are due at `now`; returns how many are new."""
    due = []
    for clinic in clinics.values():
        night = night_to_tell(clinic, now)
        if night is not None:
            with reading(engine) as db:
                arrived = Awaiting(db).arrived(clinic.id, night.start, night.end)
            due += digest_of(night, arrived, clinic, now)
    return _put(engine, due)


def _put(engine: sa.engine.Engine, notices: Sequence[Notice]) -> int:
    # A digest is due all day: only what is new takes the lock for writing.
    with reading(engine) as db:
        new = Outbox(db).not_there_yet(notices)
    if not new:
        return 0
    with writing(engine) as db:
        return Outbox(db).add(new)
