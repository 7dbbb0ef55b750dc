"""The hand-off to the clinic's consultation line, or to a callback when it is closed."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.questions import sheet_of
from actions.triage import REQUESTED, answers_for_rules, disposition_of
from actions.turn import Turn, say
from bot.brain import names
from bot.care.engine import Disposition
from bot.handoff.records import HandoffRecord
from bot.vocabulary import (
    HANDOFF_CALLBACK,
    HANDOFF_CRISIS,
    HANDOFF_PHONE,
    STATE,
    TIER_NONE,
    UNKNOWN,
)


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
        elif turn.line.readable and turn.line.open:
            name = "handoff_closing_soon"
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


def record_of(turn: Turn, kind: str, **contact: Any) -> HandoffRecord:
    """What staff will find under the code, from the slots.

    Args:
        kind: phone, callback or crisis.
        contact: fields of the callback form, by their names in `HandoffRecord`.
    """
    tracker = turn.tracker
    sheet = sheet_of(turn)
    answers = answers_for_rules(turn)
    disposition = disposition_of(turn, sheet)
    level = tracker.get_slot(names.LEVEL)
    state = answers.get(STATE)
    found = {
        "state": None if state == UNKNOWN else state,
        "safety_category": tracker.get_slot(names.SAFETY_CATEGORY),
        **contact,
    }
    return HandoffRecord(
        conversation=tracker.sender_id,
        clinic=turn.clinic.id,
        channel=turn.channel,
        kind=kind,
        language=turn.language,
        tier=tracker.get_slot(names.TIER) or TIER_NONE,
        tier_rule=tracker.get_slot(names.TIER_RULE),
        level=level,
        at_least=disposition.at_least if answers else None,
        answers=answers,
        reasons=_reasons(disposition) if level else (),
        unknown=disposition.unknown if answers else (),
        rules_version=disposition.rules_version if answers else None,
        relation=sheet.relation,
        **found,
    )


def _reasons(disposition: Disposition) -> list[dict[str, Any]]:
    """What led to the level, for staff, weightiest first; then remarks that set none."""
    return [
        {"rule": reason.rule, "why": reason.why, "items": list(reason.items)}
        for reason in (*disposition.reasons, *disposition.notes)
    ]
