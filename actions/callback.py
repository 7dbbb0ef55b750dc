"""The callback form: who to call, where, when; stored only after a yes."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.handoff import record_of
from actions.triage import REQUESTED
from actions.turn import Turn, say
from bot.brain import names
from bot.handoff.callback import (
    FIELDS,
    REQUIRED,
    PhoneProblem,
    display_phone,
    next_field,
    read_best_time,
    read_name,
    read_phone,
    read_yes_no,
)
from bot.turns import BotMessage
from bot.vocabulary import CONFIRM, HANDOFF_CALLBACK, SAFETY_INTENTS, UNKNOWN

_SURE = 0.6  # an act or a question that certain is not somebody's name
_WORDS_OF_A_QUESTION = 4
_SAID_ABOUT = frozenset(
    {"ask_why", "restart", "ask_for_person", "stop_messages", "delete_my_data", "help_now"}
    | {"go_back", "ask_if_bot", "repeat", "pause", "switch_language", "medical_advice", "complain"}
)


class ValidateCallbackForm(Action):
    """Reads the answer to the open field and asks for the next one."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.VALIDATE_CALLBACK_FORM

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Returns no slot for a side question: the form then gives way to rules."""
        turn = Turn(tracker)
        requested = tracker.get_slot(REQUESTED)
        fields = {field: tracker.get_slot(field) for field in FIELDS}
        events: list[EventType] = []
        coming_back = any(name != names.CALLBACK_FORM for name in turn.actions_since_message())
        if requested not in FIELDS:
            # A new request asks for consent anew; what is known already is kept.
            fields[CONFIRM] = None
            events.append(SlotSet(CONFIRM, None))
        elif not coming_back:
            if _is_said_about(turn):
                return []
            value = _read(turn, requested)
            if isinstance(value, PhoneProblem):
                problem = turn.text_of(f"phone_problem_{value.reason}")
                say(dispatcher, turn.message("callback_phone_invalid", problem=problem))
                return [SlotSet("phone", None), SlotSet(REQUESTED, "phone")]
            if value == UNKNOWN and requested in REQUIRED:
                say(dispatcher, turn.message("callback_phone_needed"))
                return [SlotSet(requested, None), SlotSet(REQUESTED, requested)]
            if value is None:
                return []
            fields[requested] = value
            events.append(SlotSet(requested, value))
            events.append(SlotSet(names.MISSES, 0))
        following = next_field(fields)
        if following is None:
            return [*events, SlotSet(REQUESTED, None)]
        say(dispatcher, _ask(turn, following, fields))
        return [*events, SlotSet(REQUESTED, following)]


class ActionCallbackRequest(Action):
    """Stores the confirmed request, then says so; or says that nothing was stored."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_CALLBACK_REQUEST

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """The record is committed before the visitor is told that it is."""
        turn = Turn(tracker)
        if tracker.get_slot(CONFIRM) != "yes":
            say(dispatcher, turn.message("callback_cancelled"))
            return []
        contact = {field: tracker.get_slot(field) for field in FIELDS if field != CONFIRM}
        recorded = turn.house.desk.record(
            record_of(
                turn,
                HANDOFF_CALLBACK,
                **contact,
                consent=_ask(turn, CONFIRM, contact).text,
            ),
            turn.now,
        )
        name = "callback_updated" if recorded.requested_before else "callback_done"
        say(dispatcher, turn.message(name, reference=recorded.reference, when=_when(turn)))
        return [
            SlotSet(names.HANDOFF, HANDOFF_CALLBACK),
            SlotSet(names.REFERENCE, recorded.reference),
            SlotSet(names.PENDING, None),
        ]


def _read(turn: Turn, field: str) -> str | PhoneProblem | None:
    if turn.intent == "unsure" or (turn.intent == "deny" and field in ("name", "best_time")):
        return UNKNOWN
    if field == "name":
        return read_name(turn.text)
    if field == "phone":
        return read_phone(turn.text)
    if field == "best_time":
        return read_best_time(turn.text)
    return read_yes_no(turn.intent)


def _is_said_about(turn: Turn) -> bool:
    if turn.intent in SAFETY_INTENTS:
        return True
    if turn.intent in _SAID_ABOUT and turn.confidence >= _SURE:
        return True
    # "mornings" is a time to call, whatever topic it sounds like; a question is a sentence.
    a_sentence = len(turn.text.split()) >= _WORDS_OF_A_QUESTION and turn.confidence >= _SURE
    return turn.intent.startswith("faq_") and (turn.text.rstrip().endswith("?") or a_sentence)


def _ask(turn: Turn, field: str, fields: dict[str, str | None]) -> BotMessage:
    if field != CONFIRM:
        return turn.message(f"callback_{field}")
    not_given = turn.text_of("word_not_given")
    voicemail = {"yes": turn.text_of("word_yes"), "no": turn.text_of("word_no")}
    return turn.message(
        "callback_confirm",
        name=_given(fields.get("name"), not_given),
        phone=display_phone(fields["phone"] or ""),
        best_time=_given(fields.get("best_time"), not_given),
        voicemail=voicemail.get(fields.get("ok_voicemail") or "", not_given),
    )


def _given(value: str | None, not_given: str) -> str:
    return not_given if value in (None, UNKNOWN) else str(value)


def _when(turn: Turn) -> str:
    if turn.line.open:
        return turn.text_of("callback_when_open")
    if turn.line.readable and turn.line.opens_at:
        return turn.text_of("callback_when_closed", opens=turn.opens)
    return turn.text_of("callback_when_unknown")
