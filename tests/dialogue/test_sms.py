"""The same conversation by SMS: choices are digits, replies are short."""

import pytest

from bot.clinic.gsm7 import outside


def test_choices_are_numbered_and_answered_with_a_digit(ask):
    visitor = ask("greater_boston", "sms").says("find a program").says("1").is_asked("safety_now")
    assert "1 No" in visitor.text
    visitor.says("1").is_asked("state").says("MA").is_asked("age_band").says("1")
    visitor.is_asked("substance_use")


@pytest.mark.parametrize("said", ["2", "2.", "For someone else", "for someone else", "two"])
def test_a_choice_may_be_a_digit_a_word_or_its_label(ask, said):
    visitor = ask("greater_boston", "sms").says("which program fits").is_asked("for_whom")
    visitor.says(said).is_asked("safety_now")


def test_a_digit_counts_for_the_latest_question_only(ask):
    visitor = ask("greater_boston", "sms").says("find a program").says("1").says("1")
    visitor.is_asked("state").says("2")
    visitor.is_asked("state")


def test_english_texts_stay_in_the_sms_alphabet(ask):
    visitor = ask("greater_boston", "sms")
    for said in ("hi", "can i work during iop?", "find a program for me", "1", "I want to die"):
        visitor.says(said)
        assert not outside(visitor.text), visitor.text
