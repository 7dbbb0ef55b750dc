"""A message of danger is answered first: at every question, in every form, on every channel."""

import pytest

from bot.handoff.callback import FIELDS
from bot.safety.replies import is_crisis_response
from bot.store import reading
from bot.store.handoffs import Handoffs
from bot.vocabulary import ITEMS, TIER_CONCERN, TIER_CRISIS_SELF, tier_at_least
from tests.dialogue.test_triage import ANSWERS

# One message of each tier in plain words; how well the screen hears others is measured
# in tests/safety and by `handrail eval safety`.
DANGER = {
    "concern": "I feel like a burden to everyone",
    "crisis_other": "my brother says he is going to kill himself tonight",
    "crisis_self": "I want to kill myself",
    "emergency": "I took a whole bottle of pills an hour ago",
}
CALLBACK = {
    "name": "Ana",
    "phone": "617 555 0142",
    "state": "MA",
    "best_time": "after 5",
    "ok_to_call": "no",
    "ok_to_text": "call only",
    "ok_voicemail": "yes",
    "confirm": "change something",
}
# Whose number it is stands under `phone` too; `language` is asked where it is chosen.
WHOSE = "whose number"
LANGUAGE = "language"
# Severe and step-down answers, so that as many questions as possible are asked.
LONG_WAY = {
    **ANSWERS,
    "recent_care": "iop",
    "symptom_severity": "severe",
    "daily_functioning": "struggling",
    "substance_use": "next to other things",
}


def to_item(visitor, item):
    """Lead a visitor to a question of the questionnaire; None if it is never asked here."""
    visitor.says("I want to find out which program fits")
    return _lead(visitor, item, LONG_WAY)


def to_field(visitor, field):
    """Lead a visitor to a question of the callback form."""
    if field == WHOSE:
        visitor.says("I need help for my son").says("please call me back").says("Ana")
        return visitor.says("617 555 0142").hears("callback_phone_owner")
    visitor.says("please call me back")
    if field != LANGUAGE:
        return _lead(visitor, field, CALLBACK)
    _lead(visitor, "confirm", CALLBACK).says("change the language")
    return visitor.is_asked(LANGUAGE)


def _lead(visitor, question, answers):
    for _ in answers:
        asked = visitor.state.open_question
        if asked == question:
            return visitor
        if asked in answers:
            visitor.says(answers[asked])
    return None


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_at_every_question_of_the_questionnaire(ask, assistant, channel, item):
    visitor = to_item(ask("greater_boston", channel), item)
    # At most 12 of the items are asked of anybody: some are not on this way through.
    if visitor is not None:
        is_heard(visitor, assistant)


@pytest.mark.parametrize("field", [*FIELDS, WHOSE])
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_at_every_question_of_the_callback_form(ask, assistant, channel, field):
    visitor = to_field(ask("greater_boston", channel), field)
    assert visitor is not None
    is_heard(visitor, assistant)


def is_heard(visitor, assistant):
    """Danger of every tier is answered here, and then the open question comes back."""
    question = visitor.state.open_question
    for tier, message in DANGER.items():
        visitor.says(message).is_at(tier=tier)
        if tier == TIER_CONCERN:
            visitor.hears("concern_check").is_asked("concern").says("no")
        else:
            assert any(is_crisis_response(name, tier) for name in visitor.responses)
            visitor.presses("Keep going here")
        # The question comes back - but safety is not asked of somebody who has told.
        if question == "safety_now" and tier_at_least(tier, TIER_CRISIS_SELF):
            assert visitor.state.open_question not in (None, question)
        else:
            visitor.is_asked(question)
    with reading(assistant.engine) as connection:
        found = Handoffs(connection).find(visitor.conversation)
    assert found[1].kind == "crisis"
    assert not any(message in repr(found) for message in DANGER.values())


def test_the_long_way_asks_most_of_the_questions(ask):
    visitor = ask("greater_boston").says("I want to find out which program fits")
    asked = []
    while (item := visitor.state.open_question) in LONG_WAY:
        asked.append(item)
        visitor.says(LONG_WAY[item])
    assert len(asked) >= 11, asked


