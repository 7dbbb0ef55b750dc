"""One turn as actions see it: who writes, where, in which language, when."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

import structlog
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.brain import house as houses
from bot.brain import names
from bot.brain.house import House
from bot.brain.live_tracker import SAID
from bot.clinic.hours import LineState, describe, line_state
from bot.clinic.profile import Clinic
from bot.turns import BotMessage
from bot.vocabulary import ITEMS, TIER_NONE

log = structlog.get_logger("handrail.brain")


class Turn:
    """The latest message of a tracker, and the house it is answered from.

    The brain passes clinic, channel and the frozen time as message metadata. Under
    Rasa's own `rasa shell` there is none: then it is the first clinic, the web, and
    the time of the message.
    """

    def __init__(self, tracker: Tracker):
        self.tracker = tracker
        self.house: House = houses.current()
        message = _latest_message(tracker)
        metadata: Mapping[str, Any] = message.get("metadata") or {}
        self.clinic: Clinic = self.house.clinics[
            metadata.get("clinic") or sorted(self.house.clinics)[0]
        ]
        self.channel: str = metadata.get("channel", "web")
        self.known_phone: str | None = metadata.get("known_phone")
        self.now: datetime = (
            datetime.fromisoformat(metadata["now"])
            if "now" in metadata
            else datetime.fromtimestamp(message.get("timestamp") or 0, timezone.utc)
        )
        # What the visitor asked for in this very message wins over what it is written in.
        self.language: str = (
            tracker.get_slot(names.LANGUAGE)
            if _changed_language(tracker)
            else metadata.get("language") or tracker.get_slot(names.LANGUAGE)
        ) or "en"
        self.text: str = message.get("text") or ""
        parsed: Mapping[str, Any] = message.get("parse_data") or {}
        self.intent: str = (parsed.get("intent") or {}).get("name") or ""
        self.confidence: float = (parsed.get("intent") or {}).get("confidence") or 0.0
        self.ranking: list[Mapping[str, Any]] = list(parsed.get("intent_ranking") or [])
        self.asked: list[str] = [asked["name"] for asked in parsed.get("asked") or []]
        self.entities: dict[str, str] = {
            entity["entity"]: entity["value"] for entity in parsed.get("entities") or []
        }
        self.safety: Mapping[str, Any] = parsed.get("safety") or {"tier": TIER_NONE}

    @cached_property
    def line(self) -> LineState:
        """Whether the clinic's line is open, frozen for this turn."""
        state = line_state(self.clinic, self.now)
        if not state.readable:
            log.error(
                "opening hours cannot be read: the line counts as closed",
                clinic=self.clinic.id,
                reason=state.unreadable_because,
            )
        return state

    @property
    def opens(self) -> str:
        """When the line opens, in words; the line must be readable and closed."""
        if self.line.opens_at is None:
            raise ValueError("the line never opens; ask `line.opens_at` first")
        return describe(self.line.opens_at, self.now, self.clinic, self.language)

    def reach(self) -> str:
        """How to reach a person at this moment, one or two sentences."""
        if self.clinic.phone is None:
            return self.text_of("reach_callback")
        if self.line.can_transfer:
            return self.text_of("reach_open")
        if self.line.readable and self.line.opens_at and not self.line.open:
            return self.text_of("reach_closed", opens=self.opens)
        return self.text_of("reach_unknown_hours")

    def in_language(self, language: str) -> Turn:
        """The same turn, answered in `language`."""
        other = copy.copy(self)
        other.language = language
        return other

    def text_of(self, name: str, /, **values: str) -> str:
        """A fixed text in this turn's language and for its channel."""
        return self.house.texts.text(
            name, self.language, self.channel, **{**self._values(name), **values}
        )

    def message(self, name: str, /, **values: str) -> BotMessage:
        """A fixed message in this turn's language and for its channel."""
        return self.house.texts.message(
            name, self.language, self.channel, **{**self._values(name), **values}
        )

    def answers(self) -> dict[str, str]:
        """The questionnaire's answers so far."""
        return {
            item: self.tracker.get_slot(item)
            for item in ITEMS
            if self.tracker.get_slot(item) is not None
        }

    def responses_so_far(self) -> list[str]:
        """Names of all reviewed texts that this conversation has had, oldest first.

        Of a long conversation each of the older ones once (`bot.brain.live_tracker`).
        """
        said: list[str] = []
        for event in self.tracker.events:
            said += remembered(event, SAID)
            reviewed = (event.get("metadata") or {}).get("reviewed")
            if event.get("event") == "bot" and reviewed:
                said.append(reviewed)
        return said

    def begins(self, form: str) -> bool:
        """Whether this message has opened `form`; forms share names of questions."""
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                return False
            if event.get("event") == "active_loop" and event.get("name") == form:
                return True
        return False

    def has_just_said(self, response: str) -> bool:
        """Whether the reviewed text was said in answer to the message before this one."""
        messages = 0
        for event in reversed(self.tracker.events):
            messages += event.get("event") == "user"
            if messages > 1:
                return False
            said = event.get("event") == "bot" and messages == 1
            if said and (event.get("metadata") or {}).get("reviewed") == response:
                return True
        return False

    def actions_since_message(self) -> list[str]:
        """Names of the actions that ran since the latest message, oldest first."""
        ran: list[str] = []
        for event in reversed(self.tracker.events):
            if event.get("event") == "user":
                break
            if event.get("event") == "action" and event.get("name") != "action_listen":
                ran.append(str(event.get("name")))
        return ran[::-1]

    def _values(self, name: str) -> dict[str, str]:
        values: dict[str, str] = {"clinic": str(self.clinic.name)}
        if self.clinic.phone is not None:
            values["line"] = str(self.clinic.phone.display)
        if not name.startswith("reach_") and "{reach}" in self.house.texts.messages[name].en:
            values["reach"] = self.reach()
        return values


def remembered(event: Mapping[str, Any], what: str) -> list[str]:
    """What the beginning of a shortened tracker keeps of the conversation before it."""
    if event.get("event") != "session_started":
        return []
    return list((event.get("metadata") or {}).get(what, ()))


def say(dispatcher: CollectingDispatcher, message: BotMessage) -> None:
    """Hand a message to Rasa; the brain's output channel takes it from there."""
    dispatcher.utter_message(
        text=message.text,
        buttons=[
            {
                "title": b.label,
                "payload": f"/{b.intent}{json.dumps(b.entities) if b.entities else ''}",
                "intent": b.intent,
                "entities": dict(b.entities),
            }
            for b in message.buttons
        ],
        reviewed=message.response,
    )


def _latest_message(tracker: Tracker) -> Mapping[str, Any]:
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return dict(event)
    return {}


def _changed_language(tracker: Tracker) -> bool:
    for event in reversed(tracker.events):
        if event.get("event") == "user":
            return False
        if event.get("event") == "slot" and event.get("name") == names.LANGUAGE:
            return True
    return False
