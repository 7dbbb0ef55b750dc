"""When the safety policy takes a turn."""

import pytest

from bot.brain.names import (
    ACTION_FAQ,
    ACTION_SAFETY,
    ACTION_SAFETY_FOLLOW_UP,
    PENDING_CONCERN,
    PENDING_CONSENT,
    PENDING_CRISIS,
)
from bot.brain.safety_turn import SafetyStep, next_step
from bot.vocabulary import CRISIS_CANNOT_CALL, SAFETY_INTENTS


def step(intent, *, actions=(), pending=None, form=False, says_how_to_reach=False):
    return next_step(
        actions=actions,
        intent=intent,
        pending=pending,
        form_is_open=form,
        says_how_to_reach=says_how_to_reach,
    )


@pytest.mark.parametrize("intent", [*SAFETY_INTENTS, "help_now"])
@pytest.mark.parametrize("pending", [None, PENDING_CONCERN, PENDING_CRISIS, PENDING_CONSENT])
@pytest.mark.parametrize("form", [True, False])
def test_danger_is_answered_whatever_is_open(intent, pending, form):
    expected = SafetyStep.RESPOND
    if intent == "safety_concern" and pending == PENDING_CRISIS:
        expected = SafetyStep.FOLLOW_UP  # an answer to "can you call?", not a new worry
    assert step(intent, pending=pending, form=form) is expected


def test_no_calls_please_is_an_answer_where_the_form_asks_how_to_reach_somebody():
    assert step(CRISIS_CANNOT_CALL, form=True) is SafetyStep.FOLLOW_UP
    typed = {"form": True, "says_how_to_reach": True}
    assert step(CRISIS_CANNOT_CALL, **typed) is SafetyStep.NOTHING
    assert step(CRISIS_CANNOT_CALL, pending=PENDING_CRISIS, **typed) is SafetyStep.FOLLOW_UP
    for intent in (*SAFETY_INTENTS, "help_now"):
        assert step(intent, **typed) is SafetyStep.RESPOND


def test_the_crisis_reply_stands_alone_even_in_a_form():
    assert step("safety_crisis_self", actions=[ACTION_SAFETY], form=True) is SafetyStep.LISTEN


@pytest.mark.parametrize("intent", ["affirm", "deny", "unsure", "faq_schedule", "nlu_fallback"])
def test_whatever_is_said_to_the_direct_question_is_its_answer(intent):
    assert step(intent, pending=PENDING_CONCERN, form=True) is SafetyStep.FOLLOW_UP


@pytest.mark.parametrize("intent", ["affirm", "deny", "thank", CRISIS_CANNOT_CALL])
def test_an_answer_to_can_you_call_is_followed_up(intent):
    assert step(intent, pending=PENDING_CRISIS) is SafetyStep.FOLLOW_UP


def test_a_question_about_the_clinic_in_crisis_is_answered_in_its_own_right():
    assert step("faq_schedule", pending=PENDING_CRISIS) is SafetyStep.NOTHING


def test_after_the_follow_up_an_open_form_goes_on_and_an_open_question_keeps_the_word():
    done = [ACTION_SAFETY_FOLLOW_UP]
    assert step("deny", actions=done, form=True) is SafetyStep.NOTHING
    assert step("deny", actions=done, form=False) is SafetyStep.LISTEN
    assert step("deny", actions=done, pending=PENDING_CRISIS, form=True) is SafetyStep.LISTEN
    assert step("faq_schedule", actions=[*done, ACTION_FAQ], form=False) is SafetyStep.LISTEN


def test_other_turns_are_left_to_the_rules():
    assert step("greet") is SafetyStep.NOTHING
    assert step("affirm", pending=PENDING_CONSENT) is SafetyStep.NOTHING
    assert step("faq_schedule", actions=[ACTION_FAQ]) is SafetyStep.NOTHING
