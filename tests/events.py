"""Dialogue rows as brain and gateway write them together."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store import TrackerEvents
from bot.turns import DialogueRow


def append(db: sa.engine.Connection, conversation: str, first_seq: int, texts: list[str]) -> None:
    """Keep `texts` as the rows `first_seq`, `first_seq` + 1, ... of `conversation`."""
    for seq, text in enumerate(texts, first_seq):
        sealed = TrackerEvents.seal(db.engine, conversation, seq, text)
        TrackerEvents(db).keep(conversation, DialogueRow(seq, sealed))
