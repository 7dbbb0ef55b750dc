"""Every turn twice: by the brain, and by Rasa as it comes, whose tracker keeps everything.

pytest tests/dialogue --beside-rasa     # every conversation of the dialogue tests
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from rasa.core.agent import Agent
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import ActionExecuted, UserUttered, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain import faster_rasa
from bot.brain import house as houses
from bot.brain.action_endpoint import InProcessActions, failures
from bot.brain.brain import Brain, TurnFailed
from bot.brain.house import open_house
from bot.brain.tracker_store import HandrailTrackerStore
from bot.brain.turn_processor import TurnProcessor
from bot.settings import Settings
from bot.store import migrate, open_store
from bot.turns import TurnReply, TurnRequest


class BesideRasa:
    """A brain that is compared with Rasa at every turn.

    Args:
        brain: the one that is tested; its answers are given.
        settings: of a database of its own for Rasa.
    """

    def __init__(self, brain: Brain, settings: Settings):
        self._brain, self._ours = brain, brain.turn
        self.engine = brain._engine
        engine = open_store(settings)
        migrate(engine)
        faster_rasa.uninstall()
        try:
            self._rasa = _rasa(settings, engine)
        finally:
            faster_rasa.install()
        self.turns = 0

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The brain's answer; raises AssertionError if Rasa's is another."""
        house = houses.current()
        houses.install(dataclasses.replace(house, desk=self._rasa.house.desk))
        faster_rasa.uninstall()
        try:
            theirs = await self._rasa.turn(request)
        except TurnFailed as error:
            theirs, failed = None, str(error)
        finally:
            faster_rasa.install()
            houses.install(house)
        if theirs is None:
            with pytest.raises(TurnFailed):
                await self._ours(request)
            raise TurnFailed(f"by both: {failed}")
        ours = await self._ours(request)
        assert _told(ours) == _told(theirs)
        after = self._brain._store._at_hand.get(request.conversation)
        if after is not None:  # not when the visitor's data are to be deleted
            full = await self._rasa._store.retrieve(request.conversation)
            assert _stands(after, ours) == _stands(full, theirs)
        self.turns += 1
        return ours

    def __getattr__(self, name: str) -> Any:
        return getattr(self._brain, name)


class _Processor(TurnProcessor):
    """Rasa's own steps and graph runner."""

    _load_model = staticmethod(MessageProcessor._load_model)

    async def take_turn(self, message, tracker):
        await self.handle_message(message)
        return await self.tracker_store.retrieve(message.sender_id)


class _Store(HandrailTrackerStore):
    """All events of all conversations, in memory."""

    def __init__(self, engine):
        super().__init__(engine)
        self._kept: dict[str, str] = {}

    async def save(self, tracker):
        if not failures.get([]):
            self._kept[tracker.sender_id] = json.dumps([e.as_dict() for e in tracker.events])

    async def retrieve(self, sender_id):
        if sender_id not in self._kept:
            return None
        events = deserialise_events(json.loads(self._kept[sender_id]))
        return DialogueStateTracker.from_events(sender_id, events, self.domain.slots)

    async def resume(self, conversation, newest):
        return await self.retrieve(conversation)

    def row_of(self, tracker):
        return None


def _rasa(settings: Settings, engine: Any) -> Brain:
    store = _Store(engine)
    agent = Agent(tracker_store=store, action_endpoint=InProcessActions())
    agent.tracker_store = store
    agent.processor = _Processor(
        settings.model, store, agent.lock_store, agent.nlg, agent.action_endpoint
    )
    store.domain = agent.processor.domain
    return Brain(agent, open_house(settings, engine), engine)


def _told(reply: TurnReply) -> Any:
    """What was answered, but for the reference code, which is drawn by lot."""
    text = json.dumps(dataclasses.asdict(dataclasses.replace(reply, row=None)))
    return text.replace(reply.state.reference, "CODE") if reply.state.reference else text


def _stands(tracker: DialogueStateTracker, reply: TurnReply) -> dict[str, Any]:
    """Slots, form and the actions of the latest turn."""
    actions: list[str] = []
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            break
        if isinstance(event, ActionExecuted):
            actions.append(event.action_name)
    slots = tracker.current_slot_values()
    del slots["session_started_metadata"]
    if slots["reference"] is not None:
        assert slots["reference"] == reply.state.reference
        slots["reference"] = "CODE"
    loop = tracker.active_loop
    return {
        "actions": actions[::-1],
        "slots": slots,
        "form": tracker.active_loop_name,
        "rejected": loop is not None and loop.rejected,
        "interrupted": loop is not None and loop.is_interrupted,
        "latest": tracker.latest_action_name,
        "paused": tracker.is_paused(),
    }
