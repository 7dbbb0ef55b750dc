"""Who waits for a person: what escalation and digest read, without names or words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.notify.digest import Arrived
from bot.notify.escalation import Unclaimed
from bot.notify.notice import is_urgent
from bot.store.casework import CLOSED, NEW
from bot.store.tables import alert, casework, casework_entry, handoff, handoff_conversation


class Awaiting:
    """Hand-offs as far as notices need them.

    Args:
        connection: from `bot.store.reading` or `bot.store.writing`.
    """

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def urgent_unclaimed(self, now: datetime) -> list[Unclaimed]:
        """Urgent hand-offs that nobody works on at `now`, of all clinics, oldest first.

        New ones, also when their claim ran out, and those to which the visitor wrote
        again. They wait since the first message of danger that staff did nothing about,
        but not since before staff last had them.
        """
        last_entry = (
            sa.select(sa.func.max(casework_entry.c.at, type_=casework_entry.c.at.type))
            .where(casework_entry.c.reference == handoff.c.reference)
            .scalar_subquery()
        )
        answered = (
            sa.select(casework_entry.c.seq)
            .where(casework_entry.c.reference == handoff.c.reference)
            .where(casework_entry.c.at >= alert.c.at)
        )
        first_alert = (
            sa.select(sa.func.min(alert.c.at, type_=alert.c.at.type))
            .join(handoff_conversation, handoff_conversation.c.conversation == alert.c.conversation)
            .where(handoff_conversation.c.reference == handoff.c.reference)
            .where(~answered.correlate(handoff, alert).exists())
            .correlate(handoff)
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
                casework.c.claimed_until,
                casework.c.new_message,
                last_entry.label("last_entry"),
                first_alert.label("first_alert"),
            )
            .select_from(handoff.outerjoin(casework, casework.c.reference == handoff.c.reference))
            .where(handoff.c.merged_into.is_(None))
            .where(
                (sa.func.coalesce(casework.c.status, NEW) == NEW)
                | ((casework.c.status != CLOSED) & casework.c.new_message.is_not(None))
            )
            .where(casework.c.claimed_until.is_(None) | (casework.c.claimed_until <= now))
            .order_by(handoff.c.created)
        )
        return [
            Unclaimed(row.reference, row.clinic, _since(row))
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


def _since(row: Any) -> datetime:
    touched = [moment for moment in (row.last_entry, row.claimed_until) if moment is not None]
    if not touched:
        return row.first_alert or row.created
    last = max(touched)
    return max(last, row.first_alert or row.new_message or last)
