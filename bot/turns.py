"""What gateway and brain say to each other: one turn of one conversation.

Plain values that survive JSON, so that the same turn runs over the Unix socket
(`handrail serve`) and in one process (`handrail converse`, tests).
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any, List, Mapping, Optional

from bot.safety.reading import Evidence, Reading
from bot.vocabulary import HANDOFF_NONE, TIER_NONE, TIERS

_MARK_CHARACTERS = 32  # the last 24 bytes, of which 16 seal the whole
ARE_YOU_READY = b"are you ready?"
"""What the gateway asks a brain between turns, see `bot.wire`."""

BRAIN_CHARACTERS = 4000
"""What the brain reads of a message; the gateway screens all of it for danger."""


@dataclasses.dataclass(frozen=True)
class Button:
    """A choice offered with a message.

    Attributes:
        label: what the visitor reads.
        intent: the intent that pressing it means.
        entities: entity name to value, e.g. {"item": "for_whom", "value": "self"}.
    """

    label: str
    intent: str
    entities: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class BotMessage:
    """One message of the assistant.

    Attributes:
        text: plain text; blank lines separate paragraphs, "- " starts a list item.
        response: the reviewed text's name, e.g. "crisis_self"; the safety
            guarantee is checked on it, never on wording.
        buttons: choices, best first.
    """

    text: str
    response: str
    buttons: List[Button] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class TurnState:
    """Where the conversation stands after a turn; names as in `bot.vocabulary`."""

    tier: str = TIER_NONE
    level: Optional[str] = None
    handoff: str = HANDOFF_NONE
    open_question: Optional[str] = None
    language: str = "en"
    reference: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class TurnRequest:
    """One message of a visitor.

    Attributes:
        conversation: the conversation's id (never a phone number).
        message_id: unique per message; the same id is the same message.
        clinic: clinic profile id.
        channel: "web" or "sms".
        text: what was typed, or the label of the pressed button.
        now: the frozen time of this turn, zone-aware.
        pressed: the button that was pressed, if any.
        language: "en" or "es" if the visitor chose one outside the chat.
        known_phone: the number that the channel knows (SMS), E.164.
        greeted: the language that the visitor was greeted in or spoken to last.
        urgent: whether the gateway reads danger in it; where turns wait, it goes first.
        reading: what the safety screen said of exactly this `text`; None: the brain asks
            its own.
        encoded: what the sentence encoder read of exactly this `text`, as
            `bot.nlu.sentence_encoder.hand_over` gives it; None: the brain reads it.
        newest: mark of the newest row that the database has of the dialogue, see `mark_of`;
            None if it has none.
    """

    conversation: str
    message_id: str
    clinic: str
    channel: str
    text: str
    now: datetime
    pressed: Optional[Button] = None
    language: Optional[str] = None
    known_phone: Optional[str] = None
    greeted: Optional[str] = None
    urgent: bool = False
    reading: Optional[Reading] = None
    encoded: Optional[str] = None
    newest: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class DialogueRow:
    """What the brain asks to be kept of the dialogue, in the transaction that keeps the turn.

    Attributes:
        seq: number of the row within the conversation, 1, 2, 3 ...
        events: the events of the turn, encrypted for this very place.
        in_place_of_all: whether they stand for all rows before as well.
    """

    seq: int
    events: str
    in_place_of_all: bool = False


@dataclasses.dataclass(frozen=True)
class TurnReply:
    """The assistant's answer to one `TurnRequest`; `messages` is never empty.

    Attributes:
        row: what is to be kept of the dialogue; whoever does not show the answer to the
            visitor does not keep it either.
    """

    messages: List[BotMessage]
    state: TurnState
    row: Optional[DialogueRow] = None


def mark_of(events: str) -> str:
    """By what an encrypted row is known again: nobody writes the same twice."""
    return events[-_MARK_CHARACTERS:]


def to_json(value: Any) -> bytes:
    """A request or reply as JSON text."""
    return json.dumps(value, default=_plain, ensure_ascii=False).encode("utf-8", "surrogatepass")


def request_from_json(plain: Mapping[str, Any]) -> TurnRequest:
    """The request that `to_json` wrote; raises KeyError, TypeError or ValueError."""
    fields = dict(plain)
    fields["now"] = datetime.fromisoformat(fields["now"])
    if fields.get("pressed"):
        fields["pressed"] = Button(**fields["pressed"])
    if fields.get("reading"):
        fields["reading"] = _reading(fields["reading"])
    return TurnRequest(**fields)


def reply_from_json(plain: Mapping[str, Any]) -> TurnReply:
    """The reply that `to_json` wrote; raises KeyError or TypeError."""
    return TurnReply(
        messages=[
            BotMessage(
                text=message["text"],
                response=message["response"],
                buttons=[Button(**button) for button in message["buttons"]],
            )
            for message in plain["messages"]
        ],
        state=TurnState(**plain["state"]),
        row=DialogueRow(**plain["row"]) if plain.get("row") else None,
    )


def _plain(part: Any) -> Any:
    return part.isoformat() if isinstance(part, datetime) else vars(part)


def _reading(plain: Mapping[str, Any]) -> Reading:
    if plain["tier"] not in TIERS:
        raise ValueError(f"there is no tier {plain['tier']!r}")
    return Reading(
        tier=plain["tier"],
        categories=tuple(plain["categories"]),
        evidence=tuple(Evidence(**part) for part in plain["evidence"]),
        failed=plain["failed"],
    )
