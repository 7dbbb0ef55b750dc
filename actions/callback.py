"""The callback form: who to call, where, when; stored only after a yes.

`bot.handoff.callback` decides what is asked next and reads the answers; here they are
said and kept. What is known is not asked; it stands in the recap and can be changed there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.faq import faq_messages, topics_asked
from actions.handoff import record_of
from actions.questions import sheet_of
from actions.triage import REQUESTED
from actions.turn import Turn, log, say
from bot.brain import names
from bot.care.questionnaire import FOR_WHOM, THIS_PERSON
from bot.care.states import load_states
from bot.care.words import asks_something, goes_back, normalise, skips, tells_where
from bot.clinic.hours import UnreadableHoursError, callback_promise, zone_name
from bot.handoff import callback
from bot.handoff.callback import (
    FIELDS,
    PERSON,
    PHONE_OWNER,
    VISITOR,
    PhoneProblem,
    SeveralPhones,
    display_phone,
)
from bot.handoff.times import Wish, is_now, next_call, read_wish, tells_a_time
from bot.handoff.zones import zone_of
from bot.nlu.clauses import told_beside
from bot.turns import BotMessage, Button
from bot.vocabulary import (
    ANSWER,
    CONFIRM,
    CRISIS_CAN_CALL,
    CRISIS_CANNOT_CALL,
    CRISIS_GO_ON,
    HANDOFF_CALLBACK,
    LANGUAGES,
    SAFETY_INTENTS,
    STATE,
    TIER_NONE,
    UNKNOWN,
)

_LANGUAGE = "language"
_UNREACHABLE = "unreachable"  # value of `confirm`: no number, or no safe way to use it
_QUITE_SURE = 0.9  # that somebody thanks or leaves, in words of their own
_SURE = 0.6  # an act or a question that certain is not somebody's name
_WORDS_OF_A_QUESTION = 4
# "When the kids are at school" is a time; "when do you open" is a question.
_WHILE = re.compile(
    r"\s*(?:when|while|whenever|cuando|mientras)\s+(?!(?:do|does|is|are|can|will|would|should)\b)",
    re.IGNORECASE,
)
_MISSES_BEFORE_SKIP = 3
# "I have an appointment at 2" is a time, but none to call.
_CALL = re.compile(r"call|ring|phone|text|reach|contact|talk|llam|marq|marc|escrib", re.IGNORECASE)
_WORDS_OF_A_REQUEST = 12  # with a time in it; a longer text is a story
_WORDS_OF_AN_ANSWER = 4  # a name or a time; a longer text beside a question is a story
_WORDS_OF_ANOTHER_ANSWER = 6  # "weekdays after 5 if possible" where the state was asked
# Said about the form, not in answer to it: rules take these turns.
_SAID_ABOUT = frozenset(
    {"ask_why", "restart", "ask_for_person", "stop_messages", "delete_my_data", "help_now"}
    | {"ask_if_bot", "repeat", "pause", "switch_language", "medical_advice", "complain"}
)
# Say nothing by themselves here: an answer was meant, but not understood.
_NO_ANSWER = frozenset(
    {"nlu_fallback", "out_of_scope", "affirm", "deny", "unsure", "go_back", ANSWER}
    | {"request_callback"}  # "just call me": the form is on its way to that
)
# Say something only where there was danger; "it's my work phone" sounds like the second.
_AFTER_DANGER = frozenset({CRISIS_CAN_CALL, CRISIS_CANNOT_CALL, CRISIS_GO_ON})
# Somebody leaves: asking again at once would not let them go.
_LEAVING = frozenset({"pause", "goodbye", "stop_messages"})
_WAYS = ("ok_to_call", "ok_to_text", "ok_voicemail")
_KEPT = (*(field for field in FIELDS if field != _LANGUAGE), PHONE_OWNER)


class ValidateCallbackForm(Action):
    """Reads the answer to the open field and asks for the next one."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.VALIDATE_CALLBACK_FORM

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Returns no slot for a side question: the form then gives way to rules."""
        step = _Step(dispatcher, Turn(tracker))
        # The questionnaire has a state and a recap of its own.
        if step.turn.begins(names.CALLBACK_FORM) or step.open not in FIELDS:
            return step.begin()
        if any(name != names.CALLBACK_FORM for name in step.turn.actions_since_message()):
            return step.come_back()
        return step.read()


class _Step:
    """One step of the form: a message is read, and something is asked."""

    def __init__(self, dispatcher: CollectingDispatcher, turn: Turn):
        self.turn = turn
        self.open: str = turn.tracker.get_slot(REQUESTED) or ""
        self._dispatcher = dispatcher
        self._before = _known(turn)
        self._fields = dict(self._before)
        self._more: list[EventType] = []

    def begin(self) -> list[EventType]:
        """The first question. A new request asks for consent anew; what is known is kept."""
        self._fields[CONFIRM] = None
        # "Can you call now?" has been answered by the wish for a call.
        self._more += [SlotSet(names.PENDING, None), SlotSet(names.PHONE_REFUSED, None)]
        text = self.turn.text
        told = callback.told_at_once(text)
        self._fields.update(
            {field: value for field, value in told.items() if self._fields.get(field) is None}
        )
        short = len(text.split()) <= _WORDS_OF_A_REQUEST and bool(_CALL.search(text))
        today = self.turn.now.date()
        times = [part for part in callback.parts_of(text) if tells_a_time(part, today)]
        if short and times and not self._fields.get("best_time"):
            return self._take_time(", ".join(times))  # "call me tomorrow after 5"
        return self._ask_next()

    def come_back(self) -> list[EventType]:
        """After a side question the open one comes back, unless somebody is leaving."""
        if self.turn.intent in _LEAVING:
            if self.turn.intent != "stop_messages" and self._fields.get("phone"):
                self._say(self.turn.message("callback_not_sent"))
            return self._still(self.open)
        return self._ask(self.open)

    def read(self) -> list[EventType]:
        """The answer to the open field, a change of an earlier one, or neither."""
        turn = self.turn
        if turn.intent in SAFETY_INTENTS:
            return []
        which_way = self.open in ("ok_to_call", "ok_to_text")
        if callback.cancels(turn.text) and not (which_way and callback.ways_told(turn.text)):
            return self._end()
        change = self._change()
        if change is not None:
            return change
        if self._takes_another_answer():
            return self._ask(self.open)
        if _is_said_about(turn, self.open):
            return self._read_beside_a_question()
        if self.open == CONFIRM:
            return self._read_confirmation()
        return self._read_open()

    # --- reading -------------------------------------------------------------------------

    def _read_open(self) -> list[EventType]:
        read = {
            "name": self._read_name,
            "phone": self._read_phone,
            STATE: self._read_state,
            "best_time": self._read_best_time,
            "ok_to_call": self._read_ways,
            "ok_to_text": self._read_one_way,
            "ok_voicemail": self._read_voicemail,
            _LANGUAGE: self._read_language,
        }[self.open]
        return read()

    def _read_beside_a_question(self) -> list[EventType]:
        """Both of "Anna, is this private?": the question's answer, and the field's."""
        turn = self.turn
        told, topics = told_beside(turn.text), topics_asked(turn)
        if not (told and topics and _fits(self.open, told, turn.language)):
            return []
        for message in faq_messages(turn, topics):
            self._say(message)
        turn.text, turn.intent = told, ANSWER
        return self._read_open()

    def _change(self) -> list[EventType] | None:
        """A field that is named, or the question before; None if the message changes none."""
        turn = self.turn
        named = turn.entities.get("item") if turn.intent == "go_back" else None
        if named in FIELDS:
            return self._again(str(named))
        asked_which = turn.responses_so_far()[-1:] == ["callback_which"]
        change = callback.change_in(turn.text, any_field=self.open == CONFIRM and asked_which)
        if change and (change.field == _LANGUAGE or self._fields.get(change.field) is not None):
            return self._again(change.field, change.value)
        phone = self._phone_told_later()
        if phone and phone != self._fields.get("phone"):
            return self._again("phone", turn.text)  # "wait, it's 617 ..."
        state = callback.names_a_state(turn.text)
        if state and self.open not in ("name", STATE) and self._fields.get(STATE) == UNKNOWN:
            self._fields[STATE] = state  # skipped before, told now
            return self._ask(self.open)
        name = callback.name_told(turn.text) if self.open != "name" else None
        if name and not any(c.isdigit() for c in name) and self._fields.get("name") != name:
            self._fields["name"] = name
            return self._ask(self.open)
        sure = turn.intent == "go_back" and turn.confidence >= _SURE
        if callback.goes_back(turn.text) or (sure and goes_back(normalise(turn.text))):
            if self.open == CONFIRM:
                self._say(self._which())
                return self._still(CONFIRM)
            before = callback.field_before(self.open, self._fields)
            if before is None:
                self._say(turn.message("callback_go_back_first"))
                return self._ask(self.open)
            return self._again(before)
        return None

    def _takes_another_answer(self) -> bool:
        """Keep what answers another question than the open one: "tomorrow morning" at the state.

        Returns whether that is all; "MA, mornings" answers the open one as well.
        """
        turn = self.turn
        few = len(turn.text.split()) <= _WORDS_OF_ANOTHER_ANSWER
        asks = turn.text.rstrip().endswith("?") or asks_something(normalise(turn.text))
        if turn.intent == ANSWER or not few or asks:
            return False
        fits = self.open != "name" and _fits(self.open, turn.text, turn.language)
        if self.open in _WAYS and fits:
            return False  # "no, she is home in the morning"
        # Sunday is a name, too; "Sunday morning" is none.
        is_name = self.open == "name" and " " not in turn.text.strip()
        if self.open != "best_time" and not is_name and tells_a_time(turn.text, turn.now.date()):
            self._note_time(" ".join(turn.text.split()))
            return not fits
        told: Mapping[str, str] = callback.ways_told(turn.text) or {}
        if self.open in _WAYS or not callback.can_be_reached(told):
            told = {}
        if self.open not in (*_WAYS, "name") and callback.refuses_voicemail(turn.text):
            told = {**told, "ok_voicemail": "no"}
        state = callback.names_a_state(turn.text) if self.open == "phone" else None
        self._fields.update({STATE: state} if state else told)
        if told or state:
            self._say(turn.message("noted"))
        return bool(told or state)

    def _phone_told_later(self) -> str | None:
        """A number in the answer to a question behind the number's own."""
        if self.open == CONFIRM:
            read = callback.read_phone(self.turn.text)  # spelled out, too
            return read if isinstance(read, str) else None
        # Elsewhere digits may be a date or an hour: only what is written as a number.
        told = callback.phone_inside(self.turn.text) if self.open not in ("name", "phone") else None
        return told[0] if told else None

    def _again(self, field: str, value: str = "") -> list[EventType]:
        """Ask `field` again, or take the new value that stands in the message."""
        self._fields.update(callback.cleared(field))
        if value and field == "phone" and isinstance(callback.read_phone(value), str):
            return self._take(phone=str(callback.read_phone(value)))
        if value and field == "name":
            return self._take(name=callback.read_name(value))
        if value and field == "best_time":
            return self._take_time(value)
        if field == _LANGUAGE:
            return self._read_language()
        return self._ask(field)

    def _read_name(self) -> list[EventType]:
        if self._is_skipped() or self.turn.intent == "deny":
            return self._take(name=UNKNOWN)
        text, told = self.turn.text, {}
        if inside := callback.phone_inside(text):
            told, text = {"phone": inside[0]}, inside[1]  # "Dana, 617 ..."
        name = callback.read_name(text)
        if name is None and self._has_missed():
            name = UNKNOWN
        return self._take(**told, name=name) if name or told else self._missed()

    def _read_phone(self) -> list[EventType]:
        turn = self.turn
        pressed = _pressed(turn)
        if pressed.get("phone"):
            return self._take(phone=pressed["phone"])
        if self._fields.get("phone"):
            return self._read_owner()
        known = turn.tracker.get_slot(names.KNOWN_PHONE)
        if known and callback.read_yes_no(turn.intent, turn.text) == "yes":
            return self._take(phone=str(known))
        read = callback.read_phone(turn.text)
        if isinstance(read, SeveralPhones):
            buttons = [
                Button(display_phone(number), ANSWER, {"item": "phone", "value": number})
                for number in read.numbers
            ]
            text = turn.text_of("callback_phone_which")
            self._say(BotMessage(text, "callback_phone_which", buttons))
            return self._still("phone")
        if isinstance(read, str):
            return self._take(phone=read)
        if read.reason == "not_a_number":
            if known and callback.read_yes_no(turn.intent, turn.text) == "no":
                self._more.append(SlotSet(names.KNOWN_PHONE, None))
                self._say(turn.message("callback_phone"))
                return self._still("phone")
            if self._is_skipped() or callback.read_yes_no(turn.intent, turn.text) == "no":
                return self._refuse_phone()
        if (
            read.reason == "not_a_number"
            and not _is_no_answer(turn, self.open)
            and turn.confidence >= _SURE
        ):
            return []  # "for my dad", "what is iop": a rule answers
        problem = turn.text_of(f"phone_problem_{read.reason}")
        self._say(turn.message("callback_phone_invalid", problem=problem))
        return self._still("phone")

    def _refuse_phone(self) -> list[EventType]:
        """Why a number is needed is explained once; the second no ends the request."""
        if self.turn.tracker.get_slot(names.PHONE_REFUSED):
            return self._end(_UNREACHABLE)
        self._more.append(SlotSet(names.PHONE_REFUSED, True))
        self._say(self.turn.message("callback_phone_needed"))
        return self._still("phone")

    def _read_owner(self) -> list[EventType]:
        pressed = _pressed(self.turn).get(PHONE_OWNER)
        owner = pressed or callback.read_owner(self.turn.text)
        if owner is None and (self._is_skipped() or self._has_missed()):
            owner = UNKNOWN
        return self._take(phone_owner=owner) if owner else self._missed()

    def _read_state(self) -> list[EventType]:
        state = callback.read_state(self.turn.text, self.turn.language)
        if state is None and (self._is_skipped() or self._has_missed()):
            state = UNKNOWN
        return self._take(state=state) if state else self._missed()

    def _read_best_time(self) -> list[EventType]:
        if self._is_skipped() or self.turn.intent == "deny":
            return self._take(best_time=UNKNOWN)
        words = callback.read_best_time(self.turn.text)
        if words is None and self._has_missed():
            words = UNKNOWN
        return self._take_time(words) if words else self._missed()

    def _take_time(self, words: str) -> list[EventType]:
        self._note_time(words)
        return self._ask_next()

    def _note_time(self, words: str) -> None:
        self._fields["best_time"] = words
        when = _When(self.turn, self._fields)
        if when.is_outside:
            hours = self.turn.clinic.hours.in_words.in_language(self.turn.language)
            self._say(self.turn.message("callback_time_outside", words=words, hours=hours))
        elif self.open not in ("best_time", ""):
            self._say(self.turn.message("noted"))

    def _read_ways(self) -> list[EventType]:
        pressed = _pressed(self.turn).get("ok_to_call")
        ways = (
            callback.ways_of(pressed)
            if pressed
            else callback.read_ways(self.turn.text, self.turn.intent)
        )
        if ways is None and self._has_missed():
            ways = callback.ways_of(UNKNOWN)
        if ways is None:
            return self._missed()
        if callback.can_be_reached(ways):
            return self._take(**ways)
        # One way must be left: the second question is which.
        return self._take(ok_to_call="no")

    def _read_one_way(self) -> list[EventType]:
        pressed = _pressed(self.turn).get("ok_to_call")
        ways = (
            callback.ways_of(pressed)
            if pressed
            else callback.read_ways(self.turn.text, self.turn.intent)
        )
        if callback.read_yes_no(None, self.turn.text) == "yes":
            return self._missed()  # yes, but which?
        if ways is None and not self._has_missed():
            return self._missed()
        if ways is None or not callback.can_be_reached(ways) or UNKNOWN in ways.values():
            return self._end(_UNREACHABLE)
        return self._take(**ways)

    def _read_voicemail(self) -> list[EventType]:
        answer = callback.read_voicemail(self.turn.intent, self.turn.text)
        if answer is None and self._has_missed():
            answer = UNKNOWN
        return self._take(ok_voicemail=answer) if answer else self._missed()

    def _read_language(self) -> list[EventType]:
        language = _pressed(self.turn).get(_LANGUAGE) or callback.read_language(self.turn.text)
        if language is None:
            return self._ask(_LANGUAGE)
        self._more.append(SlotSet(names.LANGUAGE, language))
        self.turn.language = language
        return self._ask_next()

    def _read_confirmation(self) -> list[EventType]:
        turn = self.turn
        agrees = callback.confirms(turn.text)
        answer = "yes" if agrees else callback.read_yes_no(turn.intent, turn.text)
        asked_which = turn.responses_so_far()[-1:] == ["callback_which"]
        if answer == "yes" and not asked_which:
            self._fields[CONFIRM] = "yes"
            return self._still(None)
        if answer == "no" and asked_which:
            return self._end()
        if answer is not None or turn.intent == "go_back":
            self._say(self._which())
            return self._still(CONFIRM)
        # "Please call me" is no yes to passing on what the recap says.
        return self._ask(CONFIRM) if turn.intent == "request_callback" else []

    def _is_skipped(self) -> bool:
        return self.turn.intent == "unsure" or skips(self.turn.text)

    def _has_missed(self) -> bool:
        """Whether this is the third answer in a row that did not fit: it is left open."""
        return int(self.turn.tracker.get_slot(names.MISSES) or 0) + 1 >= _MISSES_BEFORE_SKIP

    # --- asking --------------------------------------------------------------------------

    def _take(self, **values: str | None) -> list[EventType]:
        self._fields.update(values)
        return self._ask_next()

    def _missed(self) -> list[EventType]:
        """An answer was meant that did not fit: ask again; anything else is for the rules."""
        if self.turn.text.rstrip().endswith("?") or not _is_no_answer(self.turn, self.open):
            return []
        misses = int(self.turn.tracker.get_slot(names.MISSES) or 0) + 1
        self._say(_question(self.turn, self.open, self._fields))
        return [*self._still(self.open), SlotSet(names.MISSES, misses)]

    def _ask_next(self) -> list[EventType]:
        following = callback.next_field(
            {**self._fields, _LANGUAGE: self.turn.language}, for_other=_for_other(self.turn)
        )
        return self._ask(following) if following else self._still(None)

    def _ask(self, field: str) -> list[EventType]:
        self._say(_question(self.turn, field, self._fields))
        return self._still(field)

    def _which(self) -> BotMessage:
        """Asks which line of the recap to change; each one is a button."""
        turn = self.turn
        shown = [field for field in FIELDS if field not in ("ok_to_text", CONFIRM)]
        if self._fields.get("ok_to_call") == "no":
            shown.remove("ok_voicemail")
        buttons = [
            Button(turn.text_of(f"word_field_{field}"), "go_back", {"item": field})
            for field in shown
        ]
        buttons.append(turn.house.texts.button("dont_pass_on", turn.language))
        return BotMessage(turn.text_of("callback_which"), "callback_which", buttons)

    def _end(self, confirm: str = "no") -> list[EventType]:
        """The form ends without a request; `ActionCallbackRequest` says so."""
        self._fields[CONFIRM] = confirm
        return self._still(None)

    def _still(self, requested: str | None) -> list[EventType]:
        changed = [
            SlotSet(name, self._fields.get(name))
            for name in _KEPT
            if self._fields.get(name) != self._before.get(name)
        ]
        return [*changed, *self._more, SlotSet(names.MISSES, 0), SlotSet(REQUESTED, requested)]

    def _say(self, message: BotMessage) -> None:
        say(self._dispatcher, message)


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
        fields = _known(turn)
        if fields.get(CONFIRM) == _UNREACHABLE:
            say(dispatcher, turn.message("callback_without_number"))
            # What was ruled out is asked about anew the next time.
            return [SlotSet(field, None) for field in ("ok_to_call", "ok_to_text", CONFIRM)]
        if fields.get(CONFIRM) != "yes":
            say(dispatcher, turn.message("callback_cancelled"))
            return [SlotSet(CONFIRM, None)]
        when = _When(turn, fields)
        contact: dict[str, Any] = {
            field: None if fields.get(field) == UNKNOWN else fields.get(field)
            for field in ("name", "phone", PHONE_OWNER, STATE, "best_time")
        }
        recorded = turn.house.desk.record(
            record_of(
                turn,
                HANDOFF_CALLBACK,
                **contact,
                ok_to_call=fields.get("ok_to_call"),
                ok_to_text=fields.get("ok_to_text"),
                ok_voicemail="no" if fields.get("ok_to_call") == "no" else fields["ok_voicemail"],
                call_from=when.next[0] if when.next else None,
                call_until=when.next[1] if when.next else None,
                time_zone=when.zone_key if contact["best_time"] else None,
                consent=_question(turn, CONFIRM, fields).text,
                consent_at=turn.now,
            ),
            turn.now,
        )
        name = "callback_updated" if recorded.requested_before else "callback_done"
        line = turn.clinic.crisis_line
        local = f"{line.name.in_language(turn.language)} {line.display}"
        say(
            dispatcher,
            turn.message(
                name, reference=recorded.reference, when=_expectation(turn, fields), local=local
            ),
        )
        return [
            SlotSet(names.HANDOFF, HANDOFF_CALLBACK),
            SlotSet(names.REFERENCE, recorded.reference),
            SlotSet(names.PENDING, None),
        ]


