"""What keywords do: opt out, opt in, help; and danger, which comes before all of it."""

import pytest

from bot.gateway.texting import MOST_A_DAY
from bot.store import Alerts, Audit, reading, writing
from bot.store.sms_contacts import SmsContacts
from bot.store.sms_outbox import REPLY, SmsOutbox, Text
from bot.turns import Button, TurnState
from tests.gateway.conftest import says


def ledger(phone):
    with reading(phone.engine) as db:
        return [(e[0], e[1], e[2]) for e in SmsContacts(db).ledger(phone.contact().conversation)]


def alerts(phone):
    with reading(phone.engine) as db:
        return [alert.tier for alert in Alerts(db).of(phone.contact().conversation)]


async def test_stop_gets_one_confirmation_and_then_silence(phone, brain):
    await phone.texts("hello")
    [confirmation] = await phone.texts("STOP")
    assert "opted out" in confirmation
    assert "988" in confirmation
    assert await phone.texts("stop") == []
    assert await phone.texts("are you still there?") == []
    assert len(brain.requests) == 1
    assert ledger(phone)[1:] == [("opted_out", "text", "STOP"), ("opted_out", "text", "stop")]


async def test_help_is_answered_even_then_and_says_that_the_opt_out_counts(phone):
    await phone.texts("STOP")
    [text] = await phone.texts("HELP")
    for needed in ("Greater Boston:", "opted out", "911", "988", "888-278-0716", "START"):
        assert needed in text
    assert phone.contact().opted_out is not None
    assert await phone.texts("thanks") == []


async def test_what_twilio_has_answered_needs_no_second_help(phone):
    await phone.texts("STOP")
    assert await phone.texts("HELP", OptOutType="HELP") == []


async def test_a_wish_that_only_the_assistant_understands_opts_out_as_well(phone, brain):
    brain.answer = lambda _: says("Okay.", response="stop_messages")
    [confirmation] = await phone.texts("i'd rather not hear from you people")
    assert confirmation.startswith("Okay.\nGreater Boston: You're opted out")
    assert ledger(phone)[-1] == ("opted_out", "assistant", "i'd rather not hear from you people")
    [row] = phone.outbox()
    assert (row["kind"], row["dead"]) == ("confirmation", None)
    assert await phone.texts("hello?") == []


@pytest.mark.parametrize(
    "text", ["make it stop", "stop please im scared", "cancel that", "he keeps texting me"]
)
async def test_who_may_mean_something_else_is_not_silenced(phone, brain, text):
    await phone.texts("hi")
    brain.answer = lambda _: says("Okay.", response="stop_messages")
    [answer] = await phone.texts(text)
    assert answer.startswith("Okay.\nReply STOP to get no more texts from us.")
    assert phone.contact().opted_out is None


async def test_danger_is_never_taken_for_that_wish(phone, brain):
    brain.answer = lambda _: says("Okay.", response="stop_messages")
    assert "988" in (await phone.texts("danger"))[0]
    assert phone.contact().opted_out is None


@pytest.mark.parametrize("word", ["END", "quit", "Cancel."])
@pytest.mark.parametrize(
    "state",
    [
        TurnState(tier="concern", open_question="concern"),
        TurnState(open_question="safety_now"),
        TurnState(tier="crisis_self", handoff="crisis", open_question="crisis"),
    ],
)
async def test_an_opt_out_word_in_the_middle_of_a_crisis_counts_and_help_stands_first(
    phone, brain, word, state
):
    """The law names these words; what else they may have meant is not lost on us."""
    brain.answer = lambda _: says("A question.", state=state)
    await phone.texts("i feel low")
    [confirmation] = await phone.texts(word)
    assert confirmation.startswith("Greater Boston: In danger? Call 911")
    assert "START" in confirmation
    assert phone.contact().opted_out is not None


async def test_end_instead_of_an_answer_to_the_direct_question_is_told_to_staff(phone, brain):
    brain.answer = lambda _: says("?", state=TurnState(tier="concern", open_question="concern"))
    await phone.texts("i feel low")
    await phone.texts("end")
    assert alerts(phone) == ["crisis_self"]


async def test_a_day_has_at_most_so_many_texts_but_always_crisis_help(phone, engine, clock):
    await phone.texts("hello")
    conversation = phone.contact().conversation
    with writing(engine) as db:
        for number in range(MOST_A_DAY):
            SmsOutbox(db).add(conversation, Text(f"filler {number}", REPLY, "x"), clock())
    assert await phone.texts("one more") == []
    assert await phone.texts("HELP") == []
    assert "988" in (await phone.texts("danger"))[0]
    assert "opted out" in (await phone.texts("STOP"))[0]
    clock.forward(hours=25)
    await phone.texts("START")
    assert await phone.texts("next day") == ["You said: next day"]


