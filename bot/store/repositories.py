"""What is kept of conversations, one small class per table.

Each takes a connection from `bot.store.reading` or `bot.store.writing`, so that
several changes become one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Mapping, Sequence

import sqlalchemy as sa

from bot.safety.reading import Evidence
from bot.store import tables
from bot.store.records import (
    Alert,
    Conversation,
    Incoming,
    OfferedButton,
    Outgoing,
    Standing,
    StoredMessage,
)
from bot.store.vault import vault_of
from bot.turns import Button, TurnState, mark_of

IN = "in"
OUT = "out"


class Conversations:
    """Who talks to which clinic, and where each conversation stands."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, conversation: Conversation) -> None:
        """Store a new conversation; raises Conflict if its id is taken."""
        row = {
            "id": conversation.id,
            "clinic": conversation.clinic,
            "channel": conversation.channel,
            "token_hash": conversation.token_hash,
            "chosen_language": conversation.chosen_language,
            "created": conversation.created,
            "updated": conversation.created,
            **_state_columns(conversation.state),
        }
        self._connection.execute(sa.insert(tables.conversation).values(row))

    def find(self, conversation: str) -> Conversation | None:
        """The conversation with this id, or None."""
        row = self._connection.execute(_FIND, {"which": conversation}).one_or_none()
        return None if row is None else _conversation(row)

    def standing(self, conversation: str, client_id: str) -> Standing | None:
        """What the turn of the message `client_id` begins with; None: no such conversation."""
        row = self._connection.execute(
            _STANDS, {"which": conversation, "client": client_id}
        ).one_or_none()
        if row is None:
            return None
        newest = None if row.newest is None else mark_of(row.newest)
        return Standing(_conversation(row), row.asked, newest)

    def set_state(
        self, conversation: str, state: TurnState, at: datetime, *, chosen_language: str | None
    ) -> None:
        """Where the conversation stands after a turn at time `at`.

        Args:
            chosen_language: what the visitor chose outside the chat; None when the brain
                knows it.
        """
        self._connection.execute(
            _CHANGE,
            {
                **_state_columns(state),
                "which": conversation,
                "updated": at,
                "chosen_language": chosen_language,
            },
        )

    def end(self, conversation: str) -> None:
        """The visitor has left for good: nobody can write or read with its token again.

        What the visitor wrote is deleted, and what the brain remembers of it. Where
        staff were asked to act (a hand-off, a message of danger) the transcript stays
        with them, as long as `bot.store.purge` says. To withdraw what was handed off
        is another wish: `bot.store.erase`.
        """
        self._connection.execute(
            sa.delete(tables.tracker_event).where(
                tables.tracker_event.c.conversation == conversation
            )
        )
        self._connection.execute(_CHANGE, {"which": conversation, "token_hash": None})
        handed_off = sa.exists().where(tables.handoff_conversation.c.conversation == conversation)
        alerted = sa.exists().where(tables.alert.c.conversation == conversation)
        self._connection.execute(
            sa.delete(tables.conversation)
            .where(tables.conversation.c.id == conversation)
            .where(~handed_off, ~alerted)
        )