class _When:
    """The wished time of a call, in the visitor's zone and within the clinic's hours.

    Attributes:
        next: the next time that suits both; None if there is none, or none was named.
        is_outside: a time was named at which the clinic never calls.
        zone: the zone in words; None if no time was read.
        zone_key: its IANA name.
    """

    def __init__(self, turn: Turn, fields: Mapping[str, str | None]):
        self.next: tuple[datetime, datetime] | None = None
        self.is_outside = False
        self.zone: str | None = None
        self.zone_key: str | None = None
        words = fields.get("best_time")
        if words in (None, UNKNOWN):
            return
        try:
            zone = zone_of(fields.get(STATE), turn.clinic)
            self.zone_key = zone.key
            local = turn.now.astimezone(zone)
            wish: Wish | None = read_wish(str(words), local.date())
            if wish is None:
                return
            self.zone = zone_name(local, turn.language)
            self.next = next_call(wish, turn.clinic, turn.now, zone)
            self.is_outside = self.next is None
        except UnreadableHoursError as error:
            log.error(
                "opening hours cannot be read: no time to call is worked out",
                clinic=turn.clinic.id,
                reason=str(error),
            )


def _known(turn: Turn) -> dict[str, str | None]:
    return {field: turn.tracker.get_slot(field) for field in _KEPT}


