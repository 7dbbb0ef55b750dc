"""Visitor acts that need no form: greetings, thanks, repeats, yes and no."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import ActiveLoop, AllSlotsReset, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.triage import REQUESTED
from actions.turn import Turn, say
from bot.brain import names
from bot.turns import BotMessage, Button
from bot.vocabulary import CRISIS_CANNOT_CALL, DELETION_CONFIRMED, LANGUAGES, OTHER_SCRIPT

# Without danger, "I can't call" is about reaching the clinic.
_NAMES = {CRISIS_CANNOT_CALL: "text_instead"}
_ASKED_TO_DELETE = "delete_my_data"
_KEPT_AFTER_RESTART = (
    names.LANGUAGE,
    names.TIER,
    names.TIER_RULE,
    names.SAFETY_CATEGORY,
    names.REFERENCE,
)


class ActionSay(Action):
    """Says the fixed message that is named like the intent."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_SAY

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Greets with the long text once, with a short one after that.

        The chat page has shown the long one before the visitor writes anything.
        """
        turn = Turn(tracker)
        name = _NAMES.get(turn.intent, turn.intent)
        if name == "complain" and turn.has_just_said(name):
            name = "complain_again"
        elif name == "greet" and any(event.get("event") == "bot" for event in tracker.events):
            name = "greet_again"
        elif name == "greet" and turn.channel == "web":
            name = "greet_back"
        if name == OTHER_SCRIPT:
            # Nobody knows which of the two they may be able to read.
            texts = [turn.in_language(language).text_of(name) for language in LANGUAGES]
            say(dispatcher, BotMessage("\n\n".join(texts), name))
        else:
            say(dispatcher, turn.message(name))
        return [SlotSet(names.MISSES, 0)]


class ActionYes(Action):
    """A yes outside forms answers the question that is open, if one is."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_YES

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Consent to a callback opens its form; a confirmed deletion is the gateway's to do."""
        if _asked_before(tracker, _ASKED_TO_DELETE):
            say(dispatcher, Turn(tracker).message(DELETION_CONFIRMED))
            return []
        if tracker.get_slot(names.PENDING) == names.PENDING_CONSENT:
            return [SlotSet(names.PENDING, None), FollowupAction(names.CALLBACK_FORM)]
        say(dispatcher, Turn(tracker).message("affirm"))
        return []


class ActionNo(Action):
    """A no outside forms answers the question that is open, if one is."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_NO

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """A declined callback is accepted without a second try."""
        if _asked_before(tracker, _ASKED_TO_DELETE):
            say(dispatcher, Turn(tracker).message("delete_my_data_kept"))
            return []
        declined = tracker.get_slot(names.PENDING) == names.PENDING_CONSENT
        say(dispatcher, Turn(tracker).message("handoff_declined" if declined else "deny"))
        return [SlotSet(names.PENDING, None)]


class ActionDeleteMyData(Action):
    """Asks whether to delete what this conversation holds; only a yes right after it counts."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_DELETE_MY_DATA

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Leaves any form, so that the yes or no is not taken for an answer to it."""
        say(dispatcher, Turn(tracker).message(_ASKED_TO_DELETE))
        return [
            ActiveLoop(None),
            SlotSet(REQUESTED, None),
            SlotSet(names.PENDING, None),
            SlotSet(names.MISSES, 0),
        ]


class ActionRepeat(Action):
    """Says the last messages again, buttons included."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_REPEAT

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Repeats what was said before this turn."""
        turn = Turn(tracker)
        if tracker.active_loop.get("name"):
            return []  # the form asks its question again by itself
        said = _messages_of_previous_turn(tracker)
        for message in said or [turn.message("repeat_nothing")]:
            say(dispatcher, message)
        return []


class ActionSwitchLanguage(Action):
    """Goes on in the language that the visitor asks for."""

    def name(self) -> str:
        """Name in domain.yml."""
        return names.ACTION_SWITCH_LANGUAGE

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """The language was decided before this action ran, see bot/nlu/language.py."""
        say(dispatcher, Turn(tracker).message("switch_language"))
        return []


class ActionRestart(Action):
    """Starts over. What the record needs (risk, code, language) stays."""

    def name(self) -> str:
        """Name in domain.yml; Rasa runs it for the intent `restart`."""
        return names.ACTION_RESTART

    def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        """Forgets the answers and leaves any form."""
        kept: list[Any] = [SlotSet(slot, tracker.get_slot(slot)) for slot in _KEPT_AFTER_RESTART]
        say(dispatcher, Turn(tracker).message("restart"))
        return [ActiveLoop(None), AllSlotsReset(), *kept]


def _asked_before(tracker: Tracker, question: str) -> bool:
    """Whether the turn before this one ended with `question`."""
    said = _messages_of_previous_turn(tracker)
    return bool(said) and said[-1].response == question


def _messages_of_previous_turn(tracker: Tracker) -> list[BotMessage]:
    users_passed = 0
    said: list[BotMessage] = []
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            users_passed += 1
            if users_passed == 2:
                break
        if event.get("event") == "bot" and users_passed == 1:
            said.append(
                BotMessage(
                    text=event.get("text") or "",
                    response=(event.get("metadata") or {}).get("reviewed", "repeat"),
                    buttons=[
                        Button(b["title"], b["intent"], b["entities"])
                        for b in (event.get("data") or {}).get("buttons") or []
                    ],
                )
            )
    return said[::-1]
