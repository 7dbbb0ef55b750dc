"""Whatever a message is understood as, wherever the conversation stands, it gets one answer.

Where no rule fits, Rasa would choose the fallback again and again, and then say nothing for
the rest of the conversation.
"""

from __future__ import annotations

import uuid
from collections import Counter

import pytest
import yaml

from bot.brain.brain import TurnFailed
from bot.settings import ROOT
from bot.store import TrackerEvents, reading, writing
from bot.turns import Button, TurnRequest
from bot.vocabulary import SAFETY_INTENTS
from tests.brain.kept import Kept
from tests.dialogue.visitor import MONDAY_MORNING
from tests.events import append

NUMBER = ["please call me back", "Dana", "617-400-0001"]
STANDS = {
    "nothing open": ["hello"],
    "whom it is for": ["find a program"],
    "a number": NUMBER[:2],
    "the callback's state": NUMBER,
    "the callback's recap": [*NUMBER, "Massachusetts", "mornings", "call only", "no"],
    "the direct question": ["I can't go on like this"],
    "a crisis": ["I want to kill myself"],
}
MOST_MESSAGES = 5
INTENTS = [
    name
    for name in yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["intents"]
    if name not in SAFETY_INTENTS  # those only the screen gives, with what it read
]


@pytest.fixture
def says(assistant, loop):
    def turn(conversation, text, intent=None):
        request = TurnRequest(
            conversation=conversation,
            message_id=uuid.uuid4().hex,
            clinic="greater_boston",
            channel="web",
            text=text,
            now=MONDAY_MORNING,
            pressed=Button(text, intent) if intent else None,
        )
        return loop.run_until_complete(Kept(assistant.brain, assistant.engine).turn(request))

    return turn


@pytest.mark.parametrize("stands", STANDS)
def test_every_intent_is_answered_once_and_the_conversation_goes_on(stands, assistant, says):
    begun = f"greater_boston.{uuid.uuid4().hex}"
    for text in STANDS[stands]:
        says(begun, text)
    with reading(assistant.engine) as connection:
        events = TrackerEvents(connection).read(begun)
    wrong = {}
    for intent in INTENTS:
        conversation = f"greater_boston.{uuid.uuid4().hex}"
        with writing(assistant.engine) as connection:
            append(connection, conversation, 1, events)
        try:
            said = [message.response for message in says(conversation, "hm", intent).messages]
        except TurnFailed as failed:
            wrong[intent] = str(failed)
            continue
        if len(said) > MOST_MESSAGES or max(Counter(said).values()) > 1:
            wrong[intent] = said
    assert wrong == {}