def _pressed(turn: Turn) -> dict[str, str]:
    """The pressed choice of this form."""
    item, value = turn.entities.get("item", ""), turn.entities.get("value", "")
    return {item: value} if turn.intent == ANSWER else {}


def _for_other(turn: Turn) -> bool:
    return sheet_of(turn).given.get(FOR_WHOM) == "someone_else"


def _person(turn: Turn) -> str:
    return sheet_of(turn).person(turn.language) or THIS_PERSON[turn.language]


def _is_said_about(turn: Turn, field: str) -> bool:
    if turn.intent == "start_triage" and turn.confidence >= _SURE:
        return field in ("name", "phone") and not _is_an_answer(turn, field)
    if turn.intent in _SAID_ABOUT and turn.confidence >= _SURE:
        return not _is_an_answer(turn, field)
    if turn.intent in ("thank", "goodbye") and turn.confidence >= _QUITE_SURE:
        return not _is_an_answer(turn, field)
    if callback.is_small_talk(turn.text):
        return True
    if not turn.intent.startswith("faq_"):
        return False
    asks = turn.text.rstrip().endswith("?")
    if field == STATE and not asks and tells_where(normalise(turn.text)):
        return False  # "I live in Lynn"
    if field == "best_time" and not asks and _is_an_answer(turn, field):
        return False
    if field == "ok_voicemail" and not asks and callback.read_voicemail(None, turn.text):
        return False  # "no, my boss listens to them"
    # "mornings" is a time to call, whatever topic it sounds like; a question is a sentence.
    a_sentence = len(turn.text.split()) >= _WORDS_OF_A_QUESTION and turn.confidence >= _SURE
    a_time = field == "best_time" and _WHILE.match(turn.text)
    a_question = turn.confidence >= _SURE and asks_something(normalise(turn.text))
    return asks or ((a_sentence or a_question) and not a_time)


