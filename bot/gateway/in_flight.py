"""One message on its way through the gateway, and what the visitor gets for it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.gateway.channels import CHANNELS, Channel, is_number
from bot.gateway.guarantee import CRISIS_TIERS, HELP_NOW, disclosed_tier
from bot.gateway.incoming import language_of
from bot.safety.reading import Reading
from bot.safety.replies import FOLLOW_UPS
from bot.store.records import Conversation, OfferedButton, StoredMessage
from bot.turns import BotMessage, Button, TurnReply, TurnState
from bot.vocabulary import (
    CONCERN,
    DELETION_CONFIRMED,
    TIER_CONCERN,
    TIER_CRISIS_SELF,
    TIER_NONE,
    higher_tier,
    tier_at_least,
)


@dataclasses.dataclass(frozen=True)
class Shown:
    """A message as the visitor's channel shows it.

    Attributes:
        seq: its number in the conversation; None if it could not be stored.
        text: ready to show; choices are part of it where the channel has no buttons.
        response: name of the reviewed text.
        buttons: the choices, best first, each with its opaque id.
    """

    seq: int | None
    text: str
    response: str
    buttons: tuple[OfferedButton, ...] = ()


def unsaved(channel: Channel, messages: Sequence[BotMessage]) -> list[Shown]:
    """Messages that the store does not know; a button of them could not be resolved."""
    plain = [dataclasses.replace(message, buttons=[]) for message in messages]
    return [Shown(None, shown.text, shown.response) for shown in channel.render(plain)]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the visitor gets for one message.

    Attributes:
        kept: whether it is written down; who wants no answer is owed that much.
        offered: the choices of the question before; where the message got no answer,
            they are still meant.
        responses: names of the reviewed texts, of which one message may hold several.
    """

    messages: list[Shown]
    state: TurnState
    kept: bool
    offered: tuple[Button, ...] = ()
    responses: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Opened:
    """A new conversation; `token` proves that later messages come from its visitor."""

    conversation: str
    token: str
    answer: Answer


@dataclasses.dataclass(frozen=True)
class Memory:
    """What the store knows when a message's turn has come."""

    conversation: Conversation
    newest: str | None  # mark of the dialogue's newest row
    answered: list[StoredMessage] | None
    offered: tuple[OfferedButton, ...]
    button: OfferedButton | None
    crises: int  # earlier messages of this conversation at crisis_other or above
    concerns: int  # the same at concern or above


# Until the screen has read it, a message counts as a concern.
UNREAD = Reading(tier=TIER_CONCERN, failed=True)


@dataclasses.dataclass
class InFlight:
    """One message on its way; every stage fills in its part."""

    conversation: str
    message_id: str
    now: datetime
    ends: float  # time of the event loop at which waiting for the brain ends
    patient_until: float  # the same for a calm message while the brain answers others
    allowed: Callable[[Conversation], bool]
    text: str
    button_id: str | None
    button_label: str | None
    chosen_language: str | None
    known_phone: str | None = None
    may_answer: bool = True  # False: no answer to the open question, whatever it says

    reading: Reading = UNREAD
    memory: Memory | None = None
    pressed: Button | None = None
    reply: TurnReply | None = None
    trouble: str | None = None
    replaced: bool = False
    messages: list[BotMessage] = dataclasses.field(default_factory=list)
    state: TurnState = dataclasses.field(default_factory=TurnState)
    shown: list[Shown] = dataclasses.field(default_factory=list)
    kept: bool = False

    def seconds_left(self) -> float:
        """Until waiting for the brain ends; never below zero."""
        return max(0.0, self.ends - asyncio.get_running_loop().time())

    @property
    def urgent(self) -> bool:
        """Whether it signals danger or asks for help, as far as is known yet."""
        return tier_at_least(self.tier, TIER_CONCERN) or self.asked_for_help

    @property
    def channel(self) -> Channel:
        return CHANNELS[self.memory.conversation.channel if self.memory else "web"]

    @property
    def clinic(self) -> str:
        """The clinic's id, which every conversation id carries for a day without a store."""
        if self.memory:
            return self.memory.conversation.clinic
        return self.conversation.partition(".")[0]

    @property
    def language(self) -> str:
        """The language of words of our own."""
        if self.chosen_language:
            return self.chosen_language
        if self.reply:
            return self.reply.state.language
        if self.memory and self.memory.conversation.chosen_language:
            return self.memory.conversation.chosen_language
        spoken = self.memory.conversation.state.language if self.memory else "en"
        return language_of(self.text, otherwise=spoken)

    @property
    def offered(self) -> list[Button]:
        """The choices of the assistant's last answer."""
        return [choice.button for choice in self.memory.offered] if self.memory else []

    @property
    def open_question(self) -> str | None:
        return self.memory.conversation.state.open_question if self.memory else None

    @property
    def asked_for_help(self) -> bool:
        return self.pressed is not None and self.pressed.intent == HELP_NOW

    @property
    def denied(self) -> bool:
        """Whether the direct question about suicide was answered with the "no" button."""
        if self.open_question != CONCERN or self.pressed is None:
            return False
        return self.pressed.intent == "deny"

    @property
    def answers_nothing(self) -> bool:
        """Whether it is the number of a choice where no question is open."""
        if self.pressed is not None or self.offered or self.open_question or self.channel.buttons:
            return False
        return is_number(self.text)

    @property
    def pressed_tier(self) -> str:
        return disclosed_tier(self.pressed, self.open_question)

    @property
    def tier(self) -> str:
        """How dangerous the message is: its words, the button, the open question.

        When the brain cannot say what was answered to the direct question about
        suicide, everything but the "no" button counts as a yes.
        """
        tier = higher_tier(self.reading.tier, self.pressed_tier)
        undecided = self.open_question == CONCERN and self.may_answer
        undecided = undecided and not (self.denied or self.asked_for_help)
        if self.reply is None and undecided:
            return higher_tier(tier, TIER_CRISIS_SELF)
        return tier

    @property
    def confirmed_deletion(self) -> bool:
        """Whether the visitor has just confirmed that their data is to be deleted."""
        return any(message.response == DELETION_CONFIRMED for message in self.messages)

    @property
    def danger(self) -> str | None:
        """The tier that a person must know of: this message's, or what its answer disclosed.

        "Yes" to the direct question says nothing to the screen; the brain knows it.
        """
        if self.tier in CRISIS_TIERS:
            return self.tier
        before = self.memory.conversation.state.tier if self.memory else TIER_NONE
        rose = higher_tier(before, self.state.tier) != before
        return self.state.tier if rose and self.state.tier in CRISIS_TIERS else None

    @property
    def occasion(self) -> str | None:
        """The prepared help that the pressed button asks for, if any."""
        if self.pressed is not None and self.pressed.intent in FOLLOW_UPS:
            return self.pressed.intent
        return "concern_no" if self.denied else None

    @property
    def times_before(self) -> int:
        if self.memory is None:
            return 0
        return self.memory.crises if self.tier in CRISIS_TIERS else self.memory.concerns
