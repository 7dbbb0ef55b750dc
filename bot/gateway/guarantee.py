"""The guarantee: nobody in danger gets a reply without crisis help.

Pure decisions. The gateway makes them itself, on the safety screen's reading and on
the buttons that disclose danger, so that they hold while the brain is starting, dead
or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.safety.replies import is_crisis_response
from bot.turns import BotMessage, Button
from bot.vocabulary import (
    CONCERN,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    TIER_NONE,
    TIERS,
    UNKNOWN,
    tier_at_least,
)

HELP_NOW = "help_now"  # intent of the button that is always in view, and its reply
_LINES = frozenset(["911", "988"])
CRISIS_TIERS = tuple(tier for tier in TIERS if tier_at_least(tier, TIER_CRISIS_OTHER))

# What an answer given by button discloses; its label may be as short as "Yes".
_DISCLOSED = {
    ("safety_now", "now"): TIER_CRISIS_SELF,
    ("safety_now", "immediate"): TIER_EMERGENCY,
    ("withdrawal_risk", "severe_signs"): TIER_EMERGENCY,
    (CONCERN, "yes"): TIER_CRISIS_SELF,
    (CONCERN, UNKNOWN): TIER_CRISIS_SELF,
}


def calls_a_line(text: str) -> bool:
    """Whether the whole of `text` is the number of an emergency or crisis line.

    Whoever sends that to us means that line, and may think to have reached it.
    """
    return "".join(character for character in text if character.isalnum()) in _LINES


def disclosed_tier(pressed: Button | None, open_question: str | None) -> str:
    """The tier that pressing a button means by itself.

    Args:
        pressed: the button, if any.
        open_question: what the conversation had asked; "yes" and "not sure" to the
            safety screen's direct question mean danger (NIMH ASQ: any yes, and a
            refused answer, is a positive screen).
    """
    if pressed is None:
        return TIER_NONE
    if open_question == CONCERN and pressed.intent in ("affirm", "unsure"):
        return TIER_CRISIS_SELF
    item, value = pressed.entities.get("item"), pressed.entities.get("value")
    return _DISCLOSED.get((str(item), str(value)), TIER_NONE)


def is_kept(
    messages: Sequence[BotMessage],
    read_tier: str,
    *,
    pressed_tier: str = TIER_NONE,
    asked_for_help: bool = False,
) -> bool:
    """Whether a reply may go out as it is.

    Args:
        messages: the reply.
        read_tier: what the screen read; from `crisis_other` on, the reply needs the
            crisis response of that tier.
        pressed_tier: what the pressed button disclosed. It does not know whether the
            visitor speaks of somebody else, so any crisis response will do.
        asked_for_help: the help button was pressed; its own reply will do as well.
    """
    if read_tier in CRISIS_TIERS:
        return any(is_crisis_response(message.response, read_tier) for message in messages)
    if pressed_tier not in CRISIS_TIERS and not asked_for_help:
        return True
    return any(
        is_crisis_response(message.response, TIER_CRISIS_OTHER)
        or (asked_for_help and message.response == HELP_NOW)
        for message in messages
    )