def _is_no_answer(turn: Turn, field: str) -> bool:
    """Whether the words say nothing that a rule would answer."""
    in_danger = (turn.tracker.get_slot(names.TIER) or TIER_NONE) != TIER_NONE
    a_place = field == STATE and tells_where(normalise(turn.text))
    return a_place or turn.intent in _NO_ANSWER or (turn.intent in _AFTER_DANGER and not in_danger)


def _fits(field: str, told: str, language: str) -> bool:
    """Whether words that stand beside a question are an answer to `field`."""
    short = len(told.split()) <= _WORDS_OF_AN_ANSWER
    return {
        "name": short and callback.read_name(told) is not None,
        "phone": isinstance(callback.read_phone(told), str),
        STATE: callback.read_state(told, language) is not None,
        "best_time": short,
        "ok_to_call": callback.read_ways(told, None) is not None,
        "ok_to_text": callback.read_ways(told, None) is not None,
        "ok_voicemail": callback.read_voicemail(None, told) is not None,
    }.get(field, False)


def _is_an_answer(turn: Turn, field: str) -> bool:
    """Whether the words answer the open field, whatever act they sound like."""
    if skips(turn.text):
        return True
    if "stop" in normalise(turn.text).split():
        return False
    if field == "best_time":
        wish = is_now(turn.text) or bool(read_wish(turn.text, turn.now.date()))
        return wish and not turn.text.rstrip().endswith("?")
    if field == "phone":
        return not isinstance(callback.read_phone(turn.text), PhoneProblem)
    if field in ("ok_to_call", "ok_to_text"):
        return callback.read_ways(turn.text, None) is not None
    return callback.read_yes_no(None, turn.text) is not None


