"""The hand-off to the clinic's consultation line, or to a callback when it is closed."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.triage import REQUESTED, answers_for_rules
from actions.turn import Turn, say
from bot.brain import names
from bot.handoff.records import HandoffRecord
from bot.vocabulary import HANDOFF_CALLBACK, HANDOFF_CRISIS, HANDOFF_PHONE, TIER_NONE


class ActionHandoff(Action):
    """Gives the number and a code while the line is open; otherwise offers a callback."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_HANDOFF

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """The record is committed before its code is told."""
        turn = Turn(tracker)
        if _in_first_crisis(turn):
            return _crisis_record(turn)
        can_call_now = turn.clinic.phone is not None and turn.line.can_transfer
        kind = HANDOFF_PHONE if can_call_now else HANDOFF_CALLBACK
        recorded = turn.house.desk.record(record_of(turn, kind), turn.now)
        values = {"reference": recorded.reference}
        if turn.clinic.phone is None:
            name = "handoff_no_phone"
        elif can_call_now:
            name = "handoff_open"
        elif turn.line.readable and turn.line.opens_at and not turn.line.open:
            name, values["opens"] = "handoff_closed", turn.opens
        else:
            name = "handoff_unknown_hours"
        say(dispatcher, turn.message(name, **values))
        return [
            ActiveLoop(None),
            SlotSet(REQUESTED, None),
            SlotSet(names.HANDOFF, kind),
            SlotSet(names.REFERENCE, recorded.reference),
            SlotSet(names.PENDING, None if can_call_now else names.PENDING_CONSENT),
            SlotSet(names.MISSES, 0),
        ]


def _in_first_crisis(turn: Turn) -> bool:
    """Whether the questionnaire has just ended in a crisis reply that waits for an answer."""
    just_ran = names.ACTION_TRIAGE_RESULT in turn.actions_since_message()
    return just_ran and turn.tracker.get_slot(names.PENDING) == names.PENDING_CRISIS


def _crisis_record(turn: Turn) -> list[EventType]:
    """After a crisis reply nothing more is said; staff find the record all the same."""
    recorded = turn.house.desk.record(record_of(turn, HANDOFF_CRISIS), turn.now)
    return [
        SlotSet(names.HANDOFF, HANDOFF_CRISIS),
        SlotSet(names.REFERENCE, recorded.reference),
    ]


def record_of(turn: Turn, kind: str, **contact: str | None) -> HandoffRecord:
    """What staff will find under the code, from the slots."""
    tracker = turn.tracker
    return HandoffRecord(
        conversation=tracker.sender_id,
        clinic=turn.clinic.id,
        channel=turn.channel,
        kind=kind,
        language=turn.language,
        tier=tracker.get_slot(names.TIER) or TIER_NONE,
        tier_rule=tracker.get_slot(names.TIER_RULE),
        level=tracker.get_slot(names.LEVEL),
        at_least=tracker.get_slot(names.AT_LEAST),
        answers=answers_for_rules(turn),
        **contact,
    )
