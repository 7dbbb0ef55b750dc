"""Small things to put into a database."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store import writing
from bot.store.handoffs import Handoffs
from bot.store.staff import Staff
from tests.console.night import CLINIC, MORNING, record, store_record


def add_member(engine: sa.engine.Engine, name: str, role: str = "coordinator") -> int:
    """A member of staff who never logs in."""
    with writing(engine) as db:
        return Staff(db).add(
            name=name,
            full_name=name.title(),
            role=role,
            clinics=[CLINIC],
            password_hash="unusable",
            now=MORNING,
        )


def store_many(engine: sa.engine.Engine, references: list[str]) -> None:
    """Records with names and numbers, in one transaction."""
    with writing(engine) as db:
        for number, reference in enumerate(references):
            handed_off = record(
                f"{CLINIC}.{reference}", name=f"Visitor {number}", phone=f"+1617556{number:04}"
            )
            Handoffs(db).add(reference, handed_off, MORNING, MORNING.date())


def store_one(engine: sa.engine.Engine, reference: str, **fields: object) -> None:
    """A record of its own conversation."""
    store_record(engine, reference, record(f"{CLINIC}.{reference}", **fields))
