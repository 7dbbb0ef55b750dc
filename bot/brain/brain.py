"""The brain: Rasa as a library, one turn at a time per conversation."""

from __future__ import annotations

import asyncio
import re
import uuid
import weakref
from datetime import datetime, timezone
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.engine import Engine

from bot.brain import faster_rasa, names
from bot.brain import house as houses
from bot.brain.action_endpoint import InProcessActions, failures
from bot.brain.house import House
from bot.brain.tracker_store import HandrailTrackerStore
from bot.brain.turn_processor import TurnProcessor
from bot.nlu.language import decide_language
from bot.nlu.safety_component import read_before
from bot.nlu.sentence_encoder import take_over
from bot.settings import Settings
from bot.store import check
from bot.turns import (
    BRAIN_CHARACTERS,
    BotMessage,
    Button,
    TurnReply,
    TurnRequest,
    TurnState,
    mark_of,
)
from bot.vocabulary import DELETION_CONFIRMED, HANDOFF_NONE, LANGUAGES, SAFETY_INTENTS, TIER_NONE

NOT_UNDERSTOOD = "nlu_fallback"  # Rasa's name for it
_COMMAND = re.compile(r"/+\w+\s*(\{.*)?$", re.DOTALL)
_READINESS = "readiness"
_CANNED_TURNS = ("hello", "I want to find out what fits", "me")
_SOME_TIME = datetime(2026, 1, 5, 15, 0, tzinfo=timezone.utc)  # what they say does not matter


class TurnFailed(Exception):
    """The turn has no answer; the gateway answers in its place."""


class Brain:
    """Takes turns; made by `load_brain`.

    Args:
        agent: the loaded Rasa agent.
        house: what its actions work with.
        engine: the database.
    """

    def __init__(self, agent: Agent, house: House, engine: Engine):
        self._agent = agent
        self._engine = engine
        self.house = house
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def turn(self, request: TurnRequest) -> TurnReply:
        """Answer one message.

        Nothing of it is kept here: the reply has the row that the caller is to write
        down with the answer. A turn whose row is not written has left no trace.

        Raises:
            TurnFailed: an action failed or nothing was said.
            StoreError: the database cannot be used.
        """
        lock = self._locks.setdefault(request.conversation, asyncio.Lock())
        async with lock:
            return await self._turn(request)

    async def parse(self, text: str) -> dict[str, Any]:
        """What the pipeline makes of a text: intent, ranking, entities, safety."""
        message = UserMessage(_plain(text), sender_id="parse")
        parsed: dict[str, Any] = await self._processor.parse_message(message)
        return parsed

    async def ready(self) -> None:
        """Take turns as a visitor would, and forget them; raises what is wrong.

        The first time also loads what is loaded on first use, so that no visitor waits.
        """
        await asyncio.to_thread(check, self._engine)
        conversation = f"{_READINESS}.{uuid.uuid4().hex}"
        newest = None
        try:
            for number, text in enumerate(_CANNED_TURNS):
                request = TurnRequest(
                    conversation=conversation,
                    message_id=str(number),
                    clinic=next(iter(self.house.clinics)),
                    channel="web",
                    text=text,
                    now=_SOME_TIME,
                    newest=newest,
                )
                row = (await self.turn(request)).row
                newest = mark_of(row.events) if row else None
        finally:
            self._store.let_go(conversation)

    @property
    def _store(self) -> HandrailTrackerStore:
        store = self._agent.tracker_store
        if not isinstance(store, HandrailTrackerStore):
            # Rasa puts an in-memory store in place of one that it cannot use.
            raise TurnFailed(f"conversations would be kept in {type(store).__name__}")
        return store

    @property
    def _processor(self) -> TurnProcessor:
        processor = self._agent.processor
        if not isinstance(processor, TurnProcessor):
            raise TurnFailed("no model is loaded")
        return processor

    async def _parsed_already(self, request: TurnRequest, text: str) -> dict[str, Any] | None:
        """What is known without the classifier; None: Rasa parses the text itself.

        A pressed button says what it means. A message without a word, or one that
        is a command to Rasa ("/restart"), means nothing - unless it signals danger.
        """
        if request.pressed:
            return _meaning(request.pressed, text)
        if text and not _COMMAND.match(request.text.strip()):
            return None
        unclear = _meaning(Button(text, NOT_UNDERSTOOD), text)
        if not text:
            return unclear
        parsed = await self.parse(text)
        return parsed if parsed["intent"]["name"] in SAFETY_INTENTS else unclear

    async def _turn(self, request: TurnRequest) -> TurnReply:
        before = await self._store.resume(request.conversation, request.newest)
        knows_phone = _knows_phone(before)
        current = before.get_slot(names.LANGUAGE) if before else None
        if current is None and request.greeted != LANGUAGES[0]:
            # A page in Spanish was chosen; one in English may only be the one there is.
            current = request.greeted
        text = _plain(request.text)
        read = request.reading
        # Of another text than the pipeline sees, or read in part only: it is read again.
        usable = read is not None and not read.failed and text == request.text
        read_before.set((text, read) if read is not None and usable else None)
        if request.encoded and text == request.text:
            _take_over(text, request.encoded)
        # "Juan Carlos de la Cruz" is a name in any language; a question is none.
        asked_name = before is not None and before.get_slot("requested_slot") == "name"
        names_somebody = asked_name and "?" not in text
        kept = request.pressed or names_somebody
        spoken = current if kept else decide_language(text, current)
        output = _Output(request.channel)
        message = UserMessage(
            text,
            output_channel=output,
            sender_id=request.conversation,
            parse_data=await self._parsed_already(request, text),
            input_channel=request.channel,
            message_id=request.message_id,
            metadata={
                "clinic": request.clinic,
                "channel": request.channel,
                "now": request.now.isoformat(),
                "language": request.language or spoken or "en",
                # Once: what the visitor says of the number counts from then on.
                "known_phone": None if knows_phone else request.known_phone,
            },
        )
        failed: list[str] = []
        failures.set(failed)
        after = await self._processor.take_turn(message, before)
        if failed:
            raise TurnFailed("; ".join(failed))
        if not output.messages:
            raise TurnFailed("nothing was said")
        if any(message.response == DELETION_CONFIRMED for message in output.messages):
            return TurnReply(output.messages, state_of(after))  # the gateway deletes the rest
        return TurnReply(output.messages, state_of(after), self._store.row_of(after))


