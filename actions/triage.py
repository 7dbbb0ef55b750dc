"""The questionnaire as a form, and the level-of-care rules at its end.

The form asks in the order that `bot.care.questionnaire` decides. Rasa calls the
validation action on activation, on every message while the form is open, and when
it comes back to the form after a side question; the action asks the next question
itself, so that question and answer are one step.

Two questions are not items: `confirm` (is this what you told me?) after the last
answer, and `consent` (shall we go on?) when somebody comes back after a pause.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import questions
from actions.faq import faq_messages, likely_topics, topics_asked
from actions.questions import sheet_of
from actions.safety import crisis_message, in_crisis
from actions.turn import Turn, remembered, say
from bot.brain import names
from bot.brain.live_tracker import TOLD
from bot.care.answers import bare_fact, understand, volunteered
from bot.care.corrections import corrections
from bot.care.engine import Disposition
from bot.care.questionnaire import FOR_WHOM, Item
from bot.care.sheet import AnswerSheet
from bot.care.words import (
    asks_something,
    clauses,
    goes_back,
    goes_on,
    is_bare,
    is_yes,
    normalise,
    only_goes_on,
    skips,
    tells_where,
)
from bot.turns import BotMessage
from bot.vocabulary import (
    ANSWER,
    CONFIRM,
    CONSENT,
    EMERGENCY,
    ITEMS,
    SAFETY_INTENTS,
    STATE,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    UNKNOWN,
    tier_at_least,
)

REQUESTED = "requested_slot"
PAUSE = timedelta(minutes=45)  # after that, "shall we go on?"
_MISSES_BEFORE_SKIP = 3
_FEW_WORDS = 2  # so short a text is an answer if it can be one, whatever else it may mean
_SURE = 0.5  # an act that certain is not an answer
_LIKELY = 0.15  # a topic that likely is meant by a message that is in part a question
# Intents that say nothing by themselves: an answer was meant, but not understood.
_NO_ANSWER = frozenset({"nlu_fallback", "affirm", "deny", "unsure", "start_triage", ANSWER})
# Said about the questionnaire, not in answer to it: rules take these turns.
_SAID_ABOUT = frozenset(
    {
        "ask_why",
        "restart",
        "repeat",
        "ask_for_person",
        "request_callback",
        "ask_if_bot",
        "switch_language",
        "stop_messages",
        "delete_my_data",
        "pause",
        "help_now",
    }
)
# Somebody leaves: asking again at once would not let them go.
_LEAVING = frozenset({"pause", "goodbye", "stop_messages"})


class ValidateTriageForm(Action):
    """Reads the answer to the open question and asks the next one."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.VALIDATE_TRIAGE_FORM

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Returns no slot for a side question: the form then gives way to rules."""
        step = _Step(dispatcher, Turn(tracker))
        begins = step.turn.begins(names.TRIAGE_FORM)
        if begins or step.open not in (*ITEMS, CONFIRM, CONSENT):
            return step.begin()
        if any(name != names.TRIAGE_FORM for name in step.turn.actions_since_message()):
            return step.come_back()
        if step.open == CONFIRM:
            return step.read_confirmation()
        if step.open == CONSENT:
            return step.read_consent()
        return step.read_answer()


class _Step:
    """One step of the questionnaire: a message is read, and something is asked."""

    def __init__(self, dispatcher: CollectingDispatcher, turn: Turn):
        self.turn = turn
        self.sheet = sheet_of(turn)
        self.open: str | None = turn.tracker.get_slot(REQUESTED)
        self._dispatcher = dispatcher
        self._before = dict(self.sheet.given)

    def begin(self) -> list[EventType]:
        """The first question; what was told before is not asked."""
        first = not self.turn.tracker.get_slot(names.ASKED)  # the callback form asks `state` too
        if not self._before:
            for text in _told_before(self.turn.tracker):
                self.sheet.note(volunteered(text, asking=True), text)
        changes = _changes(self.turn, self.sheet, None) if self._before else {}
        if changes:
            self.sheet.correct(changes, self.turn.text)
            self._say(questions.changed(self.turn, self.sheet, list(changes)))
        else:
            told = volunteered(self.turn.text, asking=True)
            self.sheet.note(_pressed(self.turn) or told, self.turn.text)
        if first:
            count = str(max(_left(self.turn, self.sheet), 1))
            self._say(self.turn.message("triage_intro", count=count))
        return self._ask_next(quiet=first)

    def come_back(self) -> list[EventType]:
        """After a side question the open one comes back in a short form."""
        if self.turn.intent in _LEAVING or self.open == CONSENT:
            return self._still(self.open)
        if self.open == CONFIRM and self.turn.intent not in ("repeat", "switch_language"):
            self._say(self.turn.message("triage_recap_short"))
            return self._still(CONFIRM)
        if _has_been_away(self.turn):
            return self._welcome_back()
        if self.turn.intent == "repeat" and self.open in ITEMS:
            item = self.turn.house.questionnaire.items[self.open]
            self._say(questions.explained(self.turn, item, self.sheet))
            return self._still(self.open)
        went_back = names.ACTION_GO_BACK in self.turn.actions_since_message()
        return self._ask_next(again=[] if went_back or self.open is None else [self.open])

    def read_answer(self) -> list[EventType]:
        """The answer to the open item, a correction of an earlier one, or neither."""
        assert self.open is not None
        changes = _changes(self.turn, self.sheet, self.open)
        if changes:
            return self._change(changes)
        found = _read(self.turn, self.open)
        if found:
            for side_answer in _side_answers(self.turn):
                self._say(side_answer)
            self.sheet.note(found, self.turn.text)
            return self._welcome_back() if _has_been_away(self.turn) else self._ask_next()
        if self.turn.intent == "greet" and _has_been_away(self.turn):
            return self._welcome_back()
        told = _told_unasked(self.turn)
        if told:
            # "He's 19" in answer to another question: kept, and the open one comes again.
            new = {item: value for item, value in told.items() if item not in self.sheet.given}
            if new:
                self._say(self.turn.message("noted"))
            self.sheet.note(new, self.turn.text)
            return self._ask_next(again=[self.open])
        if not (_is_no_answer(self.turn) or (self.open == STATE and _is_a_place(self.turn))):
            return []
        if _has_been_away(self.turn):
            return self._welcome_back()
        misses = int(self.turn.tracker.get_slot(names.MISSES) or 0) + 1
        if misses >= _MISSES_BEFORE_SKIP:
            self._say(self.turn.message("triage_skip"))
            self.sheet.note({self.open: UNKNOWN})
            return self._ask_next()
        item = self.turn.house.questionnaire.items[self.open]
        help_text = item.help.in_language(self.turn.language)
        buttons = questions.choices(self.turn, item)
        self._say(BotMessage(help_text, f"help_{item.name}", buttons))
        return [SlotSet(names.MISSES, misses), SlotSet(REQUESTED, self.open)]

    def read_confirmation(self) -> list[EventType]:
        """Whether the recap is right; anything told then is a correction."""
        if self.turn.intent in SAFETY_INTENTS:
            return []
        pressed = _pressed(self.turn)
        changes = pressed or _changes(self.turn, self.sheet, None, invited=True)
        if changes:
            return self._change(changes)
        if self.turn.intent == "affirm" or is_yes(normalise(self.turn.text)):
            return self._done()
        asked_which = self.turn.responses_so_far()[-1:] == ["triage_which"]
        if self.turn.intent in ("deny", "go_back") and not asked_which:
            self._say(questions.which_to_change(self.turn, self.sheet))
            return self._still(CONFIRM)
        if not _is_no_answer(self.turn):
            return []
        misses = int(self.turn.tracker.get_slot(names.MISSES) or 0) + 1
        if misses >= _MISSES_BEFORE_SKIP:
            return self._done()
        self._say(self.turn.message("triage_recap_short"))
        return [SlotSet(names.MISSES, misses), SlotSet(REQUESTED, CONFIRM)]

    def read_consent(self) -> list[EventType]:
        """Whether to go on after a pause; an answer or a correction goes on as well."""
        if self.turn.intent in SAFETY_INTENTS:
            return []
        changes = _changes(self.turn, self.sheet, None)
        if changes:
            return self._change(changes)
        following = _next_item(self.turn, self.sheet)
        pressed = _pressed(self.turn)
        said = normalise(self.turn.text)
        if pressed or self.turn.intent in ("affirm", "start_triage") or goes_on(said):
            self.sheet.note(pressed or volunteered(self.turn.text), self.turn.text)
            return self._ask_next()
        if self.turn.intent == "deny":
            self._say(self.turn.message("pause"))
            return self._still(CONSENT)
        if following and not is_bare(said):
            found = _read(self.turn, following.name)
            if found:
                self.sheet.note(found, self.turn.text)
                return self._ask_next()
        if not _is_no_answer(self.turn):
            return []
        return self._welcome_back()

    def _change(self, changes: Mapping[str, str | None]) -> list[EventType]:
        self.sheet.correct(changes, self.turn.text)
        self._say(questions.changed(self.turn, self.sheet, list(changes)))
        return self._ask_next(again=list(changes))

    def _ask_next(self, *, quiet: bool = False, again: list[str] | None = None) -> list[EventType]:
        """Ask what is still worth asking; else show the recap, except in a crisis."""
        following = _next_open(self.turn, self.sheet, again or [])
        if following is None:
            if disposition_of(self.turn, self.sheet).is_crisis:
                return self._done()
            self._say(questions.recap(self.turn, self.sheet))
            return self._still(CONFIRM)
        same_person = self.sheet.given.get(FOR_WHOM) == self._before.get(FOR_WHOM)
        short = same_person and following.name == self.open
        asked = questions.question(self.turn, following, self.sheet, short=short)
        if not (quiet or short or following.name == "safety_now") and (
            questions.is_time_for_progress(len(self._before), len(self.sheet.given))
        ):
            note = questions.progress(self.turn, _left(self.turn, self.sheet))
            asked = BotMessage(f"{note} {asked.text}", asked.response, asked.buttons)
        self._say(asked)
        return self._still(following.name)

    def _welcome_back(self) -> list[EventType]:
        if _next_item(self.turn, self.sheet) is None:
            return self._ask_next()  # the recap asks all the same
        answers = questions.short_recap(self.turn, self.sheet)
        name = "triage_welcome_back" if answers else "triage_welcome_back_empty"
        self._say(self.turn.message(name, answers=answers))
        return self._still(CONSENT)

    def _done(self) -> list[EventType]:
        return self._still(None)

    def _still(self, requested: str | None) -> list[EventType]:
        return [
            *sheet_events(self.turn, self.sheet),
            SlotSet(names.MISSES, 0),
            SlotSet(REQUESTED, requested),
        ]

    def _say(self, message: BotMessage) -> None:
        say(self._dispatcher, message)


class ActionTriageResult(Action):
    """Runs the level-of-care rules and tells the visitor what they may hear of it."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_TRIAGE_RESULT

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Level and floor go to the slots for staff; the visitor gets orientation."""
        turn = Turn(tracker)
        sheet = sheet_of(turn)
        disposition = disposition_of(turn, sheet)
        events: list[EventType] = [
            SlotSet(names.LEVEL, disposition.level),
            SlotSet(names.AT_LEAST, disposition.at_least),
        ]
        if not disposition.is_crisis:
            for message in questions.result(turn, disposition, sheet):
                say(dispatcher, message)
            return events
        tier = _tier_of(disposition.level, sheet)
        times = int(tracker.get_slot(names.CRISIS_TURNS) or 0)
        say(dispatcher, crisis_message(turn, tier, times))
        events += in_crisis(turn, tier, "questionnaire", times)
        if times:
            # They had said it before; now the way to a person at the clinic has its turn.
            events.append(SlotSet(names.PENDING, None))
        return events


class ActionGoBack(Action):
    """Changes an earlier answer: the one that is named, else the latest."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_GO_BACK

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Inside the form the question comes again; after the result there is a new one."""
        turn = Turn(tracker)
        sheet = sheet_of(turn)
        form = tracker.active_loop.get("name")
        no_result = SlotSet(names.RESULT_DUE, False)
        if not sheet.given and not form and volunteered(turn.text):
            # Nothing to correct yet: "actually I'm 16" is where the questions start.
            return [no_result, FollowupAction(names.TRIAGE_FORM)]
        if not sheet.given:
            say(dispatcher, turn.message("go_back_nothing"))
            return [no_result]
        if form == names.TRIAGE_FORM:
            sheet.take_back(list(sheet.given)[-1])
            return [*sheet_events(turn, sheet), no_result]
        changes = _changes(turn, sheet, None, invited=True)
        if not changes:
            say(dispatcher, questions.which_to_change(turn, sheet))
            return [no_result]
        sheet.correct(changes, turn.text)
        say(dispatcher, questions.changed(turn, sheet, list(changes)))
        if _next_open(turn, sheet, list(changes)) is None:
            return [*sheet_events(turn, sheet), SlotSet(names.RESULT_DUE, True)]
        return [*sheet_events(turn, sheet), no_result, FollowupAction(names.TRIAGE_FORM)]


class ActionAskWhy(Action):
    """Explains why the open question is asked."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_ASK_WHY

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Outside the questionnaire it explains the questionnaire as a whole."""
        turn = Turn(tracker)
        requested = tracker.get_slot(REQUESTED)
        if tracker.active_loop.get("name") == names.TRIAGE_FORM and requested in ITEMS:
            why = turn.house.questionnaire.items[requested].why.in_language(turn.language)
            say(dispatcher, BotMessage(text=why, response=f"why_{requested}"))
        else:
            say(dispatcher, turn.message("ask_why"))
        return []


def answers_for_rules(turn: Turn) -> dict[str, str]:
    """The answers for the level of care: a disclosure in the chat counts as "now"."""
    return _for_rules(turn, turn.answers())


def disposition_of(turn: Turn, sheet: AnswerSheet) -> Disposition:
    """What the rules say about the answers at this clinic."""
    return turn.house.rules.evaluate(
        turn.house.questionnaire.with_inferences(_for_rules(turn, sheet.given)),
        outpatient_for_moderate=turn.clinic.outpatient_for_moderate_with_strong_support,
        levels_offered=turn.clinic.levels_within_reach,
    )


def sheet_events(turn: Turn, sheet: AnswerSheet) -> list[EventType]:
    """The answers as slots; only what has changed, because trackers are to stay short."""
    slots: dict[str, Any] = {item: sheet.given.get(item) for item in ITEMS}
    slots |= {names.ASKED: list(sheet.given), names.RELATION: sheet.relation}
    return [
        SlotSet(slot, value)
        for slot, value in slots.items()
        if value != turn.tracker.get_slot(slot)
    ]


def _for_rules(turn: Turn, given: Mapping[str, str]) -> dict[str, str]:
    answers = dict(given)
    if answers.get("safety_now", UNKNOWN) in ("no", "past", UNKNOWN) and _disclosed(turn):
        answers["safety_now"] = "now"
    return answers


def _for_questions(turn: Turn, given: Mapping[str, str]) -> dict[str, str]:
    """The answers for choosing the next question.

    What the safety screen has heard is not asked a second time; "past" stands for it,
    so that the rest of the questionnaire can go on.
    """
    answers = dict(given)
    if "safety_now" not in answers and _disclosed(turn):
        answers["safety_now"] = "past"
    return answers


def _tier_of(level: str, sheet: AnswerSheet) -> str:
    if level == EMERGENCY:
        return TIER_EMERGENCY
    other = sheet.given.get(FOR_WHOM) == "someone_else"
    return TIER_CRISIS_OTHER if other else TIER_CRISIS_SELF


def _disclosed(turn: Turn) -> bool:
    tier = turn.tracker.get_slot(names.TIER)
    return bool(tier) and tier_at_least(tier, TIER_CRISIS_SELF)


def _next_item(turn: Turn, sheet: AnswerSheet) -> Item | None:
    answers = _for_questions(turn, sheet.given)
    return turn.house.questionnaire.next_item(answers, **_asking(turn, answers))


def _next_open(turn: Turn, sheet: AnswerSheet, again: list[str]) -> Item | None:
    """The next question; first of all one whose answer was just taken back."""
    following = _next_item(turn, sheet)
    if following is not None and following.name == FOR_WHOM:
        return following
    for name in again:
        if name in ITEMS and name not in _for_questions(turn, sheet.given):
            return turn.house.questionnaire.items[name]
    return following


def _left(turn: Turn, sheet: AnswerSheet) -> int:
    answers = _for_questions(turn, sheet.given)
    return turn.house.questionnaire.remaining(answers, **_asking(turn, answers))


def _asking(turn: Turn, answers: dict[str, str]) -> dict[str, bool]:
    """What decides which questions are still worth asking at this clinic."""
    known_state = answers.get(STATE, UNKNOWN) != UNKNOWN
    return {
        "outpatient_for_moderate": turn.clinic.outpatient_for_moderate_with_strong_support,
        "level_shown": not known_state or questions.gate(turn, answers).allowed,
    }


def _pressed(turn: Turn) -> dict[str, str]:
    """The pressed choice, of whatever question."""
    pressed, value = turn.entities.get("item", ""), turn.entities.get("value", "")
    return {pressed: value} if turn.intent == ANSWER and pressed in ITEMS else {}


def _changes(
    turn: Turn, sheet: AnswerSheet, open_item: str | None, *, invited: bool = False
) -> dict[str, str | None]:
    """What the message changes in earlier answers."""
    if turn.intent in SAFETY_INTENTS:
        return {}
    if turn.intent == ANSWER:
        return dict(_pressed(turn)) if set(_pressed(turn)) & set(sheet.given) else {}
    chosen = turn.entities.get("item")
    if turn.intent == "go_back" and chosen in sheet.given:
        return {chosen: None}
    return corrections(turn.text, turn.language, sheet.given, open_item=open_item, invited=invited)


def _read(turn: Turn, item: str) -> dict[str, str]:
    """The answers in this message: a pressed choice (of any question), or free text."""
    if turn.intent == ANSWER:
        return _pressed(turn)
    few_words = len(turn.text.split()) <= _FEW_WORDS or skips(turn.text)
    if turn.intent in SAFETY_INTENTS or (_is_said_about(turn) and not few_words):
        return {}
    read = understand(item, turn.text, turn.language)
    if read is None:
        return {}
    others = {
        name: told
        for name, told in volunteered(turn.text).items()
        if name != item and turn.tracker.get_slot(name) is None
    }
    return {item: read, **others}


def _told_unasked(turn: Turn) -> dict[str, str]:
    """Answers to other questions than the open one, in a message that asks nothing."""
    if turn.intent in (*SAFETY_INTENTS, *_SAID_ABOUT, ANSWER) or _asks(turn):
        return {}
    return bare_fact(turn.text) or volunteered(turn.text)


def _asks(turn: Turn) -> bool:
    return any(part.asks or asks_something(part.words) for part in clauses(turn.text))


def _is_no_answer(turn: Turn) -> bool:
    """Whether an answer was meant that could not be read: "purple", no question of theirs."""
    if turn.intent == "out_of_scope":
        return not _asks(turn)
    if only_goes_on(turn.text):
        return True
    if turn.intent == "go_back":
        return not goes_back(normalise(turn.text))  # "severe" sounds like a correction too
    return turn.intent in _NO_ANSWER


def _is_a_place(turn: Turn) -> bool:
    """Whether somebody names where they live, though no state: "I live in Lynn"."""
    safe = turn.intent not in (*SAFETY_INTENTS, *_SAID_ABOUT)
    return safe and not _asks(turn) and tells_where(normalise(turn.text))


def _is_said_about(turn: Turn) -> bool:
    if any(not part.asks for part in clauses(turn.text)) and _side_answers(turn):
        return False  # "I'm 34, can I keep working?" is an answer and a question
    if turn.intent == "go_back":
        return goes_back(normalise(turn.text))
    if turn.intent in _SAID_ABOUT:
        return turn.confidence >= _SURE
    if not turn.intent.startswith("faq_"):
        return False
    # "What if I can't pay" is a question without its mark.
    return turn.text.rstrip().endswith("?") or (turn.confidence >= _SURE and _asks_at_once(turn))


def _asks_at_once(turn: Turn) -> bool:
    """Whether all of the message is a question."""
    parts = clauses(turn.text)
    return len(parts) == 1 and (parts[0].asks or asks_something(parts[0].words))


def _side_answers(turn: Turn) -> list[BotMessage]:
    """The answers to the questions in a message that says something else as well."""
    topics, parts = topics_asked(turn), clauses(turn.text)
    asks = bool(topics) or any(part.asks for part in parts)
    # "Skip this, what is PHP": a question without its mark stands last.
    sure = turn.intent.startswith("faq_") and turn.confidence >= _SURE
    asks = asks or (sure and len(parts) > 1 and asks_something(parts[-1].words))
    if turn.intent == ANSWER or not asks:
        return []
    if turn.intent in ("ask_if_bot", "medical_advice"):
        return [turn.message(turn.intent)]
    topics = topics or list(likely_topics(turn, _LIKELY))[:1]
    return faq_messages(turn, topics) if topics else []


def _has_been_away(turn: Turn) -> bool:
    """Whether this is the first message after a pause."""
    times = [
        str((event.get("metadata") or {}).get("now") or "")
        for event in turn.tracker.events
        if event.get("event") == "user"
    ][-2:-1]
    return any(times) and turn.now - datetime.fromisoformat(times[0]) >= PAUSE


def _told_before(tracker: Tracker) -> list[str]:
    """What was written before the questionnaire, since the latest start over.

    Of a long conversation only what told something (`bot.brain.live_tracker`).
    """
    texts: list[str] = []
    for event in tracker.events:
        texts += remembered(event, TOLD)
        if event.get("event") == "action" and event.get("name") == names.ACTION_RESTART:
            texts = []
        elif event.get("event") == "user":
            texts.append(event.get("text") or "")
    return texts[:-1]
