"""Where the channel knows the number (SMS), the form asks whether it is the right one."""

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.callback import ValidateCallbackForm

KNOWN = "+16175550142"


@pytest.fixture
def says(assistant):
    """What the form says and keeps after a message while the phone is the open question."""

    def take(text, intent, requested="phone"):
        user = {
            "event": "user",
            "text": text,
            "parse_data": {"intent": {"name": intent, "confidence": 0.9}},
            "metadata": {
                "clinic": "greater_boston",
                "channel": "sms",
                "now": "2026-11-23T10:00:00-05:00",
                "language": "en",
            },
        }
        slots = {"name": "Ana", "known_phone": KNOWN, "requested_slot": requested}
        loop = {"name": "callback_form"}
        tracker = Tracker("c", slots, {}, [user], False, None, loop, "action_listen")
        dispatcher = CollectingDispatcher()
        events = ValidateCallbackForm().run(dispatcher, tracker, {})
        kept = {event["name"]: event["value"] for event in events}
        return [message["reviewed"] for message in dispatcher.messages], kept

    return take


def test_the_known_number_is_only_confirmed(says):
    said, kept = says("Ana", "nlu_fallback", requested="name")
    assert (said, kept["requested_slot"]) == (["callback_known_phone"], "phone")
    said, kept = says("yes", "affirm")
    assert (said, kept["phone"]) == (["callback_state"], KNOWN)


def test_no_asks_for_the_right_number(says):
    said, kept = says("no", "deny")
    assert (said, kept["known_phone"]) == (["callback_phone"], None)
    assert kept["requested_slot"] == "phone"


def test_another_number_may_be_written_at_once(says):
    _, kept = says("no, use 617-555-0143", "deny")
    assert kept["phone"] == "+16175550143"
