"""The live tracker: short however long the conversation, and never older than the database."""

from __future__ import annotations

import uuid

import pytest
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.live_tracker import KEPT_TURNS, MOST_TURNS, shortened
from bot.brain.tracker_store import HandrailTrackerStore
from bot.store import Conflict, TrackerEvents, reading


@pytest.fixture
def stores(assistant):
    """Of two brains on one database."""
    domain = assistant.brain._store.domain
    return [HandrailTrackerStore(assistant.engine, domain) for _ in range(2)]


def turn(tracker: DialogueStateTracker, text: str) -> None:
    for event in (
        UserUttered(text),
        ActionExecuted("action_say"),
        BotUttered("hello", metadata={"reviewed": f"answer to {text}"}),
        ActionExecuted("action_listen"),
    ):
        tracker.update(event)


def texts(tracker: DialogueStateTracker | None) -> list[str]:
    assert tracker is not None
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]


def test_what_another_brain_has_written_counts(stores, loop):
    one, other = stores
    name = uuid.uuid4().hex

    async def talk() -> list[str]:
        tracker = one.init_tracker(name)
        turn(tracker, "first")
        await one.save(tracker)
        elsewhere = await other.retrieve(name)
        turn(elsewhere, "second")
        await other.save(elsewhere)
        return texts(await one.retrieve(name))

    assert loop.run_until_complete(talk()) == ["first", "second"]


def test_of_two_brains_at_once_the_later_one_writes_nothing(stores, loop):
    one, other = stores
    name = uuid.uuid4().hex

    async def talk() -> None:
        trackers = [one.init_tracker(name), other.init_tracker(name)]
        for store, tracker in zip(stores, trackers, strict=True):
            turn(tracker, "hello")
            await store.save(tracker)

    with pytest.raises(Conflict):
        loop.run_until_complete(talk())


def test_a_tracker_that_was_not_saved_is_read_anew(stores, loop):
    store, name = stores[0], uuid.uuid4().hex

    async def talk() -> list[str]:
        tracker = store.init_tracker(name)
        turn(tracker, "kept")
        await store.save(tracker)
        turn(await store.retrieve(name), "given up")
        return texts(await store.retrieve(name))

    assert loop.run_until_complete(talk()) == ["kept"]


def test_a_deleted_conversation_begins_anew(stores, loop):
    store, name = stores[0], uuid.uuid4().hex

    async def talk() -> DialogueStateTracker | None:
        tracker = store.init_tracker(name)
        turn(tracker, "hello")
        await store.save(tracker)
        await stores[1].delete(name)
        return await store.retrieve(name)

    assert loop.run_until_complete(talk()) is None


def test_a_hundred_turns_take_no_more_rows_than_ten(stores, assistant, loop):
    store, name = stores[0], uuid.uuid4().hex

    async def talk() -> int:
        most = 0
        for number in range(100):
            tracker = await store.retrieve(name) or store.init_tracker(name)
            turn(tracker, f"message {number}")
            await store.save(tracker)
            most = max(most, len(tracker.events))
        return most

    assert loop.run_until_complete(talk()) < 100
    with reading(assistant.engine) as db:
        assert len(TrackerEvents(db).read(name)) <= MOST_TURNS


def test_a_short_tracker_is_in_the_same_state_and_knows_what_was_said(stores):
    tracker = stores[0].init_tracker("a")
    for number in range(MOST_TURNS + 1):
        turn(tracker, f"I live in Massachusetts {number}")
    short = shortened(tracker, stores[0].domain.slots)
    assert texts(short) == texts(tracker)[-KEPT_TURNS:]
    assert short.current_slot_values() == tracker.current_slot_values()
    assert short.latest_action_name == tracker.latest_action_name
    begin = next(event for event in short.events if event.type_name == "session_started")
    assert begin.metadata["told"] == texts(tracker)[:-KEPT_TURNS]
    assert len(begin.metadata["said"]) == MOST_TURNS + 1 - KEPT_TURNS
