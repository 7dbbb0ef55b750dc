"""What is noted at every message, before anything is decided: language and risk.

Rasa runs `action_validate_slot_mappings` on each message, in and out of forms.
"""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.turn import Turn
from bot.brain import names
from bot.nlu.language import requested_language
from bot.vocabulary import TIER_NONE, higher_tier


class ActionBookkeeping(Action):
    """Keeps `language`, `tier` and `tier_rule` up to date; says nothing."""

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
        before = tracker.get_slot(names.TIER) or TIER_NONE
        tier = higher_tier(before, turn.safety["tier"])
        if tier != tracker.get_slot(names.TIER):
            rules = [e["rule"] for e in turn.safety.get("evidence") or []]
            events.append(SlotSet(names.TIER, tier))
            events.append(SlotSet(names.TIER_RULE, rules[0] if rules else None))
        return events
