"""What a visitor asked to have deleted: one conversation and what it left with the clinic.

Kept are: the open request for help of somebody in danger, with the messages that told of the
danger, so that a person can still reach them; a request that another conversation also
leads to, because who writes here need not be who wrote there; and audit entries, which
hold no words.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

import sqlalchemy as sa

from bot.store import tables
from bot.store.audit import Audit
from bot.store.handoffs import Handoffs
from bot.store.purge import delete_handoffs
from bot.store.tracker_events import TrackerEvents
from bot.vocabulary import HANDOFF_CRISIS, TIER_CRISIS_OTHER, tier_at_least

NO_REQUEST = "no_request"
REQUEST_DELETED = "request_deleted"
CRISIS_KEPT = "crisis_kept"
SHARED_KEPT = "shared_kept"


@dataclasses.dataclass(frozen=True)
class Erased:
    """What became of the visitor's request for contact.

    Attributes:
        request: one of the four constants above.
        reference: the code of a record that was kept for a crisis.
    """

    request: str
    reference: str | None = None


def erase(
    connection: sa.engine.Connection, conversation: str, *, before: int, now: datetime
) -> Erased:
    """Delete what a conversation holds, in the caller's transaction.

    Args:
        connection: from `bot.store.writing`.
        conversation: its id; the row itself stays, without anything that was said.
        before: messages with a lower number go; the answer that tells of it stays.
        now: zone-aware, for the audit.
    """
    erased = _request(connection, conversation)
    message, button, alert = tables.message, tables.button, tables.alert
    told = sa.select(alert.c.message_seq).where(alert.c.conversation == conversation)
    old = sa.delete(message).where(message.c.conversation == conversation, message.c.seq < before)
    if erased.request == CRISIS_KEPT:
        old = old.where(message.c.seq.not_in(told))
    else:
        connection.execute(sa.delete(alert).where(alert.c.conversation == conversation))
    messages = connection.execute(old).rowcount
    connection.execute(
        sa.delete(button)
        .where(button.c.conversation == conversation)
        .where(button.c.message_seq < before)
    )
    TrackerEvents(connection).delete(conversation)
    Audit(connection).add(
        actor="visitor",
        action="data.deleted",
        subject=conversation,
        details={"messages": messages, "request": erased.request},
        at=now,
    )
    return erased


def _request(connection: sa.engine.Connection, conversation: str) -> Erased:
    handoffs = Handoffs(connection)
    found = handoffs.find(conversation)
    if found is None:
        return Erased(NO_REQUEST)
    reference, record = found
    danger = record.kind == HANDOFF_CRISIS or tier_at_least(record.tier, TIER_CRISIS_OTHER)
    if danger and not _is_closed(connection, reference):
        return Erased(CRISIS_KEPT, reference)
    if handoffs.conversations(reference) != [conversation]:
        handoffs.leave(conversation)
        return Erased(SHARED_KEPT)
    delete_handoffs(connection, [reference])
    return Erased(REQUEST_DELETED)


def _is_closed(connection: sa.engine.Connection, reference: str) -> bool:
    """Whether staff have followed up and closed the record."""
    closed = sa.select(tables.casework.c.closed).where(tables.casework.c.reference == reference)
    return connection.execute(closed).scalar() is not None
