"""Hearts and thumbs that phones send as texts: taken as read, never as words of the visitor."""

import pytest

from bot.sms.reactions import reaction_in
from bot.store import Alerts, reading
from bot.turns import TurnState
from tests.gateway.conftest import says


def alerts(phone):
    with reading(phone.engine) as db:
        return [alert.tier for alert in Alerts(db).of(phone.contact().conversation)]


@pytest.mark.parametrize(
    "text",
    [
        "Liked “IOP means intensive outpatient program.”",
        'Loved "We open at 9 am."',
        "Loved an image",
        "Emphasized “What is IOP?”",
        "Questioned “You can call us at 888”",
        'Reacted 👍 to "We open at 9 am."',
        "👍🏽 to “We open at 9 am.”",
        "Reacted ❤️ to “two\nlines”",
        "Removed a like from “We open at 9 am.”",
        "Le gustó “Abrimos a las 9.”",
        "Le encantó «Abrimos a las 9.»",
        "Reaccionó con 👍 a “Abrimos a las 9.”",
    ],
)
def test_what_phones_make_of_a_reaction_is_known(text):
    assert reaction_in(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Liked it",
        "I liked “the group”",
        "Liked “the group” but my son did not",
        "Loved the image on your site, what is IOP?",
        "me gusta",
        "to be honest no",
        "Loved my therapist. Is she still there?",
    ],
)
def test_words_of_the_visitors_own_are_no_reaction(text):
    assert reaction_in(text) is None


async def test_a_reaction_to_an_answer_gets_no_new_answer(phone, brain):
    brain.answer = lambda _: says("IOP means intensive outpatient program. You live at home.")
    await phone.texts("what is iop")
    assert await phone.texts("Liked “IOP means intensive outpatient program. You live…”") == []
    assert await phone.texts("Loved an image") == []
    assert len(brain.requests) == 1
    assert phone.transcript()[-2] == ("in", "Liked “…”")


async def test_our_words_of_danger_in_quotes_are_no_danger_of_the_visitor(phone, brain):
    brain.answer = lambda _: says("If there is danger call 911.")
    await phone.texts("hi")
    assert await phone.texts("Liked “If there is danger call 911.”") == []
    assert alerts(phone) == []


async def test_danger_in_a_quote_that_is_not_ours_is_heard(phone):
    await phone.texts("hi")
    assert "988" in (await phone.texts("Emphasized “i am in danger tonight”"))[0]
    assert alerts(phone) == ["crisis_self"]


@pytest.mark.parametrize("question", ["consent", "for_whom", "best_time"])
async def test_a_reaction_answers_no_question_and_says_so(phone, brain, question):
    brain.answer = lambda _: says("Shall I go on?", state=TurnState(open_question=question))
    await phone.texts("hi")
    [text] = await phone.texts("Liked “Greater Boston: Shall I go on?”")
    assert "in a few words" in text
    assert len(brain.requests) == 1


@pytest.mark.parametrize("question", ["concern", "safety_now"])
async def test_a_reaction_to_a_question_about_danger_leaves_it_open_beside_the_lines(
    phone, brain, question
):
    state = TurnState(tier="concern", open_question=question)
    brain.answer = lambda _: says("Are you thinking of suicide?", state=state)
    await phone.texts("i feel low")
    [text] = await phone.texts("Loved “Are you thinking of suicide?”")
    assert all(words in text for words in ("911", "988", "in a few words"))
    assert alerts(phone) == []


async def test_who_opted_out_hears_nothing_of_a_reaction(phone, brain):
    brain.answer = lambda _: says("In danger call 911, please do.")
    await phone.texts("hi")
    await phone.texts("STOP")
    assert await phone.texts("Liked “In danger call 911, please do.”") == []
    assert alerts(phone) == []


async def test_a_heart_on_crisis_help_gets_the_lines_once_more_but_not_for_ever(phone):
    [help_text, *_] = await phone.texts("danger")
    [text] = await phone.texts(f"Loved “{help_text}”")
    assert all(number in text for number in ("911", "988"))
    assert await phone.texts(f"Loved “{text}”") == []
    assert alerts(phone) == ["crisis_self"]