def _question(turn: Turn, field: str, fields: Mapping[str, str | None]) -> BotMessage:
    if field == CONFIRM:
        return _recap(turn, fields)
    if field == "phone" and fields.get("phone"):
        return _with_choices(
            turn.message("callback_phone_owner", person=_person(turn)),
            (turn.text_of("word_mine"), PHONE_OWNER, VISITOR),
            (turn.text_of("word_theirs"), PHONE_OWNER, PERSON),
        )
    known = turn.tracker.get_slot(names.KNOWN_PHONE)
    if field == "phone" and known:
        return turn.message("callback_known_phone", phone=display_phone(known))
    message = turn.message(f"callback_{field}")
    if field in ("ok_to_call", "ok_to_text"):
        ways = ("both", "call", "text") if field == "ok_to_call" else ("call", "text", "neither")
        choices = [(turn.text_of(f"word_ways_{way}"), "ok_to_call", way) for way in ways]
        if field == "ok_to_call":
            skip = turn.house.texts.button("skip", turn.language)
            choices.append((skip.label, "ok_to_call", UNKNOWN))
        return _with_choices(message, *choices)
    if field == _LANGUAGE:
        return _with_choices(
            message,
            *((turn.text_of(f"word_language_{each}"), _LANGUAGE, each) for each in LANGUAGES),
        )
    return message


