"""When a safety action is due: a pure decision, used by `SafetyPolicy`."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from bot.brain.names import (
    ACTION_SAFETY,
    ACTION_SAFETY_FOLLOW_UP,
    PENDING_CONCERN,
    PENDING_CRISIS,
)
from bot.vocabulary import (
    CRISIS_CAN_CALL,
    CRISIS_CANNOT_CALL,
    CRISIS_GO_ON,
    SAFETY_INTENTS,
    TIER_CONCERN,
    safety_intent,
)

_CONCERN = safety_intent(TIER_CONCERN)
# What a visitor may say to "Can you call or text now?"; anything else (a question
# about the clinic, say) is answered in its own right.
ANSWERS_IN_CRISIS = frozenset(
    {
        CRISIS_CAN_CALL,
        CRISIS_CANNOT_CALL,
        CRISIS_GO_ON,
        "affirm",
        "deny",
        "unsure",
        "thank",
        "pause",
        "goodbye",
        "stop_messages",
        "nlu_fallback",
    }
)
# What meets words that are about the danger, however long ago the crisis reply was.
_ABOUT_THE_DANGER = ("emergency_help_coming", "crisis_stay")


class SafetyStep(enum.Enum):
    """What the safety policy wants next."""

    RESPOND = "respond"  # a message of danger: the crisis reply
    FOLLOW_UP = "follow_up"  # an answer to the crisis reply or to the direct question
    LISTEN = "listen"  # the reply stands alone; no form question behind it
    NOTHING = "nothing"  # not a matter of safety


def next_step(
    *,
    actions: Sequence[str],
    intent: str | None,
    pending: str | None,
    form_is_open: bool,
    barrier: str | None = None,
    says_how_to_reach: bool = False,
    in_crisis: bool = False,
    says_when: bool = False,
) -> SafetyStep:
    """Decide the next safety step.

    Args:
        actions: names of the actions that ran since the latest message, oldest first.
        intent: intent of the latest message.
        pending: the open question outside forms, see `bot.brain.names`.
        form_is_open: whether a form waits for an answer.
        barrier: the follow-up that meets what the message says (`bot.safety.barriers`).
        says_how_to_reach: typed where the callback form asks how to reach somebody, or
            where there was no danger at all, so that "no calls" is said of the clinic's
            call; nothing is left open after a crisis reply.
        in_crisis: there was danger in this conversation: that help is on its way, and "what do
            I do?", are about it still.
        says_when: the whole message is "now" where the callback form asks when to call.
    """
    if ACTION_SAFETY in actions:
        return SafetyStep.LISTEN
    if ACTION_SAFETY_FOLLOW_UP in actions:
        # A question still open keeps the word; otherwise the open form goes on.
        return SafetyStep.LISTEN if pending or not form_is_open else SafetyStep.NOTHING
    if actions:
        return SafetyStep.NOTHING
    if intent == _CONCERN and pending == PENDING_CRISIS:
        # In crisis already: "nobody can hear me call" is an answer, not a new worry.
        return SafetyStep.FOLLOW_UP
    if intent in SAFETY_INTENTS or (intent == "help_now" and not says_when):
        return SafetyStep.RESPOND
    if intent == CRISIS_CANNOT_CALL and says_how_to_reach and pending is None:
        return SafetyStep.NOTHING
    if intent in (CRISIS_CAN_CALL, CRISIS_CANNOT_CALL, CRISIS_GO_ON):
        return SafetyStep.FOLLOW_UP
    if pending == PENDING_CONCERN or (in_crisis and barrier in _ABOUT_THE_DANGER):
        return SafetyStep.FOLLOW_UP
    if pending == PENDING_CRISIS and (barrier or intent in ANSWERS_IN_CRISIS):
        return SafetyStep.FOLLOW_UP
    return SafetyStep.NOTHING
