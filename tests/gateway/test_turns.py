"""The path of a message, without HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import sqlite3

import pytest
import structlog

from bot.gateway.brain import BrainError
from bot.gateway.guarantee import CRISIS_TIERS
from bot.gateway.refused import Refused
from bot.logs import configure_logs
from bot.safety.replies import is_crisis_response
from bot.store import Alerts, Conversations, Messages, reading, writing
from bot.store.casework import Casework
from bot.store.staff import Staff
from bot.turns import BotMessage, Button, TurnReply, TurnState
from tests.gateway.conftest import CLINIC, CLOSED, OPEN, SHORT, WITHOUT_PHONE, dead, says

YES, NO = Button("Yes", "affirm"), Button("No", "deny", {"item": "consent", "value": "no"})
OF_TIER = {"crisis_other": "friend-in-danger", "crisis_self": "danger", "emergency": "overdose"}


@pytest.fixture
async def conversation(turns) -> str:
    return (await turns.open(CLINIC, now=OPEN)).conversation


def texts(answer) -> str:
    return "\n".join(message.text for message in answer.messages)


def alerts(engine, conversation):
    with reading(engine) as db:
        return [(alert.tier, alert.categories) for alert in Alerts(db).of(conversation)]


def transcript(engine, conversation):
    with reading(engine) as db:
        return [(m.direction, m.text) for m in Messages(db).after(conversation)]


def stored(engine, conversation):
    with reading(engine) as db:
        found = Conversations(db).find(conversation)
    assert found is not None
    return found


# --- an ordinary turn -------------------------------------------------------------------


async def test_a_conversation_begins_with_a_greeting_that_says_what_it_is(turns, engine):
    opened = await turns.open(CLINIC, now=OPEN)
    [greeting] = opened.answer.messages
    assert greeting.response == "greet"
    assert "not a person" in greeting.text
    assert "911" in greeting.text
    assert len(greeting.buttons) >= 2
    assert transcript(engine, opened.conversation) == [("out", greeting.text)]


async def test_a_spanish_visitor_is_greeted_in_spanish(turns):
    opened = await turns.open(CLINIC, now=OPEN, language="es")
    assert "no una persona" in texts(opened.answer)


async def test_a_conversation_with_an_unknown_clinic_is_refused(turns):
    with pytest.raises(Refused, match="no clinic 'elsewhere'"):
        await turns.open("elsewhere", now=OPEN)


async def test_the_brain_is_asked_what_the_visitor_said(turns, brain, conversation):
    await turns.take(conversation, now=OPEN, text="  is it\x00 far? ", message_id="m1")
    [request] = brain.requests
    assert (request.conversation, request.message_id) == (conversation, "m1")
    assert (request.clinic, request.channel) == (CLINIC, "web")
    assert (request.text, request.pressed, request.language) == ("is it far?", None, None)
    assert request.now == OPEN


async def test_the_answer_is_the_brains_and_is_stored_with_the_state(
    turns, brain, engine, conversation
):
    state = TurnState(level="iop", handoff="phone", open_question="consent", reference="K74QX2")
    brain.answer = lambda _: says("Shall I?", YES, NO, state=state)
    answer = await turns.take(conversation, now=OPEN, text="yes please")
    [message] = answer.messages
    assert (message.text, message.response) == ("Shall I?", "echo")
    assert [offered.button for offered in message.buttons] == [YES, NO]
    assert answer.state == state
    assert stored(engine, conversation).state == state
    assert transcript(engine, conversation)[1:] == [("in", "yes please"), ("out", "Shall I?")]


async def test_what_the_screen_had_encoded_goes_along_with_the_very_text(
    turns, brain, conversation
):
    for text in ("hello", "x" * 5000):
        await turns.take(conversation, now=OPEN, text=text)
    assert [each.encoded for each in brain.requests] == ["encoding of hello", None]


@pytest.mark.parametrize("text", ["/restart", '/greet{"tier": "none"}', "😶‍🌫️", "?", "x" * 3999])
async def test_odd_text_is_just_text(turns, brain, conversation, text):
    answer = await turns.take(conversation, now=OPEN, text=text)
    assert brain.requests[0].text == text
    assert answer.messages[0].response == "echo"


@pytest.mark.parametrize("text", ["", "   \n ", "\x00\x07\x1b"])
async def test_a_message_without_anything_readable_is_answered_kindly(
    turns, brain, conversation, text
):
    answer = await turns.take(conversation, now=OPEN, text=text)
    assert answer.messages[0].response == "empty_message"
    assert brain.requests == []


async def test_a_long_message_is_screened_whole_and_answered_on_its_beginning(
    turns, brain, screen, conversation
):
    text = "a long story " * 800
    answer = await turns.take(conversation, now=OPEN, text=text)
    assert screen.read_texts == [text.strip()]
    assert len(brain.requests[0].text) <= 4000
    assert [message.response for message in answer.messages] == ["long_message", "echo"]


async def test_danger_at_the_end_of_a_long_message_is_seen(turns, engine, conversation):
    answer = await turns.take(conversation, now=OPEN, text="a long story " * 800 + "danger")
    assert [is_crisis_response(m.response, "crisis_self") for m in answer.messages] == [True]
    assert alerts(engine, conversation) == [("crisis_self", ("test",))]


# --- the same message twice -------------------------------------------------------------


async def test_a_repeated_message_gets_the_same_answer_and_is_one_message(
    turns, brain, engine, conversation
):
    brain.answer = lambda _: says("Once.", YES)
    first = await turns.take(conversation, now=OPEN, text="hello", message_id="m1")
    brain.answer = dead
    again = await turns.take(conversation, now=CLOSED, text="hello", message_id="m1")
    assert again.messages == first.messages
    assert len(brain.requests) == 1
    assert len(transcript(engine, conversation)) == 3


async def test_a_message_repeated_at_once_gets_one_answer(turns, brain, conversation):
    brain.seconds = 0.02
    first, again = await asyncio.gather(
        *(turns.take(conversation, now=OPEN, text="hi", message_id="m1") for _ in range(2))
    )
    assert first.messages == again.messages
    assert len(brain.requests) == 1


async def test_two_messages_at_once_are_answered_in_order(turns, brain, engine, conversation):
    brain.seconds = 0.02
    answers = await asyncio.gather(
        *(turns.take(conversation, now=OPEN, text=f"number {n}") for n in range(4))
    )
    assert [texts(answer) for answer in answers] == [f"You said: number {n}" for n in range(4)]
    assert [text for direction, text in transcript(engine, conversation) if direction == "in"] == [
        f"number {n}" for n in range(4)
    ]


# --- buttons ----------------------------------------------------------------------------


async def test_a_pressed_button_reaches_the_brain_as_what_it_means(turns, brain, conversation):
    brain.answer = lambda _: says("Shall I?", YES, NO)
    offered = (await turns.take(conversation, now=OPEN, text="hello")).messages[0].buttons
    await turns.take(conversation, now=OPEN, button=offered[1].id)
    assert (brain.requests[-1].text, brain.requests[-1].pressed) == ("No", NO)


async def test_an_old_button_still_works(turns, brain, conversation):
    brain.answer = lambda _: says("Shall I?", YES)
    offered = (await turns.take(conversation, now=OPEN, text="hello")).messages[0].buttons
    await turns.take(conversation, now=OPEN, text="wait")
    await turns.take(conversation, now=OPEN, button=offered[0].id)
    assert brain.requests[-1].pressed == YES


async def test_a_button_can_be_pressed_by_its_label(turns, brain, conversation):
    brain.answer = lambda _: says("Shall I?", YES, NO)
    await turns.take(conversation, now=OPEN, text="hello")
    await turns.take(conversation, now=OPEN, button_label="No")
    assert brain.requests[-1].pressed == NO
    with pytest.raises(Refused, match="'Maybe'"):
        await turns.take(conversation, now=OPEN, button_label="Maybe")


async def test_typing_a_label_is_pressing_it(turns, brain, conversation):
    brain.answer = lambda _: says("Shall I?", YES, NO)
    await turns.take(conversation, now=OPEN, text="hello")
    await turns.take(conversation, now=OPEN, text="no.")
    assert brain.requests[-1].pressed == NO


@pytest.mark.parametrize("button", ["unknown", "'; drop table button; --"])
async def test_an_unknown_button_is_refused_with_a_reason(turns, brain, conversation, button):
    with pytest.raises(Refused, match="not known in this conversation") as refused:
        await turns.take(conversation, now=OPEN, button=button)
    assert refused.value.status == 422
    assert brain.requests == []


async def test_the_button_of_another_conversation_is_unknown(turns, brain, conversation):
    brain.answer = lambda _: says("Shall I?", YES)
    offered = (await turns.take(conversation, now=OPEN, text="hello")).messages[0].buttons
    other = (await turns.open(CLINIC, now=OPEN)).conversation
    with pytest.raises(Refused, match="not known in this conversation"):
        await turns.take(other, now=OPEN, button=offered[0].id)


# --- SMS --------------------------------------------------------------------------------


async def test_an_sms_conversation_numbers_choices_and_takes_digits(turns, brain):
    brain.answer = lambda _: says("Shall I?", YES, NO)
    conversation = (await turns.open(CLINIC, "sms", now=OPEN)).conversation
    asked = await turns.take(conversation, now=OPEN, text="hello")
    assert texts(asked) == "Shall I?\n1 Yes\n2 No"
    brain.answer = lambda _: says("Fine.")
    await turns.take(conversation, now=OPEN, text="2")
    assert (brain.requests[-1].text, brain.requests[-1].pressed) == ("No", NO)
    again = await turns.take(conversation, now=OPEN, text="2")
    assert again.responses == ("no_question",)
    assert len(brain.requests) == 2


@pytest.mark.parametrize("interruption", ["", "what?"])
async def test_a_question_stays_open_over_a_reply_of_our_own(turns, brain, interruption):
    brain.answer = lambda _: says("Shall I?", YES, NO)
    conversation = (await turns.open(CLINIC, "sms", now=OPEN)).conversation
    await turns.take(conversation, now=OPEN, text="hello")
    brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, text=interruption)
    assert texts(answer).endswith("1 Yes\n2 No")
    brain.answer = lambda _: says("Fine.")
    await turns.take(conversation, now=OPEN, text="2")
    assert brain.requests[-1].pressed == NO


# --- the guarantee ----------------------------------------------------------------------


@pytest.mark.parametrize("tier", CRISIS_TIERS)
async def test_danger_gets_crisis_help_even_if_the_brain_talks_of_something_else(
    turns, engine, conversation, tier
):
    answer = await turns.take(conversation, now=OPEN, text=OF_TIER[tier])
    assert [is_crisis_response(m.response, tier) for m in answer.messages] == [True]
    assert (answer.state.tier, answer.state.handoff) == (tier, "crisis")
    assert alerts(engine, conversation) == [(tier, ("test",))]


@pytest.mark.parametrize("tier", CRISIS_TIERS)
async def test_the_brains_own_crisis_help_is_kept(turns, brain, words, conversation, tier):
    own = words.crisis(tier, (), clinic=CLINIC, channel="web", language="en", times_before=0)
    brain.answer = lambda _: TurnReply(
        [own, BotMessage("I am still here.", "more")], TurnState(tier=tier, handoff="crisis")
    )
    answer = await turns.take(conversation, now=OPEN, text=OF_TIER[tier])
    assert [m.text for m in answer.messages] == [own.text, "I am still here."]


@pytest.mark.parametrize("tier", CRISIS_TIERS)
@pytest.mark.parametrize("fault", ["dead", "slow", "raises"])
@pytest.mark.parametrize("deadline", [SHORT])
async def test_danger_gets_crisis_help_without_a_brain(turns, brain, conversation, tier, fault):
    if fault == "slow":
        brain.seconds = 60.0
    else:
        brain.answer = dead if fault == "dead" else lambda _: 1 / 0
    answer = await turns.take(conversation, now=OPEN, text=OF_TIER[tier])
    assert [is_crisis_response(m.response, tier) for m in answer.messages] == [True]


async def test_later_crisis_help_is_not_the_same_paragraph_again(turns, brain, conversation):
    brain.answer = dead
    said = [texts(await turns.take(conversation, now=OPEN, text=f"danger {n}")) for n in range(3)]
    assert len(set(said)) == 3


async def test_everybody_else_gets_an_apology_with_the_lines(turns, brain, conversation):
    brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, text="what is IOP?")
    assert [m.response for m in answer.messages] == ["unavailable_open"]
    for number in ("888-278-0716", "911", "988"):
        assert number in texts(answer)


async def test_outside_opening_hours_the_apology_says_when_the_line_opens(
    turns, brain, conversation
):
    brain.answer = dead
    answer = await turns.take(conversation, now=CLOSED, text="what is IOP?")
    assert [m.response for m in answer.messages] == ["unavailable_closed"]
    assert "8:30" in texts(answer)


async def test_a_clinic_without_a_phone_promises_none(turns, brain):
    brain.answer = dead
    conversation = (await turns.open(WITHOUT_PHONE, now=OPEN)).conversation
    answer = await turns.take(conversation, now=OPEN, text="what is IOP?")
    assert [m.response for m in answer.messages] == ["unavailable_no_phone"]
    assert "988" in texts(answer)


async def test_a_spanish_message_without_a_brain_is_answered_in_spanish(turns, brain, conversation):
    brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, text="¿Puedo seguir con mi trabajo?")
    assert "Lo siento" in texts(answer)


async def test_the_chosen_language_is_remembered_until_the_brain_knows_it(
    turns, brain, conversation
):
    answer_well, brain.answer = brain.answer, dead
    answer = await turns.take(conversation, now=OPEN, text="hello", language="es")
    assert "Lo siento" in texts(answer)
    answer = await turns.take(conversation, now=OPEN, text="hello")
    assert "Lo siento" in texts(answer)
    brain.answer = answer_well
    for _ in range(2):
        await turns.take(conversation, now=OPEN, text="hello")
    assert [request.language for request in brain.requests] == ["es", "es", "es", None]


async def test_when_the_brain_is_back_the_conversation_goes_on(turns, brain, conversation):
    answer_well, brain.answer = brain.answer, dead
    await turns.take(conversation, now=OPEN, text="first")
    brain.answer = answer_well
    answer = await turns.take(conversation, now=OPEN, text="second")
    assert texts(answer) == "You said: second"


@pytest.mark.parametrize("deadline", [SHORT])
async def test_a_slow_turn_does_not_hold_up_those_behind_it(turns, brain, conversation):
    brain.seconds = 60.0
    started = asyncio.get_running_loop().time()
    answers = await asyncio.gather(
        *(turns.take(conversation, now=OPEN, text=text) for text in ("a", "b", "danger", "c"))
    )
    assert asyncio.get_running_loop().time() - started < 30.0  # not a minute for each
    assert is_crisis_response(answers[2].messages[0].response, "crisis_self")


async def test_the_risk_seen_without_the_brain_stays_in_the_state(turns, brain, conversation):
    answer_well, brain.answer = brain.answer, dead
    await turns.take(conversation, now=OPEN, text="danger")
    brain.answer = answer_well
    answer = await turns.take(conversation, now=OPEN, text="what is IOP?")
    assert answer.state.tier == "crisis_self"


# --- the direct question, asked and answered without a brain ----------------------------


async def test_a_concern_without_a_brain_gets_the_direct_question(turns, brain, conversation):
    brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, text="uneasy")
    assert answer.state.open_question == "concern"
    assert {offered.button.intent for offered in answer.messages[0].buttons} >= {"affirm", "deny"}


@pytest.mark.parametrize("said", ["Yes", "yes", "Not sure", "I guess I am"])
async def test_yes_and_everything_unclear_is_crisis(turns, brain, engine, conversation, said):
    brain.answer = dead
    await turns.take(conversation, now=OPEN, text="uneasy")
    answer = await turns.take(conversation, now=OPEN, text=said)
    assert is_crisis_response(answer.messages[0].response, "crisis_self")
    assert answer.state.open_question is None
    assert alerts(engine, conversation) == [("crisis_self", ())]


async def test_no_is_believed(turns, brain, engine, conversation):
    brain.answer = dead
    await turns.take(conversation, now=OPEN, text="uneasy")
    answer = await turns.take(conversation, now=OPEN, text="No")
    assert answer.messages[0].response == "concern_no"
    assert answer.state.open_question is None
    assert alerts(engine, conversation) == []


async def test_a_yes_that_the_brain_does_not_take_as_danger_is_replaced(
    turns, brain, words, conversation
):
    question = words.crisis(
        "concern", (), clinic=CLINIC, channel="web", language="en", times_before=0
    )
    brain.answer = lambda _: TurnReply([question], TurnState(open_question="concern"))
    await turns.take(conversation, now=OPEN, text="uneasy")
    brain.answer = lambda _: says("Good. What would you like to do next?")
    answer = await turns.take(conversation, now=OPEN, text="yes")
    assert is_crisis_response(answer.messages[0].response, "crisis_self")


# --- the help button --------------------------------------------------------------------


async def test_the_help_button_reaches_the_brain_as_an_act(turns, brain, conversation):
    brain.answer = lambda _: says("Call 988.", response="help_now")
    answer = await turns.take(conversation, now=OPEN, help_now=True)
    assert [m.response for m in answer.messages] == ["help_now"]
    assert brain.requests[0].pressed == Button("I need help now", "help_now")


@pytest.mark.parametrize("fault", ["dead", "other words"])
async def test_the_help_button_always_helps(turns, brain, conversation, fault):
    if fault == "dead":
        brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, help_now=True, language="es")
    [message] = answer.messages
    assert message.response == "help_now"
    for number in ("911", "988", "833-773-2445"):
        assert number in message.text


async def test_crisis_buttons_go_on_helping_without_a_brain(turns, brain, conversation):
    brain.answer = dead
    crisis = await turns.take(conversation, now=OPEN, text="danger")
    [cannot] = [
        offered
        for offered in crisis.messages[0].buttons
        if offered.button.intent == "crisis_cannot_call"
    ]
    answer = await turns.take(conversation, now=OPEN, button=cannot.id)
    assert answer.messages[0].response == "crisis_cannot_call"


# --- when the screen or the store fails -------------------------------------------------


async def test_a_screen_that_breaks_counts_as_concern(turns, brain, engine, conversation):
    brain.answer = dead
    answer = await turns.take(conversation, now=OPEN, text="break the screen")
    assert answer.state.tier == "concern"
    assert answer.messages[0].response == "concern_check"
    assert ("in", "break the screen") in transcript(engine, conversation)


@pytest.fixture
def no_store(engine, database):
    """Call it, and the store is gone: what a lost disk looks like to SQLite."""

    def lose() -> None:
        engine.dispose()
        for path in database.parent.glob(f"{database.name}*"):
            path.unlink()
        database.mkdir()

    return lose


@pytest.mark.parametrize("tier", CRISIS_TIERS)
async def test_danger_gets_crisis_help_without_a_store(turns, conversation, no_store, tier):
    no_store()
    answer = await turns.take(conversation, now=OPEN, text=OF_TIER[tier])
    [message] = answer.messages
    assert is_crisis_response(message.response, tier)
    assert (message.seq, message.buttons) == (None, ())


async def test_without_a_store_everybody_else_gets_the_clinics_own_line(
    turns, brain, conversation, no_store
):
    no_store()
    answer = await turns.take(conversation, now=OPEN, text="what is IOP?")
    assert answer.messages[0].response == "unavailable_open"
    assert "888-278-0716" in texts(answer)
    assert brain.requests == []


async def test_the_help_button_works_without_a_store(turns, conversation, no_store):
    no_store()
    answer = await turns.take(conversation, now=OPEN, help_now=True)
    assert answer.messages[0].response == "help_now"


async def test_a_button_that_cannot_be_looked_up_counts_as_concern(turns, conversation, no_store):
    no_store()
    answer = await turns.take(conversation, now=OPEN, button="some-button")
    assert answer.messages[0].response == "concern_check"


async def test_a_first_visit_without_a_store_is_answered(turns, no_store):
    no_store()
    opened = await turns.open(CLINIC, now=OPEN)
    assert opened.answer.messages[0].response == "unavailable_open"
    answer = await turns.take(opened.conversation, now=OPEN, text="danger")
    assert is_crisis_response(answer.messages[0].response, "crisis_self")


async def test_an_answer_that_cannot_be_written_down_is_not_promised(
    turns, brain, engine, database, conversation
):
    def answer_and_lock(_):
        holder.execute("BEGIN IMMEDIATE")
        return says("We will call you tomorrow.")

    holder = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    brain.answer = answer_and_lock
    answer = await turns.take(conversation, now=OPEN, text="call me")
    holder.close()
    assert answer.messages[0].response == "unavailable_open"
    assert all(text != "We will call you tomorrow." for _, text in transcript(engine, conversation))


async def test_no_conversation_but_ones_own(turns, engine):
    mine = await turns.open(CLINIC, now=OPEN)
    with pytest.raises(Refused, match="no such conversation") as refused:
        await turns.take(mine.conversation, now=OPEN, text="hi", allowed=lambda _: False)
    assert refused.value.status == 404
    with pytest.raises(Refused, match="no such conversation"):
        await turns.take(f"{CLINIC}.unknown", now=OPEN, text="hi")
    assert len(transcript(engine, mine.conversation)) == 1


async def test_a_brain_error_never_reaches_the_visitor(turns, brain, conversation):
    def fail(_):
        raise BrainError("secret reason")

    brain.answer = fail
    answer = await turns.take(conversation, now=OPEN, text="hello")
    assert "secret reason" not in str(dataclasses.asdict(answer))


# --- the log ----------------------------------------------------------------------------


@contextlib.contextmanager
def logs_as_the_gateway():
    """Log as the gateway does; other tests get their own log back."""
    ours, handlers = structlog.get_config(), logging.root.handlers[:]
    configure_logs("gateway")
    yield
    structlog.configure(**ours)
    logging.root.handlers[:] = handlers


async def test_logs_never_carry_what_was_said(turns, brain, capsys, conversation):
    with logs_as_the_gateway():
        for answer in (brain.answer, dead, lambda _: 1 / 0):
            brain.answer = answer
            await turns.take(conversation, now=OPEN, text="my secret danger, call 617-555-0142")
        await turns.take(conversation, now=OPEN, text="break the screen")
    logged = capsys.readouterr().err
    assert logged.count('"event": "turn"') == 4
    for word in ("secret", "555-0142", "screen broke"):
        assert word not in logged


async def test_a_message_after_staff_have_closed_the_record_opens_it_again(
    turns, engine, conversation
):
    await turns.take(conversation, now=OPEN, text="danger")
    reference = stored(engine, conversation).state.reference
    with writing(engine) as db:
        staff = Staff(db).add(
            name="rosa",
            full_name="Rosa",
            role="coordinator",
            clinics=[CLINIC],
            password_hash="unusable",
            now=OPEN,
        )
        Casework(db).claim(reference, staff, OPEN)
        Casework(db).change(reference, staff, OPEN, was="new", status="closed", closed=OPEN)
    await turns.take(conversation, now=OPEN, text="are you there")
    with reading(engine) as db:
        [open_again] = Casework(db).listed([CLINIC])
    assert (open_again.case.status, open_again.case.new_message) == ("new", OPEN)
