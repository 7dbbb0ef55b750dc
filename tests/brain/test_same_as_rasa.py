"""Whole conversations have the same answers, slots and actions as with Rasa as it comes.

Longer than the live tracker: what it no longer keeps must make no difference. All dialogue
tests can be run in this way, see `beside_rasa`.
"""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from bot.brain.live_tracker import MOST_TURNS
from bot.turns import Button, TurnRequest
from tests.brain.beside_rasa import BesideRasa
from tests.brain.kept import Kept
from tests.dialogue.visitor import MONDAY_MORNING

CONVERSATIONS = {
    "a triage and a callback, with questions and corrections": (
        "hola",
        "my daughter drinks, she is 34 and lives in Massachusetts",
        "can we talk in english",
        "do you take blue cross?",
        "what is an iop",
        "I want to find out which program fits",
        "it is for my daughter",
        "no",
        "why do you ask that?",
        "none",
        "no",
        "how long does the program last?",
        "she has never had any care",
        "it is quite bad",
        "actually she lives in New York",
        "no, in Massachusetts",
        "she manages",
        "what did you say?",
        "not sure",
        "no",
        "she drinks every day, it is the main problem",
        "no",
        "I do what I can at home",
        "no",
        "evenings",
        "yes that is right",
        "please call me back",
        "Maria",
        "617 555 0123",
        "is it confidential?",
        "it is mine",
        "tomorrow morning",
        "yes",
        "thank you",
    ),
    "danger in the middle of a form, and a start over": (
        "hello",
        "do you have parking?",
        "I live in Massachusetts and I am 40",
        "what is php",
        "how much is it",
        "blargh",
        "are you open now",
        "thanks",
        "find a program",
        "me",
        "I want to kill myself",
        "I can't call",
        "my phone is dead",
        "go on",
        "no, not now",
        "start over",
        "what can you do?",
        "find a program",
        "yes",
        "I am in the hospital now",
        "I used to hurt myself",
        "delete my data",
        "no",
        "stop",
    ),
}


@pytest.fixture(scope="module")
def beside(assistant, settings, loop, tmp_path_factory) -> BesideRasa:
    folder = tmp_path_factory.mktemp("rasa")
    url = f"sqlite:///{folder}/rasa.db"
    return BesideRasa(assistant.brain, dataclasses.replace(settings, data=folder, database=url))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_goes_as_with_rasa(beside: BesideRasa, loop, name):
    texts = CONVERSATIONS[name]
    assert len(texts) > 3 * MOST_TURNS
    loop.run_until_complete(_talk(beside, [(text, None) for text in texts]))


def test_a_number_that_was_taken_back_is_not_taken_up_again(beside: BesideRasa, loop):
    said = ["please call me back", "Maria", "not this number", "start over"]
    said += ["thanks", "what is iop", "hi", "ok"] * 2
    said += ["please call me back", "Maria"]
    turns = [(text, None) for text in said]
    loop.run_until_complete(_talk(beside, turns, known_phone="+16175550123"))


async def _talk(
    beside: BesideRasa, said: list[tuple[str, Button | None]], known_phone: str | None = None
) -> None:
    conversation, brain = uuid.uuid4().hex, Kept(beside, beside.engine)
    for number, (text, pressed) in enumerate(said):
        await brain.turn(
            TurnRequest(
                conversation=conversation,
                message_id=str(number),
                clinic="greater_boston",
                channel="sms" if known_phone else "web",
                text=text,
                pressed=pressed,
                now=MONDAY_MORNING,
                known_phone=known_phone,
            )
        )
