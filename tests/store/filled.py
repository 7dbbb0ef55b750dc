"""A store with something in it, for tests of what happens to all of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from random import Random

import sqlalchemy as sa

from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.safety.reading import Reading
from bot.store import Conversations, Messages, writing
from bot.store.records import Conversation, Incoming, OfferedButton, Outgoing
from bot.turns import Button, TurnState
from tests.events import append

NOON = datetime(2026, 11, 25, 17, 0, tzinfo=timezone.utc)
SENTENCE = "I can't sleep since the flood"


def talk(engine: sa.engine.Engine, identity: str, at: datetime = NOON, messages: int = 1) -> None:
    """A conversation with messages, buttons and tracker events, last changed `at`."""
    yes = Button("Yes", "affirm", {"item": "state", "value": "MA"})
    with writing(engine) as db:
        Conversations(db).add(
            Conversation(identity, "greater_boston", "web", None, None, at, TurnState())
        )
        for number in range(messages):
            seq = Messages(db).add_incoming(
                identity, Incoming(f"m{number}", SENTENCE, Reading(), at)
            )
            offered = (OfferedButton(f"{identity}.{number}", yes),)
            Messages(db).add_outgoing(identity, Outgoing("?", "ask", offered, at), answers=seq)
        append(db, identity, 1, [SENTENCE] * messages)


def request(
    engine: sa.engine.Engine,
    identity: str,
    at: datetime = NOON,
    phone: str | None = "+16175550142",
    tier: str = "none",
) -> str:
    """A callback request of that conversation; its code."""
    desk = HandoffDesk(engine, {}, Random(identity))
    record = HandoffRecord(
        conversation=identity,
        clinic="greater_boston",
        channel="web",
        kind="callback",
        language="en",
        tier=tier,
        name="Zebedee",
        phone=phone,
        answers={"state": "MA"},
    )
    return desk.record(record, at).reference


def days(number: float) -> timedelta:
    return timedelta(days=number)
