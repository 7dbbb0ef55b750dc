"""A straight answer, from the clinic's own facts."""

import pytest

from bot.vocabulary import FAQ_TOPICS
from tests.dialogue.visitor import MONDAY_MORNING

BOSTON, GEORGIA = "greater_boston", "time_wellness_georgia"


@pytest.mark.parametrize("clinic", [BOSTON, GEORGIA])
@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Can I keep my job during IOP?", "work_school"),
        ("Is medication included?", "medication_management"),
        ("Does it work better than regular therapy?", "effectiveness"),
        ("what's the difference between iop and outpatient", "difference_iop_outpatient"),
        ("¿puedo seguir trabajando mientras hago el IOP?", "work_school"),
    ],
)
def test_the_questions_of_the_order_are_answered(ask, assistant, clinic, question, topic):
    visitor = ask(clinic).says(question)
    language = visitor.state.language
    answer = assistant.clinics[clinic].answer(topic, language=language, channel="web")
    visitor.hears(f"faq_{topic}", answer.text)


def test_each_clinic_answers_with_its_own_facts(ask):
    question = "how often are outpatient sessions?"
    ask(BOSTON).says(question).hears("faq_schedule").does_not_hear("twice a week")
    ask(GEORGIA).says(question).hears("faq_schedule", "twice a week")


def test_what_the_article_does_not_say_is_not_invented(ask):
    boston = ask(BOSTON).says("do you take my insurance and what does it cost")
    boston.hears("faq_cost_insurance", "888-278-0716").does_not_hear("$", "we accept")
    georgia = ask(GEORGIA).says("what is your phone number")
    assert not any(character.isdigit() for character in georgia.text.replace("988", ""))


def test_the_spam_of_the_article_never_reaches_a_visitor(assistant):
    for clinic in assistant.clinics.values():
        for topic in FAQ_TOPICS:
            for language in ("en", "es"):
                text = clinic.answer(topic, language=language, channel="web").text.lower()
                assert "slot" not in text.split()
                assert "gacor" not in text


def test_a_follow_up_button_asks_its_question(ask):
    visitor = ask(BOSTON).says("can i keep working during iop?")
    visitor.presses(visitor.buttons[0])
    assert visitor.responses[0].startswith("faq_")


def test_small_talk_is_answered(ask):
    visitor = ask(BOSTON, now=MONDAY_MORNING)
    visitor.hears("greet", "automated", "not a person", "911", "988")
    visitor.says("hi").hears("greet_back").does_not_hear("welcome")
    visitor.says("hello again").hears("greet_again")
    visitor.says("are you a real person?").hears("ask_if_bot", "program")
    visitor.says("thank you so much").hears("thank")
    visitor.says("bye").hears("goodbye", "988")


def test_medical_advice_goes_to_a_prescriber(ask):
    ask(BOSTON).says("should i stop taking my lexapro").hears("medical_advice", "prescriber")


def test_not_understood_asks_once_then_offers_a_person(ask):
    visitor = ask(BOSTON).says("flurb the wozzle gently")
    assert visitor.responses[0] in ("repair_first", "repair_choices", "out_of_scope")
    visitor.says("zxcv qwer asdf")
    visitor.says("blip blap blop wumbo")
    assert "Talk to a person" in visitor.buttons


def test_repeat_says_the_last_answer_again(ask):
    visitor = ask(BOSTON).says("is medication included in iop?")
    said = visitor.text
    assert said in visitor.says("can you say that again?").text


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("whats the difference between php and iop", ["faq_what_is_php", "faq_what_is_iop"]),
        ("¿diferencia entre internación y PHP?", ["faq_what_is_inpatient", "faq_what_is_php"]),
        ("what is php", ["faq_what_is_php"]),
        ("iop or outpatient, what's the difference", ["faq_difference_iop_outpatient"]),
    ],
)
def test_a_comparison_is_of_the_levels_that_were_named(ask, question, answers):
    assert ask("greater_boston").says(question).responses == answers
