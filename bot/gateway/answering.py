"""Which answer goes out, and where the conversation stands after it.

The brain's answer if the guarantee holds, else one of our own. Nothing is looked up here.
"""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime

from bot.gateway.guarantee import CRISIS_TIERS, is_kept
from bot.gateway.in_flight import InFlight
from bot.gateway.incoming import BRAIN_CHARACTERS, language_of
from bot.gateway.own_words import OwnWords
from bot.safety.reading import Reading
from bot.turns import BotMessage, TurnState
from bot.vocabulary import (
    CONCERN,
    HANDOFF_CRISIS,
    LANGUAGES,
    TIER_CONCERN,
    higher_tier,
    tier_at_least,
)


class Voice(enum.Enum):
    """Who answers a message. Whoever does, it is read, kept, and danger is told to staff."""

    ASSISTANT = "assistant"
    # A person is in charge, or no texts are wanted. Without choices: nobody would answer them.
    DANGER_ONLY = "danger only"
    NOBODY = "nobody"


class Answering:
    """Decides on answers.

    Args:
        words: what the gateway says by itself.
    """

    def __init__(self, words: OwnWords):
        self._words = words

    def answer(self, turn: InFlight, voice: Voice) -> None:
        """Set the messages that go out and the state: the brain's if the guarantee holds."""
        danger = turn.tier in CRISIS_TIERS or turn.asked_for_help
        answers_danger = voice is Voice.DANGER_ONLY and danger
        if voice is not Voice.ASSISTANT and not answers_danger:
            turn.messages, turn.state = [], _state(turn)
            return
        if turn.reply is not None and is_kept(
            turn.reply.messages,
            turn.reading.tier,
            pressed_tier=turn.pressed_tier,
            asked_for_help=turn.asked_for_help,
        ):
            turn.messages = list(turn.reply.messages)
            turn.state = _state(turn)
        else:
            turn.replaced = turn.reply is not None
            self.by_ourselves(turn)
        if answers_danger:
            turn.messages = [dataclasses.replace(each, buttons=[]) for each in turn.messages]
        if len(turn.text) > BRAIN_CHARACTERS and turn.tier not in CRISIS_TIERS and turn.reply:
            turn.messages.insert(0, self._words.long_message(turn.channel.name, turn.language))

    def by_ourselves(self, turn: InFlight) -> None:
        """Set an answer of our own, and the state after it."""
        turn.messages = [self._own_reply(turn)]
        turn.state = _own_state(turn)

    def without_store(
        self, read: Reading, text: str, *, clinic: str | None, channel: str, now: datetime
    ) -> BotMessage:
        """What is said to a message that cannot even be kept: crisis help, or an apology.

        Args:
            read: what the screen says of `text`.
            clinic: its id; None where nobody knows which one is meant.
        """
        where = {"channel": channel, "language": language_of(text, LANGUAGES[0])}
        if tier_at_least(read.tier, TIER_CONCERN):
            return self._words.crisis(
                read.tier, read.categories, clinic=clinic, times_before=0, **where
            )
        return self._words.unavailable(clinic=clinic, now=now, **where)

    def _own_reply(self, turn: InFlight) -> BotMessage:
        """What the gateway says by itself: what is most urgent first."""
        where = {"channel": turn.channel.name, "language": turn.language}
        if turn.tier not in CRISIS_TIERS and turn.occasion is not None:
            return self._words.follow_up(turn.occasion, clinic=turn.clinic, **where)
        if tier_at_least(turn.tier, TIER_CONCERN):
            return self._words.crisis(
                turn.tier,
                turn.reading.categories,
                clinic=turn.clinic,
                times_before=turn.times_before,
                **where,
            )
        if not turn.text and turn.trouble is None:
            message = self._words.empty_message(**where)
        elif turn.answers_nothing and turn.trouble is None:
            return self._words.no_question(**where)
        else:
            message = self._words.unavailable(clinic=turn.clinic, now=turn.now, **where)
        # The question before is still open, so its choices are offered again.
        return dataclasses.replace(message, buttons=turn.offered)


def _state(turn: InFlight) -> TurnState:
    """Where the conversation stands; its tier never falls, even if the brain missed it."""
    before = turn.memory.conversation.state if turn.memory else TurnState()
    state = turn.reply.state if turn.reply else before
    # Of a pressed answer the brain knows whom it is about; words speak for themselves.
    told = turn.reading.tier if turn.reply and not turn.replaced else turn.tier
    tier = higher_tier(higher_tier(before.tier, state.tier), told)
    return dataclasses.replace(state, tier=tier, reference=state.reference or before.reference)


def _own_state(turn: InFlight) -> TurnState:
    """The same after a reply of our own."""
    state = _state(turn)
    if turn.tier in CRISIS_TIERS:
        return dataclasses.replace(_without_concern(state), handoff=HANDOFF_CRISIS)
    if turn.denied:
        return _without_concern(state)
    if turn.tier == TIER_CONCERN and not turn.asked_for_help:
        # The static reply asks the direct question: a "yes" must be understood.
        return dataclasses.replace(state, open_question=CONCERN)
    return state


def _without_concern(state: TurnState) -> TurnState:
    """The direct question has been answered."""
    asked = None if state.open_question == CONCERN else state.open_question
    return dataclasses.replace(state, open_question=asked)