class Messages:
    """The transcript, numbered within each conversation."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add_turn(
        self, conversation: str, message: Incoming, answer: Sequence[Outgoing]
    ) -> tuple[int, list[int]]:
        """Store a visitor's message, what answers it, and the buttons; returns their numbers.

        Raises Conflict if the conversation has a message with this client id.
        """
        seq = self._last(conversation) + 1
        incoming = {
            "conversation": conversation,
            "seq": seq,
            "direction": IN,
            "client_message_id": message.client_id,
            "text": message.text,
            "tier": message.reading.tier,
            "categories": list(message.reading.categories),
            "evidence": [[part.start, part.end, part.rule] for part in message.reading.evidence],
            "at": message.at,
        }
        return seq, self._add(conversation, seq + 1, answer, seq, incoming)

    def add_incoming(self, conversation: str, message: Incoming) -> int:
        """The same without an answer; returns the message's number."""
        return self.add_turn(conversation, message, [])[0]

    def add_outgoing(self, conversation: str, message: Outgoing, answers: int | None) -> int:
        """Store the assistant's message and its buttons; returns its number.

        Args:
            answers: number of the visitor's message that it answers; None if none.
        """
        return self.add_answer(conversation, [message], answers, self._last(conversation))[0]

    def add_answer(
        self, conversation: str, messages: Sequence[Outgoing], answers: int | None, last: int
    ) -> list[int]:
        """Store messages of the assistant and their buttons; returns their numbers.

        Args:
            answers: number of the visitor's message that they answer; None if none.
            last: number of the conversation's last message; 0 if it has none.
        """
        return self._add(conversation, last + 1, messages, answers)

    def after(
        self, conversation: str, seq: int = 0, most: int | None = None
    ) -> list[StoredMessage]:
        """The transcript after message number `seq`, in order; the first `most` of it."""
        return self._select(conversation, tables.message.c.seq > seq, most)

    def newest(self, conversations: Sequence[str]) -> dict[str, int]:
        """The last message's number of each of these conversations that still go on."""
        rows = self._connection.execute(
            sa.select(tables.message.c.conversation, sa.func.max(tables.message.c.seq))
            .join(tables.conversation)
            .where(tables.message.c.conversation.in_(list(conversations)))
            .where(tables.conversation.c.token_hash.is_not(None))
            .group_by(tables.message.c.conversation)
        )
        return {conversation: int(seq) for conversation, seq in rows}

    def answer_to(self, conversation: str, asked: int) -> list[StoredMessage]:
        """What was answered to message number `asked`."""
        return self._select(conversation, tables.message.c.answers == asked)

    def last_incoming(self, conversation: str) -> datetime | None:
        """When the visitor wrote last, or None."""
        moment: datetime | None = self._connection.execute(
            sa.select(tables.message.c.at)
            .where(tables.message.c.conversation == conversation)
            .where(tables.message.c.direction == IN)
            .order_by(tables.message.c.seq.desc())
            .limit(1)
        ).scalar()
        return moment

    def count_tiers(self, conversation: str, tiers: Sequence[str]) -> int:
        """How many messages of the visitor were read as one of `tiers`."""
        which = {"which": conversation, "tiers": list(tiers)}
        return int(self._connection.execute(_COUNT, which).scalar_one())

    def _add(
        self,
        conversation: str,
        first: int,
        answer: Sequence[Outgoing],
        answers: int | None,
        *before: dict[str, Any],
    ) -> list[int]:
        """Store the rows `before`, then `answer` from number `first` on, with its buttons."""
        numbered = dict(enumerate(answer, first))
        rows = [
            *before,
            *(
                {
                    "conversation": conversation,
                    "seq": seq,
                    "direction": OUT,
                    "text": message.text,
                    "response": message.response,
                    "answers": answers,
                    "at": message.at,
                }
                for seq, message in numbered.items()
            ),
        ]
        if rows:
            vault = vault_of(self._connection)
            whole = [vault.seal(tables.message, {**_EMPTY, **row}) for row in rows]
            self._connection.execute(_ADD, whole)
        offered = {seq: message.buttons for seq, message in numbered.items()}
        Buttons(self._connection).add(conversation, offered)
        return list(numbered)

    def _last(self, conversation: str) -> int:
        """Number of the last message; 0 if there is none."""
        return self._connection.execute(_LAST, {"which": conversation}).scalar() or 0

    def _select(
        self, conversation: str, condition: Any, most: int | None = None
    ) -> list[StoredMessage]:
        rows = self._connection.execute(
            sa.select(tables.message)
            .where(tables.message.c.conversation == conversation)
            .where(condition)
            .order_by(tables.message.c.seq)
            .limit(most)
        ).all()
        vault = vault_of(self._connection)
        plain = [vault.open(tables.message, row._mapping) for row in rows]
        buttons = Buttons(self._connection).of_messages(conversation, [row["seq"] for row in plain])
        return [
            StoredMessage(
                seq=row["seq"],
                direction=row["direction"],
                client_id=row["client_message_id"],
                text=row["text"],
                response=row["response"],
                buttons=buttons[row["seq"]],
                tier=row["tier"],
                at=row["at"],
                evidence=tuple(Evidence(*part) for part in row["evidence"] or ()),
            )
            for row in plain
        ]


