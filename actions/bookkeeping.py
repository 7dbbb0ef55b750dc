"""What is noted at every message, before anything is decided: language and risk.

A risk that is named as past or denied is acknowledged in a line, once; the talk goes on.
A question about the clinic beside a wish ("call me, and do you take Aetna?") is answered
before a rule takes the wish up.

Rasa runs `action_validate_slot_mappings` on each message, in and out of forms.
"""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.faq import answers_beside
from actions.safety import follow_up
from actions.turn import Turn, say
from bot.brain import names
from bot.brain.safety_turn import ANSWERS_IN_CRISIS
from bot.nlu.language import requested_language
from bot.safety.screen import NEGATED_RISK, PAST_RISK
from bot.vocabulary import TIER_NONE, higher_tier

_ACKNOWLEDGEMENT = "past_or_negated"


class ActionBookkeeping(Action):
    """Keeps `language`, `tier`, `tier_rule` and `known_phone` up to date."""

    def name(self) -> str:
        """The name that Rasa calls on every message."""
        return "action_validate_slot_mappings"

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """The tier never goes down: the risk stays visible to the record."""
        turn = Turn(tracker)
        events: list[EventType] = []
        language = turn.language
        if turn.intent == "switch_language":
            language = requested_language(turn.text, language)
        if language != tracker.get_slot(names.LANGUAGE):
            events.append(SlotSet(names.LANGUAGE, language))
        if turn.known_phone:
            events.append(SlotSet(names.KNOWN_PHONE, turn.known_phone))
        before = tracker.get_slot(names.TIER) or TIER_NONE
        tier = higher_tier(before, turn.safety["tier"])
        if tier != tracker.get_slot(names.TIER):
            rules = [e["rule"] for e in turn.safety.get("evidence") or []]
            events.append(SlotSet(names.TIER, tier))
            events.append(SlotSet(names.TIER_RULE, rules[0] if rules else None))
            categories = turn.safety.get("categories") or [None]
            events.append(SlotSet(names.SAFETY_CATEGORY, categories[0]))
        if _moves_on(turn, tier):
            events.append(SlotSet(names.PENDING, None))
        if _names_past_or_denied_risk(turn) and _ACKNOWLEDGEMENT not in turn.responses_so_far():
            say(dispatcher, follow_up(turn, _ACKNOWLEDGEMENT))
        if not tracker.active_loop.get("name") and not tracker.get_slot(names.PENDING):
            for message in answers_beside(turn):
                say(dispatcher, message)
        return events


def _moves_on(turn: Turn, tier: str) -> bool:
    """Whether "can you call or text now?" was asked without danger and is left unanswered.

    Who presses "Help now", or writes "need help", and goes on about something else is no
    longer asked; later words such as "me" or "no" answer something else then.
    """
    asked = turn.tracker.get_slot(names.PENDING) == names.PENDING_CRISIS
    return asked and tier == TIER_NONE and turn.intent not in (*ANSWERS_IN_CRISIS, "help_now")


def _names_past_or_denied_risk(turn: Turn) -> bool:
    """A risk was named, but as past or denied; not in answer to a question about safety."""
    named = {PAST_RISK, NEGATED_RISK} & set(turn.safety.get("categories") or ())
    asked = turn.tracker.get_slot(names.PENDING) in (names.PENDING_CONCERN, names.PENDING_CRISIS)
    asked = asked or turn.tracker.get_slot("requested_slot") == "safety_now"
    return bool(named) and turn.safety["tier"] == TIER_NONE and not asked
