"""What the repositories give and take: plain values, one class per table row."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from bot.safety.reading import Evidence, Reading
from bot.turns import Button, TurnState


@dataclasses.dataclass(frozen=True)
class Conversation:
    """One visitor's conversation.

    Attributes:
        id: unguessable, never a phone number.
        clinic: clinic profile id.
        channel: "web" or "sms".
        token_hash: SHA-256 (hex) of the visitor's token; None where there is none.
        chosen_language: "en" or "es" if chosen outside the chat and not yet told to
            the brain; after that the conversation decides.
        created: when it began.
        state: where it stands after the last turn.
    """

    id: str
    clinic: str
    channel: str
    token_hash: str | None
    chosen_language: str | None
    created: datetime
    state: TurnState


@dataclasses.dataclass(frozen=True)
class Standing:
    """A conversation at the moment in which the turn of a message begins.

    Attributes:
        asked: number of this very message, if it is stored already.
        newest: mark of the dialogue's newest row, see `bot.turns.mark_of`; None: no row.
    """

    conversation: Conversation
    asked: int | None
    newest: str | None


@dataclasses.dataclass(frozen=True)
class OfferedButton:
    """A button as it was sent: `id` is opaque, `button` is what it means."""

    id: str
    button: Button


@dataclasses.dataclass(frozen=True)
class Incoming:
    """A visitor's message to be stored; `client_id` is the same for a repeated one."""

    client_id: str
    text: str
    reading: Reading
    at: datetime


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """A message of the assistant to be stored."""

    text: str
    response: str
    buttons: tuple[OfferedButton, ...]
    at: datetime


@dataclasses.dataclass(frozen=True)
class StoredMessage:
    """A message of the transcript.

    Attributes:
        seq: 1, 2, 3 ... within the conversation, both directions.
        direction: "in" from the visitor, "out" from the assistant.
        client_id: in: the sender's id of the message.
        response: out: name of the reviewed text.
        buttons: out: the choices that were offered, in order.
        tier: in: the safety screen's tier.
        evidence: in: the parts of the text that set or raised it.
    """

    seq: int
    direction: str
    client_id: str | None
    text: str
    response: str | None
    buttons: tuple[OfferedButton, ...]
    tier: str | None
    at: datetime
    evidence: tuple[Evidence, ...] = ()


@dataclasses.dataclass(frozen=True)
class Alert:
    """A message of danger that a person should know about."""

    conversation: str
    message_seq: int
    tier: str
    categories: tuple[str, ...]
    at: datetime