def _with_choices(message: BotMessage, *choices: tuple[str, str, str]) -> BotMessage:
    buttons = [
        Button(label, ANSWER, {"item": item, "value": value}) for label, item, value in choices
    ]
    return BotMessage(message.text, message.response, buttons)


def _recap(turn: Turn, fields: Mapping[str, str | None]) -> BotMessage:
    not_given = turn.text_of("word_not_given")
    state = fields.get(STATE)
    phone = display_phone(fields["phone"] or "")
    if fields.get(PHONE_OWNER) == PERSON:
        phone = turn.text_of("word_of_person", phone=phone, person=_person(turn))
    time = _given(fields.get("best_time"), not_given)
    zone = _When(turn, fields).zone
    answers = {"yes": turn.text_of("word_yes"), "no": turn.text_of("word_no")}
    voicemail = "no" if fields.get("ok_to_call") == "no" else fields.get("ok_voicemail") or ""
    return turn.message(
        "callback_confirm",
        name=_given(fields.get("name"), not_given),
        phone=phone,
        best_time=turn.text_of("word_in_zone", words=time, zone=zone) if zone else time,
        ways=_ways(turn, fields) or not_given,
        voicemail=answers.get(voicemail, not_given),
        state=(
            load_states().states[state].name.in_language(turn.language)
            if state and state != UNKNOWN
            else not_given
        ),
        language=turn.text_of(f"word_language_{turn.language}"),
    )


def _ways(turn: Turn, fields: Mapping[str, str | None]) -> str | None:
    allowed = (fields.get("ok_to_call"), fields.get("ok_to_text"))
    way = {("yes", "yes"): "both", ("yes", "no"): "call", ("no", "yes"): "text"}.get(
        (str(allowed[0]), str(allowed[1]))
    )
    return turn.text_of(f"word_ways_{way}") if way else None


def _given(value: str | None, not_given: str) -> str:
    return not_given if value in (None, UNKNOWN) else str(value)


def _expectation(turn: Turn, fields: Mapping[str, str | None]) -> str:
    """When to expect the call: the clinic's own promise, from its hours."""
    promise = callback_promise(turn.clinic, turn.now, turn.language)
    if fields.get("ok_to_call") == "no":
        return f"{promise} {turn.text_of('callback_by_text')}"
    return promise
