"""Who waits for a person: what escalation and digest read, without names or words."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.notify.digest import Arrived
from bot.notify.escalation import Unclaimed
from bot.notify.notice import is_urgent
from bot.store.tables import alert, handoff, handoff_conversation


class Awaiting:
    """Hand-offs as far as notices need them.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def urgent_unclaimed(self) -> list[Unclaimed]:
        """Urgent hand-offs that nobody works on, of all clinics, oldest first."""
        first_alert = (
            sa.select(sa.func.min(alert.c.at, type_=alert.c.at.type))
            .join(handoff_conversation, handoff_conversation.c.conversation == alert.c.conversation)
            .where(handoff_conversation.c.reference == handoff.c.reference)
            .scalar_subquery()
        )
        rows = self._connection.execute(
            sa.select(
                handoff.c.reference,
                handoff.c.clinic,
                handoff.c.tier,
                handoff.c.level,
                handoff.c.at_least,
                handoff.c.created,
                first_alert.label("first_alert"),
            )
            .where(handoff.c.merged_into.is_(None))
            .order_by(handoff.c.created)
        )
        return [
            Unclaimed(row.reference, row.clinic, row.first_alert or row.created)
            for row in rows
            if is_urgent(row.tier, (row.level, row.at_least))
        ]

    def arrived(self, clinic: str, start: datetime, end: datetime) -> list[Arrived]:
        """Hand-offs of `clinic` recorded or changed from `start` until before `end`."""

        def within(moment: sa.Column[datetime]) -> sa.sql.ColumnElement[bool]:
            return (moment >= start) & (moment < end)

        rows = self._connection.execute(
            sa.select(
                handoff.c.reference,
                handoff.c.tier,
                handoff.c.level,
                handoff.c.at_least,
                handoff.c.kind,
                handoff.c.phone.is_not(None).label("can_be_called"),
            )
            .where(handoff.c.clinic == clinic, handoff.c.merged_into.is_(None))
            .where(within(handoff.c.created) | within(handoff.c.updated))
            .order_by(handoff.c.created)
        )
        return [
            Arrived(row.reference, row.tier, (row.level, row.at_least), row.kind, row.can_be_called)
            for row in rows
        ]
