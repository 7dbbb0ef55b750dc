"""What is replaced in Rasa gives the same results as Rasa."""

import jsonschema
import pytest
import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core import events

from bot.brain import faster_rasa


def test_it_is_made_for_the_rasa_that_is_installed():
    assert rasa.__version__ == faster_rasa.FOR_VERSION
    assert faster_rasa.install()


@pytest.mark.parametrize(
    ("answer", "valid"),
    [
        ({"events": [], "responses": []}, True),
        ({"events": [{"event": "slot", "name": "a", "value": 1}], "responses": [{}]}, True),
        ({"events": "no list", "responses": []}, False),
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
