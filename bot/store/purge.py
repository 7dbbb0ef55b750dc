"""Delete what has been kept long enough, as `retention.yml` says.

`due_before` decides; `purge` deletes in small transactions, each with its audit entry
(counts and ids, no words). A record that changes meanwhile is looked at again inside the
transaction and stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.reviewed import DataError, Document, Problem, ReviewedModel
from bot.store.audit import Audit
from bot.store.engine import empty_write_ahead_log, reading, writing
from bot.store.tables import (
    casework,
    conversation,
    handoff,
    handoff_conversation,
    login_failure,
    notification,
    sms_contact,
    sms_inbox,
    sms_outbox,
    staff_session,
    tracker_event,
)

RETENTION = Path(__file__).parent / "retention.yml"
BATCH = 100
_KEEP = re.compile(r"([1-9]\d{0,4}) (hours|days)")

Retention = Mapping[str, timedelta]
"""Class of record to the time it is kept after its last change."""


class _Class(ReviewedModel):
    id: str
    keep: str
    why: str
    source: str | None = None


class _File(ReviewedModel):
    classes: list[_Class]


def load_retention(path: Path = RETENTION) -> Retention:
    """How long each class is kept; raises `DataError` with every mistake."""
    document = Document(path)
    classes = document.parse(_File).classes
    problems: list[Problem] = []
    kept: dict[str, timedelta] = {}
    for index, each in enumerate(classes):
        place = ("classes", index)
        length = _KEEP.fullmatch(each.keep)
        if each.id not in _CLASSES or each.id in kept:
            known = ", ".join(_CLASSES)
            problems.append(document.problem(place, f"each once, one of: {known}"))
        elif length is None:
            problems.append(document.problem((*place, "keep"), 'write "72 hours" or "365 days"'))
        else:
            kept[each.id] = timedelta(**{length[2]: int(length[1])})
    missing = [name for name in _CLASSES if name not in {each.id for each in classes}]
    if missing:
        problems.append(document.problem(("classes",), f"missing: {', '.join(missing)}"))
    if problems:
        raise DataError(problems)
    return kept


def due_before(policy: Retention, now: datetime) -> dict[str, datetime]:
    """For each class: what has not changed since this moment is deleted at `now`. Pure."""
    return {name: now - keep for name, keep in policy.items()}


def purge(
    engine: sa.engine.Engine, policy: Retention, now: datetime, *, dry_run: bool = False
) -> dict[str, int]:
    """Delete what is due; safe to run at any time, by several processes at once.

    Args:
        engine: the store.
        policy: from `load_retention`.
        now: zone-aware.
        dry_run: count only.

    Returns:
        How many records of each class were (or would be) deleted.

    Raises:
        StoreError: stopped where it was; what was deleted is audited.
    """
    deleted: dict[str, int] = {}
    for name, moment in due_before(policy, now).items():
        find, delete = _CLASSES[name]
        if dry_run:
            with reading(engine) as connection:
                deleted[name] = len(find(connection, moment, None))
            continue
        deleted[name] = 0
        while True:
            with writing(engine) as connection:
                ids = find(connection, moment, BATCH)
                if ids:
                    delete(connection, ids)
                    Audit(connection).add(
                        actor="system",
                        action="retention.purged",
                        details={"class": name, "count": len(ids), "ids": ids},
                        at=now,
                    )
            deleted[name] += len(ids)
            if len(ids) < BATCH:
                break
    if any(deleted.values()) and not dry_run:
        empty_write_ahead_log(engine)
    return deleted


def delete_conversations(connection: sa.engine.Connection, ids: Sequence[str]) -> None:
    """Delete conversations with all that was said in them."""
    connection.execute(sa.delete(tracker_event).where(tracker_event.c.conversation.in_(list(ids))))
    connection.execute(sa.delete(conversation).where(conversation.c.id.in_(list(ids))))


def delete_handoffs(connection: sa.engine.Connection, references: Sequence[str]) -> None:
    """Delete records, those that were merged into them, and notices nobody was sent yet."""
    codes = list(references)
    merged = sa.select(handoff.c.reference).where(handoff.c.merged_into.in_(codes))
    gone = [*codes, *connection.execute(merged).scalars()]
    connection.execute(
        sa.delete(notification)
        .where(notification.c.subject.in_(gone))
        .where(notification.c.delivered.is_(None))
    )
    connection.execute(sa.delete(handoff).where(handoff.c.reference.in_(gone)))


def _abandoned_chats(
    connection: sa.engine.Connection, moment: datetime, limit: int | None
) -> list[str]:
    followed = sa.select(handoff_conversation.c.conversation)
    return _ids(
        connection,
        sa.select(conversation.c.id)
        .where(conversation.c.updated <= moment, conversation.c.id.not_in(followed))
        .order_by(conversation.c.updated)
        .limit(limit),
    )


def _handoffs(connection: sa.engine.Connection, moment: datetime, limit: int | None) -> list[str]:
    still_talking = (
        sa.select(handoff_conversation.c.reference)
        .join(conversation, conversation.c.id == handoff_conversation.c.conversation)
        .where(conversation.c.updated > moment)
    )
    # What staff have begun with and not closed stands in their queue: it is theirs to close.
    still_open = sa.select(casework.c.reference).where(casework.c.closed.is_(None))
    return _ids(
        connection,
        sa.select(handoff.c.reference)
        .where(handoff.c.updated <= moment)
        .where(handoff.c.merged_into.is_(None))
        .where(handoff.c.reference.not_in(still_talking))
        .where(handoff.c.reference.not_in(still_open))
        .order_by(handoff.c.updated)
        .limit(limit),
    )


def _delete_handoffs_and_conversations(
    connection: sa.engine.Connection, references: Sequence[str]
) -> None:
    talks = connection.execute(
        sa.select(handoff_conversation.c.conversation).where(
            handoff_conversation.c.reference.in_(list(references))
        )
    )
    ids = list(talks.scalars())
    delete_handoffs(connection, references)
    delete_conversations(connection, ids)


def _notifications(
    connection: sa.engine.Connection, moment: datetime, limit: int | None
) -> list[str]:
    ended = sa.func.coalesce(notification.c.delivered, notification.c.dead)
    return _ids(
        connection,
        sa.select(notification.c.id).where(ended <= moment).order_by(ended).limit(limit),
    )


def _staff_sessions(
    connection: sa.engine.Connection, moment: datetime, limit: int | None
) -> list[str]:
    seen = staff_session.c.seen
    return _ids(
        connection, sa.select(staff_session.c.token_hash).where(seen <= moment).limit(limit)
    )


def _login_failures(
    connection: sa.engine.Connection, moment: datetime, limit: int | None
) -> list[str]:
    last = login_failure.c.last
    return _ids(connection, sa.select(login_failure.c.subject).where(last <= moment).limit(limit))


def _received_texts(
    connection: sa.engine.Connection, moment: datetime, limit: int | None
) -> list[str]:
    done = sms_inbox.c.done
    return _ids(connection, sa.select(sms_inbox.c.sid).where(done <= moment).limit(limit))


def _sent_texts(connection: sa.engine.Connection, moment: datetime, limit: int | None) -> list[str]:
    ended = sa.func.coalesce(sms_outbox.c.sent, sms_outbox.c.dead)
    return _ids(connection, sa.select(sms_outbox.c.id).where(ended <= moment).limit(limit))


def _numbers(connection: sa.engine.Connection, moment: datetime, limit: int | None) -> list[str]:
    return _ids(
        connection,
        sa.select(sms_contact.c.conversation)
        .where(sms_contact.c.updated <= moment, sms_contact.c.opted_out.is_(None))
        .where(sms_contact.c.conversation.not_in(sa.select(conversation.c.id)))
        .limit(limit),
    )


def _opt_outs(connection: sa.engine.Connection, moment: datetime, limit: int | None) -> list[str]:
    return _ids(
        connection,
        sa.select(sms_contact.c.conversation)
        .where(sms_contact.c.updated <= moment, sms_contact.c.opted_out.is_not(None))
        .where(sms_contact.c.conversation.not_in(sa.select(conversation.c.id)))
        .limit(limit),
    )


def _delete_by(key: sa.Column[Any]) -> Callable[[sa.engine.Connection, Sequence[str]], None]:
    """Deletes the rows of `key`'s table that these values of it name."""

    def delete(connection: sa.engine.Connection, ids: Sequence[str]) -> None:
        connection.execute(sa.delete(key.table).where(key.in_(list(ids))))

    return delete


def _ids(connection: sa.engine.Connection, query: Any) -> list[str]:
    return list(connection.execute(query.with_for_update()).scalars())


# Class of record: what is due, and how it is deleted.
_CLASSES: dict[
    str,
    tuple[
        Callable[[sa.engine.Connection, datetime, int | None], list[str]],
        Callable[[sa.engine.Connection, Sequence[str]], None],
    ],
] = {
    "abandoned_chat": (_abandoned_chats, delete_conversations),
    "handoff": (_handoffs, _delete_handoffs_and_conversations),
    "notification": (_notifications, _delete_by(notification.c.id)),
    "staff_session": (_staff_sessions, _delete_by(staff_session.c.token_hash)),
    "login_failure": (_login_failures, _delete_by(login_failure.c.subject)),
    "sms_received": (_received_texts, _delete_by(sms_inbox.c.sid)),
    "sms_sent": (_sent_texts, _delete_by(sms_outbox.c.id)),
    "sms_number": (_numbers, _delete_by(sms_contact.c.conversation)),
    "sms_opt_out": (_opt_outs, _delete_by(sms_contact.c.conversation)),
}