@pytest.mark.parametrize("tier", DANGER)
def test_as_the_first_message(ask, tier):
    visitor = ask("greater_boston").says(DANGER[tier])
    assert is_crisis_response(visitor.responses[0], tier) or tier == TIER_CONCERN
    visitor.is_at(tier=tier)


def test_the_help_button_works_without_typing(ask):
    visitor = ask("greater_boston").needs_help_now()
    assert "988" in visitor.text
    assert "911" in visitor.text


def test_asking_for_urgent_help_in_words(ask):
    assert "988" in ask("greater_boston").says("I need help right now").text


@pytest.mark.parametrize("answer", ["yes", "not sure", "i don't know, maybe"])
def test_yes_and_not_sure_to_the_direct_question_are_a_disclosure(ask, answer):
    visitor = ask("greater_boston").says(DANGER["concern"]).is_asked("concern")
    visitor.says(answer).hears("crisis_self").is_at(tier="crisis_self")


def test_no_to_the_direct_question_is_believed_and_the_talk_goes_on(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.is_asked("age_band").says(DANGER["concern"]).is_asked("concern")
    visitor.presses("No").hears("concern_no").hears("ask_age_band").is_asked("age_band")


def test_what_was_asked_beside_the_worry_is_answered_after_a_no(ask):
    text = f"{DANGER['concern']}. Is medication included in IOP?"
    visitor = ask("greater_boston").says(text).is_asked("concern")
    assert visitor.responses == ["concern_check"]
    visitor.says("no").hears("concern_no").hears("faq_medication_management")


def test_a_question_instead_of_an_answer_is_answered(ask):
    visitor = ask("greater_boston").says(DANGER["concern"]).is_asked("concern")
    visitor.says("is medication included?").hears("faq_medication_management")


def test_the_second_and_third_message_get_other_words(ask):
    visitor = ask("greater_boston").says("I want to kill myself")
    heard = [visitor.text]
    for message in ("I really want to die", "there is no point, I will end my life"):
        heard.append(visitor.says(message).text)
        assert any(is_crisis_response(name, "crisis_self") for name in visitor.responses)
    assert len(set(heard)) == 3
    assert len(heard[1]) < len(heard[0])


def test_the_chat_goes_on_after_a_disclosure(ask):
    visitor = ask("greater_boston").says("I want to kill myself")
    visitor.says("is medication included in iop?").hears("faq_medication_management")
    visitor.says("can I talk to someone at the clinic").is_at(tier="crisis_self")
    assert "888-278-0716" in visitor.text


def test_barriers_get_another_way_and_nothing_is_said_twice(ask):
    visitor = ask("greater_boston").says("I want to die")
    first = visitor.says("I can't call, someone would hear me").text
    assert "741741" in first
    assert visitor.says("no").text != first


def test_the_risk_stays_on_record(ask, assistant):
    visitor = ask("greater_boston").says("I want to kill myself")
    visitor.says("can I talk to someone at the clinic")
    with reading(assistant.engine) as connection:
        _, record = Handoffs(connection).find(visitor.conversation)
    assert record.tier == "crisis_self"
    assert record.tier_rule


def test_spanish_gets_spanish_help(ask):
    visitor = ask("greater_boston").says("hola, ya no quiero vivir, me quiero matar")
    visitor.is_at(tier="crisis_self", language="es")
    assert "988" in visitor.text


def test_no_reply_lectures_or_asks_for_a_promise(ask):
    visitor = ask("greater_boston")
    for message in DANGER.values():
        text = visitor.says(message).text.lower()
        for forbidden in ("promise", "selfish", "you must", "you're not thinking of"):
            assert forbidden not in text


def test_a_past_risk_is_acknowledged_once_and_the_talk_goes_on(ask):
    visitor = ask("greater_boston")
    visitor.says(
        "I used to think about suicide years ago but I am well now, can i work during iop?"
    )
    visitor.hears("past_or_negated", "988").is_at(tier="none")
    visitor.says("is medication included? i was suicidal in college, long over")
    assert "past_or_negated" not in visitor.responses


def test_fear_of_the_police_is_met_where_a_crisis_reply_stands_open(ask):
    visitor = ask("greater_boston").says("I want to kill myself")
    visitor.says("will they send the cops to my house if i call?").hears("crisis_police")
