from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gateway.channels import CHANNELS
from bot.turns import BotMessage, Button
from bot.vocabulary import CHANNELS as CHANNEL_NAMES

WEB, SMS = CHANNELS["web"], CHANNELS["sms"]
YES = Button("Yes, full time", "affirm")
PART = Button("Yes, part time", "affirm")
NO = Button("No", "deny")


def test_every_channel_of_the_house_is_declared():
    assert tuple(CHANNELS) == CHANNEL_NAMES


def test_the_web_shows_messages_one_by_one_with_their_buttons():
    shown = WEB.render([BotMessage("One.", "a"), BotMessage("Work?", "b", [YES, NO])])
    assert [(m.text, m.response, m.choices) for m in shown] == [
        ("One.", "a", ()),
        ("Work?", "b", (YES, NO)),
    ]


def test_sms_joins_the_reply_and_numbers_the_choices():
    shown = SMS.render([BotMessage("One.", "a"), BotMessage("Do you work?", "b", [YES, NO])])
    assert [(m.text, m.choices) for m in shown] == [
        ("One.\n\nDo you work?\n1 Yes, full time\n2 No", (YES, NO))
    ]


def test_a_long_sms_is_sent_in_parts_that_break_between_sentences():
    text = " ".join(f"This is sentence number {number}." for number in range(30))
    shown = SMS.render([BotMessage(text, "a", [YES, NO])])
    assert len(shown) > 1
    assert all(len(part.text) <= 320 for part in shown)
    assert all(part.text.endswith(".") for part in shown[:-1])
    assert " ".join(part.text for part in shown).split() == [
        *text.split(),
        *["1", "Yes,", "full", "time", "2", "No"],
    ]
    assert [part.choices for part in shown[:-1]] == [()] * (len(shown) - 1)
    assert shown[-1].choices == (YES, NO)


def test_choices_that_do_not_fit_beside_the_text_are_sent_together_after_it():
    shown = SMS.render([BotMessage("x" * 310, "a", [YES, NO])])
    assert [(part.text, part.choices) for part in shown] == [
        ("x" * 310, ()),
        ("1 Yes, full time\n2 No", (YES, NO)),
    ]


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=1).filter(str.strip))
def test_no_word_is_lost_in_parts(text):
    shown = SMS.render([BotMessage(text * 40, "a")])
    assert all(part.text and len(part.text) <= 320 for part in shown)
    assert "".join("".join(part.text.split()) for part in shown) == "".join((text * 40).split())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", 0), ("2.", 1), (" 3) ", 2), ("#2", 1), ("two", 1), ("dos", 1), ("Three", 2),
        ("3 No", 2), ("No", 2), ("no!", 2), ("yes, part time", 1), ("YES PART TIME", 1),
        ("Yes", None),  # two labels start with it
        ("4", None), ("0", None), ("12", None), ("2 of us", None), ("maybe", None), ("", None),
        ("no, I want to talk", None),
    ],
)  # fmt: skip
def test_an_sms_answers_with_digit_word_or_label(typed, meant):
    assert SMS.choice(typed, [YES, PART, NO]) == meant


def test_a_first_word_counts_if_only_one_label_starts_with_it():
    assert SMS.choice("yes", [YES, NO]) == 0


def test_on_the_web_only_the_label_counts():
    assert WEB.choice("no", [YES, NO]) == 1
    assert WEB.choice("2", [YES, NO]) is None


@pytest.mark.parametrize(
    ("typed", "index"),
    [
        ("2 please", 1),
        ("2, gracias", 1),
        ("option 2", 1),
        ("Opción 2 por favor", 1),
        ("number 1!", 0),
        ("2\n\nSent from my iPhone", 1),
        ("1 and 3", None),
        ("2 pills please", None),
        ("2\nplease help me", None),
        ("option", None),
        ("2" + " \n" * 50_000 + "x", None),
    ],
)
def test_a_digit_counts_with_the_words_that_people_put_around_it(typed, index):
    assert SMS.choice(typed, [YES, PART, NO]) == index


def test_without_choices_nothing_is_a_choice():
    assert SMS.choice("1", []) is None
    assert WEB.choice("", []) is None
