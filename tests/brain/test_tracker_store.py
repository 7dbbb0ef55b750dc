"""The live tracker: short however long the conversation, and never older than the database."""

from __future__ import annotations

import uuid

import pytest
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.brain.live_tracker import KEPT_TURNS, MOST_TURNS, shortened
from bot.brain.tracker_store import HandrailTrackerStore
from bot.store import Conflict, TrackerEvents, reading, writing
from bot.turns import mark_of


@pytest.fixture
def stores(assistant):
    """Of two brains on one database."""
    domain = assistant.brain._store.domain
    return [HandrailTrackerStore(assistant.engine, domain) for _ in range(2)]


@pytest.fixture
def newest(assistant):
    def mark(name: str) -> str | None:
        with reading(assistant.engine) as db:
            row = TrackerEvents(db).newest(name)
        return mark_of(row[1]) if row else None

    return mark


@pytest.fixture
def keep(assistant):
    def write(store: HandrailTrackerStore, tracker: DialogueStateTracker) -> None:
        with writing(assistant.engine) as db:
            TrackerEvents(db).keep(tracker.sender_id, store.row_of(tracker))

    return write


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


def test_what_another_brain_has_written_counts(stores, loop, keep, newest):
    one, other = stores
    tracker = one.init_tracker(uuid.uuid4().hex)
    name = tracker.sender_id
    turn(tracker, "first")
    keep(one, tracker)
    elsewhere = loop.run_until_complete(other.resume(name, newest(name)))
    turn(elsewhere, "second")
    keep(other, elsewhere)
    assert texts(loop.run_until_complete(one.resume(name, newest(name)))) == ["first", "second"]


def test_of_two_brains_at_once_the_later_one_writes_nothing(stores, keep):
    name = uuid.uuid4().hex
    trackers = [store.init_tracker(name) for store in stores]
    for tracker in trackers:
        turn(tracker, "hello")
    keep(stores[0], trackers[0])
    with pytest.raises(Conflict):
        keep(stores[1], trackers[1])


def test_a_tracker_whose_row_was_not_written_is_read_anew(stores, loop, keep, newest):
    store, tracker = stores[0], stores[0].init_tracker(uuid.uuid4().hex)
    name = tracker.sender_id
    turn(tracker, "kept")
    keep(store, tracker)
    given_up = loop.run_until_complete(store.resume(name, newest(name)))
    turn(given_up, "given up")
    store.row_of(given_up)
    assert texts(loop.run_until_complete(store.resume(name, newest(name)))) == ["kept"]


def test_a_first_turn_that_was_not_written_is_forgotten(stores, loop):
    store, tracker = stores[0], stores[0].init_tracker(uuid.uuid4().hex)
    turn(tracker, "given up")
    store.row_of(tracker)
    assert loop.run_until_complete(store.resume(tracker.sender_id, None)) is None


def test_a_deleted_conversation_begins_anew(stores, loop, keep, newest):
    store, tracker = stores[0], stores[0].init_tracker(uuid.uuid4().hex)
    name = tracker.sender_id
    turn(tracker, "hello")
    keep(store, tracker)
    loop.run_until_complete(stores[1].delete(name))
    assert loop.run_until_complete(store.resume(name, newest(name))) is None


def test_a_hundred_turns_take_no_more_rows_than_ten(stores, assistant, loop, keep, newest):
    store, name = stores[0], uuid.uuid4().hex
    most = 0
    for number in range(100):
        resumed = loop.run_until_complete(store.resume(name, newest(name)))
        tracker = resumed or store.init_tracker(name)
        turn(tracker, f"message {number}")
        keep(store, tracker)
        most = max(most, len(tracker.events))
    assert most < 100
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