async def test_an_opt_out_is_audited_without_words(phone):
    await phone.texts("please stop texting me")
    with reading(phone.engine) as db:
        trail = Audit(db).of(phone.contact().conversation)
    assert [entry.action for entry in trail] == ["sms.opted_out"]


async def test_after_start_a_number_answers_no_question_from_before(phone, brain):
    yes, no = Button("Yes", "affirm"), Button("No", "deny")
    brain.answer = lambda _: says("Shall I?", yes, no, state=TurnState(open_question="consent"))
    await phone.texts("call me")
    for text in ("STOP", "START", "1"):
        await phone.texts(text)
    assert (brain.requests[-1].text, brain.requests[-1].pressed) == ("1", None)


@pytest.mark.parametrize("text", ["911", "988!", "9-1-1"])
async def test_the_number_of_a_line_gets_help_even_after_an_opt_out(phone, brain, text):
    await phone.texts(text)
    assert brain.requests[-1].pressed.intent == "help_now"
    assert phone.transcript()[0] == ("in", text)
    await phone.texts("STOP")
    assert "988" in (await phone.texts(text))[0]


async def test_start_opts_in_again(phone):
    await phone.texts("STOP")
    [welcome] = await phone.texts("START")
    assert "Welcome back" in welcome
    assert (await phone.texts("hello"))[0] == "You said: hello"


async def test_help_names_us_911_988_the_line_and_stop(phone):
    [text] = await phone.texts("HELP")
    for needed in ("Greater Boston:", "911", "988", "888-278-0716", "Msg&data", "STOP"):
        assert needed in text


async def test_spanish_words_are_answered_in_spanish(phone):
    assert "Emergencia" in (await phone.texts("AYUDA"))[0]
    assert "No recibirá" in (await phone.texts("alto"))[0]


async def test_free_words_opt_out_as_well(phone, brain):
    [confirmation] = await phone.texts("please stop texting me")
    assert "opted out" in confirmation
    assert brain.requests == []


async def test_danger_in_a_revocation_is_answered_and_told_first(phone):
    first, *_, last = await phone.texts("stop texting me, danger")
    assert "988" in first
    assert "opted out" in last
    assert alerts(phone) == ["crisis_self"]


async def test_danger_from_an_opted_out_number_is_answered_once_a_day_and_told_each_time(
    phone, clock
):
    await phone.texts("STOP")
    *_, last = texts = await phone.texts("danger")
    assert "988" in texts[0]
    assert "Reply START" in last
    assert not any("1 I can call" in text for text in texts), "no answer to it would come"
    assert await phone.texts("danger again") == []
    assert alerts(phone) == ["crisis_self", "crisis_self"]
    clock.forward(hours=25)
    assert "988" in (await phone.texts("danger"))[0]


@pytest.mark.parametrize(("kind", "opted_out"), [("STOP", True), ("START", False)])
async def test_what_twilio_has_answered_is_recorded_in_silence(phone, kind, opted_out):
    await phone.texts("hello")
    assert await phone.texts(kind.lower(), OptOutType=kind) == []
    assert (phone.contact().opted_out is not None) == opted_out
    assert ledger(phone)[-1][1:] == ("provider", kind.lower())


async def test_twilios_own_word_for_stop_counts_and_its_danger_is_told(phone):
    assert await phone.texts("danger", OptOutType="STOP") == []
    assert phone.contact().opted_out is not None
    assert alerts(phone) == ["crisis_self"]


async def test_help_leaves_the_open_question_open(phone, brain):
    yes, no = Button("Yes", "affirm"), Button("No", "deny")
    brain.answer = lambda _: says("Shall I?", yes, no)
    await phone.texts("call me")
    await phone.texts("HELP")
    await phone.texts("2")
    assert brain.requests[-1].pressed == no


async def test_what_waits_to_be_sent_is_not_sent_after_an_opt_out(phone):
    await phone.texts("hello")
    await phone.texts("STOP")
    first, last = phone.outbox()
    assert (first["dead"] is not None, last["dead"]) == (True, None)


async def test_keywords_and_what_they_cause_stand_in_the_transcript(phone):
    await phone.texts("HELP")
    assert [(d, t[:15]) for d, t in phone.transcript()] == [
        ("in", "HELP"),
        ("out", "Greater Boston:"),
    ]
