"""The brain itself: turns, order, languages, and what happens when something is missing."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid

import numpy as np
import pytest

from bot.brain import house as houses
from bot.brain.brain import TurnFailed, load_brain
from bot.brain.tracker_store import HandrailTrackerStore
from bot.nlu.sentence_encoder import hand_over, read
from bot.safety.reading import Evidence, Reading
from bot.store import StoreError, TrackerEvents, open_engine, reading, vault_of, writing
from bot.store.tables import tracker_event
from bot.turns import Button, TurnRequest
from tests.brain.kept import Kept
from tests.dialogue.visitor import MONDAY_MORNING
from tests.events import append
from tests.keys import VAULT


@pytest.fixture
def request_of():
    conversation = uuid.uuid4().hex

    def make(text, **others):
        return TurnRequest(
            conversation=conversation,
            message_id=uuid.uuid4().hex,
            clinic="greater_boston",
            channel="web",
            text=text,
            now=MONDAY_MORNING,
            **others,
        )

    return make


@pytest.fixture
def brain(assistant):
    return Kept(assistant.brain, assistant.engine)


def run(loop, *turns):
    async def all_of_them():
        return await asyncio.gather(*turns)

    return loop.run_until_complete(all_of_them())


def test_messages_at_once_are_answered_in_order(assistant, loop):
    turns = assistant.turns

    async def talk():
        conversation = (await turns.open("greater_boston", now=MONDAY_MORNING)).conversation
        texts = ("find a program", "me", "no")
        return await asyncio.gather(
            *(turns.take(conversation, now=MONDAY_MORNING, text=text) for text in texts)
        )

    answers = loop.run_until_complete(talk())
    assert [a.state.open_question for a in answers] == ["for_whom", "safety_now", "state"]


def test_a_turn_that_is_not_written_down_leaves_no_trace(brain, loop, request_of):
    run(loop, brain.turn(request_of("find a program")))
    run(loop, brain.ask(request_of("me")))
    [reply] = run(loop, brain.turn(request_of("me")))
    assert reply.state.open_question == "safety_now"


def test_a_language_chosen_outside_the_chat_is_spoken_at_once(brain, loop, request_of):
    run(loop, brain.turn(request_of("hi there")))
    [reply] = run(loop, brain.turn(request_of("thanks", language="es")))
    assert reply.state.language == "es"
    [reply] = run(loop, brain.turn(request_of("ok")))
    assert reply.state.language == "es"


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("¿Qué es IOP?", Button("¿Qué es IOP?", "faq_what_is_iop")),
        ("¿Aceptan Medicaid?", None),
        ("IOP", None),
    ],
)
def test_who_was_greeted_in_spanish_is_answered_in_spanish(brain, loop, request_of, text, pressed):
    [reply] = run(loop, brain.turn(request_of(text, pressed=pressed, greeted="es")))
    assert reply.state.language == "es"


@pytest.mark.parametrize(
    ("greeted", "text", "language"),
    [("en", "necesito ayuda", "es"), ("es", "do you take my insurance", "en")],
)
def test_the_first_message_may_be_in_another_language_than_the_greeting(
    brain, loop, request_of, greeted, text, language
):
    [reply] = run(loop, brain.turn(request_of(text, greeted=greeted)))
    assert reply.state.language == language


def test_a_pressed_button_means_what_it_says_whatever_its_label(brain, loop, request_of):
    pressed = Button("☺", "faq_privacy")
    [reply] = run(loop, brain.turn(request_of("☺", pressed=pressed)))
    assert reply.messages[0].response == "faq_privacy"


def test_a_failing_action_fails_the_turn_loudly(brain, assistant, loop, request_of, monkeypatch):
    class BrokenDesk:
        def record(self, *_):
            raise StoreError("disk full")

    house = dataclasses.replace(assistant.brain.house, desk=BrokenDesk())
    monkeypatch.setattr(houses, "_installed", house)
    with pytest.raises(TurnFailed, match="action_handoff"):
        run(loop, brain.turn(request_of("I want to talk to a person")))


def test_it_is_ready_only_if_a_turn_works_and_forgets_that_turn(assistant, loop):
    run(loop, assistant.brain.ready())
    with reading(assistant.engine) as connection:
        kept = TrackerEvents(connection).conversations()
    assert not [conversation for conversation in kept if conversation.startswith("readiness")]


def test_conversations_are_kept_in_our_database_and_nowhere_else(assistant):
    assert isinstance(assistant.brain._store, HandrailTrackerStore)


def test_without_a_model_it_refuses_and_names_the_fix(assistant, loop, settings, tmp_path):
    missing = dataclasses.replace(settings, model=tmp_path / "none.tar.gz")
    with pytest.raises(TurnFailed, match="make train"):
        run(loop, load_brain(missing, assistant.engine, assistant.brain.house))


def test_a_corrupt_model_stops_the_start(assistant, loop, settings, tmp_path):
    corrupt = tmp_path / "handrail.tar.gz"
    corrupt.write_bytes(settings.model.read_bytes()[:1000])
    with pytest.raises(TurnFailed, match="cannot be loaded"):
        run(
            loop,
            load_brain(
                dataclasses.replace(settings, model=corrupt),
                assistant.engine,
                assistant.brain.house,
            ),
        )


def test_a_database_without_tables_stops_the_start(assistant, loop, settings, tmp_path):
    empty = open_engine(f"sqlite:///{tmp_path}/empty.db", VAULT)
    with pytest.raises(StoreError):
        run(loop, load_brain(settings, empty, assistant.brain.house))


def test_what_another_brain_wrote_meanwhile_is_read_before_the_answer(
    brain, assistant, loop, request_of
):
    run(loop, brain.turn(request_of("find a program")))
    asked = request_of("me")
    [mine] = run(loop, brain.ask(asked))
    with writing(assistant.engine) as db:  # the same, but by somebody else
        row = {"conversation": asked.conversation, "seq": mine.row.seq, "event": mine.row.events}
        said = vault_of(db).open(tracker_event, row)["event"]
        append(db, asked.conversation, mine.row.seq, [said])
    [after] = run(loop, brain.turn(request_of("no")))
    assert after.state.open_question == "state"
    assert after.row.seq == mine.row.seq + 1


def test_without_a_look_at_the_database_it_goes_on_where_its_own_row_was_written(
    brain, loop, request_of, monkeypatch
):
    run(loop, brain.turn(request_of("find a program")))
    monkeypatch.setattr(HandrailTrackerStore, "_read", None)
    [reply] = run(loop, brain.turn(request_of("me")))
    assert reply.state.open_question == "safety_now"


DANGER = Reading("crisis_self", ("suicide_active",), (Evidence(0, 5, "a.rule"),))


def test_what_the_gateway_has_read_is_not_read_again(brain, loop, request_of):
    [reply] = run(loop, brain.turn(request_of("hello", reading=DANGER)))
    assert reply.state.tier == "crisis_self"
    assert reply.messages[0].response.startswith("crisis_self")


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("I want to kill myself", None),
        ("I want to kill myself", Reading("concern", failed=True)),
        ("/I want to kill myself", Reading()),  # the brain sees another text than was read
        (" I want to kill myself", Reading()),
    ],
)
def test_without_a_reading_of_this_very_text_the_brain_reads_itself(
    brain, loop, request_of, text, reading
):
    [reply] = run(loop, brain.turn(request_of(text, reading=reading)))
    assert reply.state.tier == "crisis_self"


def test_a_reading_counts_for_its_own_message_alone(brain, loop, request_of):
    run(loop, brain.turn(request_of("hello", reading=Reading())))
    [reply] = run(loop, brain.turn(request_of("I want to kill myself")))
    assert reply.state.tier == "crisis_self"


def test_what_the_gateway_had_encoded_is_not_read_again(brain, loop, request_of):
    [cost] = read(["what does it cost"])
    text = "qwx zzkj vvrt"
    take = dict(reading=Reading(), encoded=hand_over("what does it cost"))
    run(loop, brain.turn(request_of(text, **take)))
    assert np.array_equal(read([text])[0], cost)


def test_an_encoding_of_another_text_than_the_pipeline_sees_does_not_count(brain, loop, request_of):
    read(["what does it cost"])
    take = dict(reading=Reading(), encoded=hand_over("what does it cost"))
    run(loop, brain.turn(request_of("/qwx zzkj vvrw", **take)))
    assert not np.allclose(read(["qwx zzkj vvrw"]), read(["what does it cost"]))


def test_a_garbled_encoding_fails_the_turn(brain, loop, request_of):
    with pytest.raises(TurnFailed, match="not of this sentence encoder"):
        run(loop, brain.turn(request_of("qwx zzkj", encoded="AAAA")))
