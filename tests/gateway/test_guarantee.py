from __future__ import annotations

import pytest

from bot.gateway.guarantee import CRISIS_TIERS, disclosed_tier, is_kept
from bot.turns import BotMessage, Button
from bot.vocabulary import TIERS


def test_the_crisis_tiers_are_the_three_highest():
    assert CRISIS_TIERS == ("crisis_other", "crisis_self", "emergency")


@pytest.mark.parametrize("tier", CRISIS_TIERS)
def test_danger_without_crisis_help_is_never_kept(tier):
    reply = [BotMessage("IOP is ...", "faq_what_is_iop"), BotMessage("Anything else?", "more")]
    assert not is_kept(reply, tier)
    assert not is_kept(reply, "none", pressed_tier=tier)
    assert not is_kept([], tier)


@pytest.mark.parametrize("tier", CRISIS_TIERS)
def test_the_crisis_help_of_the_tier_is_kept(tier, replies):
    help_ = replies.reply(
        tier, (), channel="web", language="en", clinic_state="MA", clinic_line=None
    )
    assert is_kept([BotMessage("A word first.", "other"), help_], tier)
    assert is_kept([help_], "none", pressed_tier="crisis_self")


def test_an_emergency_is_not_satisfied_by_the_help_of_a_lower_tier(replies):
    help_ = replies.reply(
        "crisis_other", (), channel="web", language="en", clinic_state="MA", clinic_line=None
    )
    assert not is_kept([help_], "emergency")


def test_the_help_button_gets_its_own_reply_or_crisis_help():
    assert not is_kept([BotMessage("Hello.", "greet")], "none", asked_for_help=True)
    assert is_kept([BotMessage("Call 988.", "help_now")], "none", asked_for_help=True)
    assert is_kept([BotMessage("Call 988.", "crisis_self")], "none", asked_for_help=True)
    assert not is_kept([BotMessage("Call 988.", "help_now")], "crisis_self", asked_for_help=True)


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier not in CRISIS_TIERS])
def test_every_other_reply_is_kept(tier):
    assert is_kept([BotMessage("Hello.", "greet")], tier)


@pytest.mark.parametrize(
    ("button", "open_question", "tier"),
    [
        (None, "concern", "none"),
        (Button("I need help now", "help_now"), None, "none"),  # not a disclosure
        (Button("Yes", "affirm"), "concern", "crisis_self"),
        (Button("Not sure", "unsure"), "concern", "crisis_self"),
        (Button("No", "deny"), "concern", "none"),
        (Button("Yes", "affirm"), "consent", "none"),
        (Button("Now", "answer", {"item": "safety_now", "value": "now"}), None, "crisis_self"),
        (Button("Plan", "answer", {"item": "safety_now", "value": "immediate"}), None, "emergency"),
        (Button("Past", "answer", {"item": "safety_now", "value": "past"}), None, "none"),
        (
            Button("Yes", "answer", {"item": "withdrawal_risk", "value": "severe_signs"}),
            None,
            "emergency",
        ),
        (Button("Adult", "answer", {"item": "age_band", "value": "adult"}), "age_band", "none"),
    ],
)
def test_a_button_can_disclose_danger(button, open_question, tier):
    assert disclosed_tier(button, open_question) == tier
