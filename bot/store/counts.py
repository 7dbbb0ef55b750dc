"""Counts for the console's figures: no words, no names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.tables import conversation, message


class Counts:
    """Counts over conversations and messages.

    Args:
        connection: from `bot.store.reading`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def conversations(
        self, clinics: Sequence[str], since: datetime
    ) -> list[tuple[datetime, str, Any, str]]:
        """(began, highest tier, level or None, hand-off) of each in which a visitor wrote."""
        columns = conversation.c
        wrote = sa.exists().where(message.c.conversation == columns.id, message.c.direction == "in")
        rows = self._connection.execute(
            sa.select(columns.created, columns.tier, columns.level, columns.handoff)
            .where(columns.clinic.in_(list(clinics)), columns.created >= since)
            .where(wrote)
        )
        return [(row.created, row.tier, row.level, row.handoff) for row in rows]

    def answers(
        self, clinics: Sequence[str], since: datetime, names: Sequence[str]
    ) -> list[tuple[str, int]]:
        """(name of the answer, how often) for the answers of these names, most first."""
        rows = self._connection.execute(
            sa.select(message.c.response, sa.func.count().label("count"))
            .join(conversation, conversation.c.id == message.c.conversation)
            .where(conversation.c.clinic.in_(list(clinics)), message.c.at >= since)
            .where(message.c.response.in_(list(names)))
            .group_by(message.c.response)
            .order_by(sa.desc("count"), message.c.response)
            .limit(10)
        )
        return [(row.response, row[1]) for row in rows]