async def load_brain(settings: Settings, engine: Engine, house: House) -> Brain:
    """Load the model and everything that its actions need.

    Raises:
        TurnFailed: there is no usable model; the message names the fix.
        DataError, StoreError: reviewed data or the database cannot be used.
    """
    if not settings.model.is_file():
        raise TurnFailed(f"there is no model at {settings.model}: run `make train`")
    check(engine)
    houses.install(house)
    faster_rasa.install()
    store = HandrailTrackerStore(engine)
    agent = Agent(tracker_store=store, action_endpoint=InProcessActions())
    # Rasa wraps every store in one that answers an error with a silent in-memory store.
    agent.tracker_store = store
    try:
        agent.processor = TurnProcessor(
            settings.model, store, agent.lock_store, agent.nlg, agent.action_endpoint
        )
        store.domain = agent.domain = agent.processor.domain
    except Exception as error:  # whatever a damaged archive makes Rasa raise
        raise TurnFailed(
            f"the model {settings.model} cannot be loaded ({type(error).__name__}: {error}); "
            "make it anew: `handrail train --force`"
        ) from error
    return Brain(agent, house, engine)


def _take_over(text: str, encoded: str) -> None:
    try:
        take_over(text, encoded)
    except ValueError as error:
        raise TurnFailed(str(error)) from None


def _knows_phone(tracker: DialogueStateTracker | None) -> bool:
    """Whether the channel's number has been noted, even if it was taken back."""
    return tracker is not None and any(
        isinstance(event, SlotSet) and event.key == names.KNOWN_PHONE and event.value
        for event in tracker.events
    )


def state_of(tracker: DialogueStateTracker) -> TurnState:
    """Where the conversation stands."""
    open_question = tracker.get_slot("requested_slot") if tracker.active_loop_name else None
    pending = tracker.get_slot(names.PENDING)
    return TurnState(
        tier=tracker.get_slot(names.TIER) or TIER_NONE,
        level=tracker.get_slot(names.LEVEL),
        handoff=tracker.get_slot(names.HANDOFF) or HANDOFF_NONE,
        open_question=pending if pending in _QUESTIONS else open_question,
        language=tracker.get_slot(names.LANGUAGE) or "en",
        reference=tracker.get_slot(names.REFERENCE),
    )


_QUESTIONS = (names.PENDING_CONSENT, names.PENDING_CONCERN)


class _Output(OutputChannel):
    """Collects what is said in one turn."""

    def __init__(self, channel: str):
        self._channel = channel
        self.messages: list[BotMessage] = []

    def name(self) -> str:  # type: ignore[override]
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        buttons = message.get("buttons") or []
        self.messages.append(
            BotMessage(
                text=message.get("text") or "",
                response=message.get("reviewed") or message.get("utter_action") or "unnamed",
                buttons=[Button(b["title"], b["intent"], b["entities"]) for b in buttons],
            )
        )


def _plain(text: str) -> str:
    """The text as Rasa may see it: a leading slash would be a command to Rasa."""
    return text[:BRAIN_CHARACTERS].strip().lstrip("/").strip()


def _meaning(button: Button, text: str) -> dict[str, Any]:
    return {
        "text": text,
        "intent": {"name": button.intent, "confidence": 1.0},
        "intent_ranking": [{"name": button.intent, "confidence": 1.0}],
        "entities": [
            {"entity": name, "value": value, "start": 0, "end": len(text)}
            for name, value in button.entities.items()
        ],
    }
