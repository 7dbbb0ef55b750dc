"""The questionnaire as a form, and the level-of-care rules at its end.

The form asks in the order that `bot.care.questionnaire` decides. Rasa calls the
validation action on activation, on every message while the form is open, and when
it comes back to the form after a side question; the action asks the next question
itself, so that question and answer are one step.
"""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.safety import crisis_message, in_crisis
from actions.turn import Turn, say
from bot.brain import names
from bot.care.answers import understand, volunteered
from bot.care.engine import Disposition
from bot.care.jurisdictions import Gate, level_may_be_shown
from bot.care.questionnaire import Item
from bot.turns import BotMessage, Button
from bot.vocabulary import (
    ANSWER,
    CONSULTATION,
    EMERGENCY,
    INPATIENT,
    ITEMS,
    SAFETY_INTENTS,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    UNKNOWN,
    tier_at_least,
)

REQUESTED = "requested_slot"
_MISSES_BEFORE_SKIP = 3
_FEW_WORDS = 2  # so short a text is an answer if it can be one, whatever else it may mean
_SURE = 0.5  # an act that certain is not an answer
# Intents that say nothing by themselves: an answer was meant, but not understood.
_NO_ANSWER = frozenset({"nlu_fallback", "affirm", "deny", "unsure", "start_triage", ANSWER})
# Said about the questionnaire, not in answer to it: rules take these turns.
_SAID_ABOUT = frozenset(
    {
        "ask_why",
        "go_back",
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


class ValidateTriageForm(Action):
    """Reads the answer to the open question and asks the next one."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.VALIDATE_TRIAGE_FORM

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Returns no slot for a side question: the form then gives way to rules."""
        turn = Turn(tracker)
        requested = tracker.get_slot(REQUESTED)
        coming_back = any(name != names.TRIAGE_FORM for name in turn.actions_since_message())
        if requested not in ITEMS:
            if not tracker.get_slot(names.ASKED):
                say(dispatcher, turn.message("triage_intro"))
            return _go_on(dispatcher, turn, volunteered(turn.text), [])
        if coming_back:
            return _go_on(dispatcher, turn, {}, [])
        found = _read(turn, requested)
        if found:
            return _go_on(dispatcher, turn, found, [SlotSet(names.MISSES, 0)])
        if turn.intent not in _NO_ANSWER:
            return []
        misses = int(tracker.get_slot(names.MISSES) or 0) + 1
        if misses >= _MISSES_BEFORE_SKIP:
            say(dispatcher, turn.message("triage_skip"))
            return _go_on(dispatcher, turn, {requested: UNKNOWN}, [SlotSet(names.MISSES, 0)])
        item = turn.house.questionnaire.items[requested]
        help_text = item.help.in_language(turn.language)
        again = question(turn, item, known_answers(turn), short=True)
        say(dispatcher, BotMessage(help_text, f"help_{requested}", again.buttons))
        return [SlotSet(names.MISSES, misses), SlotSet(REQUESTED, requested)]


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
        answers = turn.house.questionnaire.with_inferences(answers_for_rules(turn))
        disposition = turn.house.rules.evaluate(
            answers,
            outpatient_for_moderate=turn.clinic.outpatient_for_moderate_with_strong_support,
            levels_offered=turn.clinic.levels_within_reach,
        )
        events: list[EventType] = [
            SlotSet(names.LEVEL, disposition.level),
            SlotSet(names.AT_LEAST, disposition.at_least),
        ]
        if not disposition.is_crisis:
            say(dispatcher, result_message(turn, disposition, answers))
            return events
        tier = _tier_of(disposition.level, answers)
        times = int(tracker.get_slot(names.CRISIS_TURNS) or 0)
        say(dispatcher, crisis_message(turn, tier, times))
        events += in_crisis(turn, tier, "questionnaire", times)
        if times:
            # They had said it before; now the way to a person at the clinic has its turn.
            events.append(SlotSet(names.PENDING, None))
        return events


class ActionGoBack(Action):
    """Takes the latest answer back; the form then asks that question again."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_GO_BACK

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Outside the form there is nothing to go back to."""
        asked = list(tracker.get_slot(names.ASKED) or [])
        if not asked or tracker.active_loop.get("name") != names.TRIAGE_FORM:
            say(dispatcher, Turn(tracker).message("go_back_nothing"))
            return []
        return [SlotSet(asked[-1], None), SlotSet(names.ASKED, asked[:-1])]


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


def known_answers(turn: Turn) -> dict[str, str]:
    """The answers for choosing the next question.

    What the safety screen has heard is not asked a second time; "past" stands for it,
    so that the rest of the questionnaire can go on.
    """
    answers = turn.answers()
    if "safety_now" not in answers and _disclosed(turn):
        answers["safety_now"] = "past"
    return answers


def answers_for_rules(turn: Turn) -> dict[str, str]:
    """The answers for the level of care: a disclosure in the chat counts as "now"."""
    answers = turn.answers()
    if answers.get("safety_now", UNKNOWN) in ("no", "past", UNKNOWN) and _disclosed(turn):
        answers["safety_now"] = "now"
    return answers


def _tier_of(level: str, answers: dict[str, str]) -> str:
    if level == EMERGENCY:
        return TIER_EMERGENCY
    other = answers.get("for_whom") == "someone_else"
    return TIER_CRISIS_OTHER if other else TIER_CRISIS_SELF


def _disclosed(turn: Turn) -> bool:
    tier = turn.tracker.get_slot(names.TIER)
    return bool(tier) and tier_at_least(tier, TIER_CRISIS_SELF)


def question(turn: Turn, item: Item, answers: dict[str, str], *, short: bool) -> BotMessage:
    """The question for `item` with its choices; the short form after a side question."""
    text = item.question(turn.language, answers.get("for_whom", "self"), short=short)
    if short:
        text = f"{turn.text_of('triage_resume')} {text}"
    buttons = [
        Button(
            choice.label.in_language(turn.language),
            ANSWER,
            {"item": item.name, "value": choice.value},
        )
        for choice in item.choices
    ]
    return BotMessage(text=text, response=f"ask_{item.name}", buttons=buttons)


def result_message(turn: Turn, disposition: Disposition, answers: dict[str, str]) -> BotMessage:
    """What the visitor hears of the disposition: orientation, or a person."""
    if answers.get("age_band") == "under_18":
        return turn.message("result_minor")
    if answers.get("state", UNKNOWN) != UNKNOWN and not _gate(turn, answers).allowed:
        return turn.message("result_gated")
    if disposition.visitor_level in (None, CONSULTATION) or not _gate(turn, answers).allowed:
        return turn.message("result_consultation")
    reasons = disposition.visitor_reasons(turn.language)
    return turn.message(
        "result_inpatient" if disposition.level == INPATIENT else "result_level",
        level_name=turn.text_of(f"level_{disposition.level}"),
        reasons="\n".join(f"- {reason}" for reason in reasons),
    )


def _gate(turn: Turn, answers: dict[str, str]) -> Gate:
    return level_may_be_shown(answers.get("state", UNKNOWN), turn.clinic.licensed_states)


def _asking(turn: Turn, answers: dict[str, str]) -> dict[str, bool]:
    """What decides which questions are still worth asking at this clinic."""
    known_state = answers.get("state", UNKNOWN) != UNKNOWN
    return {
        "outpatient_for_moderate": turn.clinic.outpatient_for_moderate_with_strong_support,
        "level_shown": not known_state or _gate(turn, answers).allowed,
    }


def _go_on(
    dispatcher: CollectingDispatcher,
    turn: Turn,
    found: dict[str, str],
    events: list[EventType],
) -> list[EventType]:
    """Note the answers, then ask the next question; without one the form is complete."""
    answers = {**known_answers(turn), **found}
    if found:
        asked = [item for item in turn.tracker.get_slot(names.ASKED) or [] if item not in found]
        events += [SlotSet(item, value) for item, value in found.items()]
        events.append(SlotSet(names.ASKED, [*asked, *found]))
    following = turn.house.questionnaire.next_item(answers, **_asking(turn, answers))
    if following is None:
        return [*events, SlotSet(REQUESTED, None)]
    short = not found and following.name == turn.tracker.get_slot(REQUESTED)
    say(dispatcher, question(turn, following, answers, short=short))
    return [*events, SlotSet(REQUESTED, following.name)]


def _read(turn: Turn, item: str) -> dict[str, str]:
    """The answers in this message: a pressed choice (of any question), or free text."""
    if turn.intent == ANSWER:
        pressed, value = turn.entities.get("item", ""), turn.entities.get("value", "")
        return {pressed: value} if pressed in ITEMS else {}
    few_words = len(turn.text.split()) <= _FEW_WORDS
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


def _is_said_about(turn: Turn) -> bool:
    if turn.intent in _SAID_ABOUT:
        return turn.confidence >= _SURE
    return turn.intent.startswith("faq_") and turn.text.rstrip().endswith("?")
