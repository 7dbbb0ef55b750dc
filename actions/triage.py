"""The questionnaire as a form, and the level-of-care rules at its end.

The form asks in the order that `bot.care.questionnaire` decides. Rasa calls the
validation action on activation, on every message while the form is open, and when
it comes back to the form after a side question; the action asks the next question
itself, so that question and answer are one step.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.turn import Turn, say
from bot.brain import names
from bot.care.answers import understand, volunteered
from bot.care.engine import Disposition
from bot.care.jurisdictions import level_may_be_shown
from bot.care.questionnaire import Item
from bot.turns import BotMessage, Button
from bot.vocabulary import (
    ANSWER,
    CONSULTATION,
    CRISIS_ASSESSMENT,
    EMERGENCY,
    INPATIENT,
    ITEMS,
    SAFETY_INTENTS,
    TIER_CRISIS_SELF,
    TIER_EMERGENCY,
    UNKNOWN,
    tier_at_least,
)

REQUESTED = "requested_slot"
_MISSES_BEFORE_SKIP = 3
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
        """Returns no slot for a message that is no answer: the form then gives way to rules."""
        turn = Turn(tracker)
        questionnaire = turn.house.questionnaire
        requested = tracker.get_slot(REQUESTED)
        answers = known_answers(turn)
        found: dict[str, str] = {}
        events: list[EventType] = []

        coming_back = any(name != names.TRIAGE_FORM for name in turn.actions_since_message())
        starting = requested not in ITEMS
        if starting:
            found = volunteered(turn.text, turn.language)
        elif not coming_back:
            found = _read(turn, questionnaire.item(requested))
            if not found:
                misses = int(tracker.get_slot(names.MISSES) or 0) + 1
                if _is_said_about(turn) or misses < _MISSES_BEFORE_SKIP:
                    return []
                found = {requested: UNKNOWN}
                say(dispatcher, turn.message("triage_skip"))
            events.append(SlotSet(names.MISSES, 0))

        asked = list(tracker.get_slot(names.ASKED) or [])
        for item, value in found.items():
            answers[item] = value
            asked = [*(other for other in asked if other != item), item]
            events.append(SlotSet(item, value))
        if found:
            events.append(SlotSet(names.ASKED, asked))

        following = questionnaire.next_item(answers)
        if following is None:
            return [*events, SlotSet(REQUESTED, None)]
        if starting and not coming_back and not asked:
            say(dispatcher, turn.message("triage_intro"))
        short = coming_back and following.name == requested
        say(dispatcher, question(turn, following, answers, short=short))
        return [*events, SlotSet(REQUESTED, following.name)]


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
        answers = known_answers(turn)
        disposition = turn.house.rules.evaluate(
            answers,
            outpatient_for_moderate=turn.clinic.outpatient_for_moderate_with_strong_support,
            levels_offered=turn.clinic.levels_offered,
        )
        events: list[EventType] = [
            SlotSet(names.LEVEL, disposition.level),
            SlotSet(names.AT_LEAST, disposition.at_least),
        ]
        if disposition.level in (CRISIS_ASSESSMENT, EMERGENCY):
            tier = TIER_EMERGENCY if disposition.level == EMERGENCY else TIER_CRISIS_SELF
            say(
                dispatcher,
                turn.house.replies.reply(
                    tier,
                    (),
                    channel=turn.channel,
                    language=turn.language,
                    clinic_state=turn.clinic.state,
                    clinic_line=turn.clinic.phone.display if turn.clinic.phone else None,
                    times_before=int(tracker.get_slot(names.CRISIS_TURNS) or 0),
                ),
            )
            return [
                *events,
                SlotSet(names.TIER, tier),
                SlotSet(names.TIER_RULE, "questionnaire"),
                SlotSet(names.PENDING, names.PENDING_CRISIS),
            ]
        say(dispatcher, result_message(turn, disposition, answers))
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
            why = turn.house.questionnaire.item(requested).why.in_language(turn.language)
            say(dispatcher, BotMessage(text=why, response=f"why_{requested}"))
        else:
            say(dispatcher, turn.message("ask_why"))
        return []


def known_answers(turn: Turn) -> dict[str, str]:
    """The answers, and what the safety screen has heard: it is not asked a second time."""
    answers = turn.answers()
    tier = turn.tracker.get_slot(names.TIER)
    if "safety_now" not in answers and tier and tier_at_least(tier, TIER_CRISIS_SELF):
        answers["safety_now"] = "now"
    return answers


def question(turn: Turn, item: Item, answers: dict[str, str], *, short: bool) -> BotMessage:
    """The question for `item` with its choices; the short form after a side question."""
    text = item.question(turn.language, answers.get("for_whom", "self"), short=short)
    if short:
        text = f"{turn.text_of('triage_resume')} {text}"
    buttons = [
        Button(label, ANSWER, {"item": item.name, "value": value})
        for value, label in item.choice_labels(turn.language)
    ]
    return BotMessage(text=text, response=f"ask_{item.name}", buttons=buttons)


def result_message(turn: Turn, disposition: Disposition, answers: dict[str, str]) -> BotMessage:
    """What the visitor hears of the disposition: orientation, or a person."""
    if answers.get("age_band") == "under_18":
        return turn.message("result_minor")
    if not level_may_be_shown(answers.get("state"), turn.clinic.licensed_states).allowed:
        return turn.message("result_gated")
    if disposition.level == CONSULTATION:
        return turn.message("result_consultation")
    reasons = [reason.visitor.in_language(turn.language) for reason in disposition.reasons][:3]
    return turn.message(
        "result_inpatient" if disposition.level == INPATIENT else "result_level",
        level_name=turn.text_of(f"level_{disposition.level}"),
        reasons="\n".join(f"- {reason}" for reason in reasons),
    )


def _read(turn: Turn, item: Item) -> dict[str, str]:
    """The answers in this message: a pressed choice (of any question), or free text."""
    if turn.intent == ANSWER:
        pressed, value = turn.entities.get("item", ""), turn.entities.get("value", "")
        return {pressed: value} if pressed in ITEMS else {}
    if _is_said_about(turn):
        return {}
    value = understand(item, turn.text, turn.language)
    if value is None:
        return {}
    others: dict[str, Any] = {
        name: told
        for name, told in volunteered(turn.text, turn.language).items()
        if name != item.name and turn.tracker.get_slot(name) is None
    }
    return {item.name: value, **others}


def _is_said_about(turn: Turn) -> bool:
    if turn.intent in SAFETY_INTENTS or turn.intent in _SAID_ABOUT:
        return True
    return turn.intent.startswith("faq_") and turn.text.rstrip().endswith("?")
