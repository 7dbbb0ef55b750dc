"""What is replaced in Rasa gives the same results as Rasa."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import jsonschema
import pytest
import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core import events
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from bot.brain import faster_rasa
from bot.turns import TurnRequest
from tests.brain.kept import Kept
from tests.dialogue.visitor import MONDAY_MORNING


def test_it_is_made_for_the_rasa_that_is_installed():
    assert rasa.__version__ == faster_rasa.FOR_VERSION
    assert faster_rasa.install()


@pytest.mark.parametrize(
    ("answer", "valid"),
    [
        ({"events": [], "responses": []}, True),
        ({"events": [{"event": "slot", "name": "a", "value": 1}], "responses": [{}]}, True),
        ({"events": "no list", "responses": []}, False),
        (
            {
                "events": [{"event": "slot", "timestamp": None, "name": "a", "value": 1}],
                "responses": [{"text": "hi"}],
            },
            True,
        ),
        (
            {
                "events": [{"event": "slot", "timestamp": None, "name": 1, "value": 1}],
                "responses": [],
            },
            False,
        ),
        ({"events": [], "responses": ["no object"]}, False),
    ],
)
def test_an_actions_answer_is_judged_as_before(answer, valid):
    faster_rasa.install()
    schema = RemoteAction.action_response_format_spec()

    def accepted(check):
        try:
            check()
        except jsonschema.ValidationError:
            return False
        return True

    assert accepted(lambda: jsonschema.validate(answer, schema)) is valid
    action = RemoteAction("some_action", None)
    assert accepted(lambda: action._validate_action_result(answer)) is valid


def test_every_event_type_is_found_and_an_unknown_one_refused():
    faster_rasa.install()
    for name in (
        "user",
        "bot",
        "slot",
        "action",
        "active_loop",
        "loop_interrupted",
        "session_started",
    ):
        for _ in range(2):
            assert events.Event.resolve_by_type(name).type_name == name
    with pytest.raises(ValueError, match="Unknown event"):
        events.Event.resolve_by_type("no_such_event")


@pytest.fixture
def tracker(assistant, loop):
    """Of a conversation in the middle of a form, after a side question."""
    conversation, brain = uuid.uuid4().hex, Kept(assistant.brain, assistant.engine)
    for number, text in enumerate(("hello", "find a program", "me", "what is an iop?", "no")):
        request = TurnRequest(
            conversation, str(number), "greater_boston", "web", text, MONDAY_MORNING
        )
        loop.run_until_complete(brain.turn(request))
    return loop.run_until_complete(assistant.brain._store.retrieve(conversation))


@pytest.fixture
def as_it_was():
    """Rasa's own functions, while a test asks for them."""

    @contextmanager
    def uninstalled():
        faster_rasa.uninstall()
        try:
            yield
        finally:
            faster_rasa.install()

    return uninstalled


def state_of(tracker: DialogueStateTracker) -> dict:
    return {**tracker.current_state(EventVerbosity.ALL), "loop": vars(tracker.active_loop)}


def test_a_copy_is_in_the_same_state_and_leads_its_own_life(tracker, as_it_was):
    before = state_of(tracker)
    with as_it_was():
        replayed = state_of(tracker.copy())
    copy = tracker.copy()
    assert state_of(copy) == replayed == before
    copy.update(events.SlotSet("misses", 7))
    copy.update(events.ActiveLoop(None))
    copy.active_loop = None
    assert state_of(tracker) == before


def test_policies_see_the_same_states(assistant, tracker, as_it_was):
    domain = assistant.brain._processor.domain
    ours = domain.states_for_tracker_history(tracker)
    with as_it_was():
        assert domain.states_for_tracker_history(tracker) == ours
    assert len(ours) > 5


def test_the_same_rules_are_possible_after_every_action(assistant, tracker, as_it_was):
    policy = assistant.brain._processor.graph_runner._nodes["run_RulePolicy1"]._component
    states = assistant.brain._processor.domain.states_for_tracker_history(tracker)
    for kind in ("rules", "rules_for_loop_unhappy_path"):
        lookup = policy.lookup[kind]
        for end in range(len(states) + 1):
            ours = policy._get_possible_keys(lookup, states[:end])
            with as_it_was():
                assert policy._get_possible_keys(lookup, states[:end]) == ours