class Buttons:
    """The choices that were offered; a browser knows only their opaque ids."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, conversation: str, offered: Mapping[int, Sequence[OfferedButton]]) -> None:
        """Store the buttons of each message, by its number, in order."""
        vault = vault_of(self._connection)
        rows = [
            vault.seal(
                tables.button,
                {
                    "id": choice.id,
                    "conversation": conversation,
                    "message_seq": message_seq,
                    "position": position,
                    "label": choice.button.label,
                    "intent": choice.button.intent,
                    "entities": dict(choice.button.entities),
                },
            )
            for message_seq, buttons in offered.items()
            for position, choice in enumerate(buttons)
        ]
        if rows:
            self._connection.execute(_OFFER, rows)

    def find(self, conversation: str, button: str) -> OfferedButton | None:
        """The button with this id if it was offered in this conversation, else None."""
        which = {"which": conversation, "button": button}
        row = self._connection.execute(_OFFERED, which).one_or_none()
        return None if row is None else self._offered(row)

    def open(self, conversation: str, since: datetime | None = None) -> tuple[OfferedButton, ...]:
        """The choices of the assistant's last answer, in order.

        Args:
            since: what was offered before counts no more; None: it always counts.
        """
        query = _OPEN if since is None else _OPEN_SINCE
        rows = self._connection.execute(query, {"which": conversation, "since": since}).all()
        return tuple(self._offered(row) for row in rows)

    def of_messages(
        self, conversation: str, seqs: Sequence[int]
    ) -> dict[int, tuple[OfferedButton, ...]]:
        """The buttons of each of these messages, in order; () for one without."""
        found: dict[int, tuple[OfferedButton, ...]] = defaultdict(tuple)
        if not seqs:
            return found
        for row in self._connection.execute(
            sa.select(tables.button)
            .where(tables.button.c.conversation == conversation)
            .where(tables.button.c.message_seq >= min(seqs))
            .where(tables.button.c.message_seq <= max(seqs))
            .order_by(tables.button.c.message_seq, tables.button.c.position)
        ):
            found[row.message_seq] += (self._offered(row),)
        return found

    def _offered(self, row: Any) -> OfferedButton:
        plain = vault_of(self._connection).open(tables.button, row._mapping)
        return OfferedButton(
            id=plain["id"],
            button=Button(label=plain["label"], intent=plain["intent"], entities=plain["entities"]),
        )


class Alerts:
    """Messages of danger that a person should know about."""

    def __init__(self, connection: sa.engine.Connection):
        self._connection = connection

    def add(self, alert: Alert) -> None:
        """Store an alert."""
        self._connection.execute(
            sa.insert(tables.alert).values(
                conversation=alert.conversation,
                message_seq=alert.message_seq,
                tier=alert.tier,
                categories=list(alert.categories),
                at=alert.at,
            )
        )

    def of(self, conversation: str) -> list[Alert]:
        """The alerts of one conversation, oldest first."""
        return [
            Alert(
                conversation=row.conversation,
                message_seq=row.message_seq,
                tier=row.tier,
                categories=tuple(row.categories),
                at=row.at,
            )
            for row in self._connection.execute(
                sa.select(tables.alert)
                .where(tables.alert.c.conversation == conversation)
                .order_by(tables.alert.c.id)
            )
        ]


def _conversation(row: Any) -> Conversation:
    return Conversation(
        id=row.id,
        clinic=row.clinic,
        channel=row.channel,
        token_hash=row.token_hash,
        chosen_language=row.chosen_language,
        created=row.created,
        state=TurnState(
            tier=row.tier,
            level=row.level,
            handoff=row.handoff,
            open_question=row.open_question,
            language=row.language,
            reference=row.reference,
        ),
    )


def _state_columns(state: TurnState) -> dict[str, Any]:
    return {
        "tier": state.tier,
        "level": state.level,
        "handoff": state.handoff,
        "open_question": state.open_question,
        "language": state.language,
        "reference": state.reference,
    }


# What every turn asks and writes; made once, because making a statement costs more than
# running it. `which` is the conversation.
_WHICH = sa.bindparam("which")
_message, _button, _event = tables.message, tables.button, tables.tracker_event
_earlier = tables.message.alias()
_FIND = sa.select(tables.conversation).where(tables.conversation.c.id == _WHICH)
_CHANGE = sa.update(tables.conversation).where(tables.conversation.c.id == _WHICH)
_STANDS = sa.select(
    tables.conversation,
    sa.select(_message.c.seq)
    .where(_message.c.conversation == _WHICH)
    .where(_message.c.client_message_id == sa.bindparam("client"))
    .scalar_subquery()
    .label("asked"),
    sa.select(_event.c.event)
    .where(_event.c.conversation == _WHICH)
    .order_by(_event.c.seq.desc())
    .limit(1)
    .scalar_subquery()
    .label("newest"),
).where(tables.conversation.c.id == _WHICH)
_ADD = sa.insert(_message)
_EMPTY = {column.name: None for column in _message.columns if column.nullable}
_COUNT = sa.select(sa.func.count()).where(
    _message.c.conversation == _WHICH,
    _message.c.tier.in_(sa.bindparam("tiers", expanding=True)),
)
_OFFERED = sa.select(_button).where(
    _button.c.conversation == _WHICH, _button.c.id == sa.bindparam("button")
)
_OFFER = sa.insert(_button)
# Ordered, not max(): it looks at one row, however long the conversation.
_LAST = (
    sa.select(_message.c.seq)
    .where(_message.c.conversation == _WHICH)
    .order_by(_message.c.seq.desc())
    .limit(1)
)
_LAST_ASKED = (
    sa.select(_earlier.c.seq)
    .where(_earlier.c.conversation == _WHICH, _earlier.c.direction == IN)
    .order_by(_earlier.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_OPEN = (
    sa.select(_button)
    .where(_button.c.conversation == _WHICH)
    .where(_button.c.message_seq > sa.func.coalesce(_LAST_ASKED, 0))
    .order_by(_button.c.message_seq, _button.c.position)
)
_OPEN_SINCE = _OPEN.where(
    sa.exists().where(
        _message.c.conversation == _WHICH,
        _message.c.seq == _button.c.message_seq,
        _message.c.at >= sa.bindparam("since", type_=_message.c.at.type),
    )
)
