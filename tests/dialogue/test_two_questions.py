"""Two questions in one message are two answers, outside and inside the questionnaire."""

import pytest

from bot.vocabulary import FAQ_TOPICS

BOTH = [
    "can I keep working, and is medication included?",
    "¿Puedo seguir trabajando y están incluidas las medicinas?",
]


@pytest.mark.parametrize("clinic", ["greater_boston", "time_wellness_georgia"])
@pytest.mark.parametrize("text", BOTH)
def test_both_are_answered_in_their_order(ask, assistant, clinic, text):
    visitor = ask(clinic).says(text)
    assert visitor.responses == ["faq_work_school", "faq_medication_management"]
    for topic in ("work_school", "medication_management"):
        answer = assistant.clinics[clinic].answer(
            topic, language=visitor.state.language, channel="web"
        )
        assert answer.text in visitor.text


@pytest.mark.parametrize("text", BOTH)
def test_on_sms_each_text_keeps_to_its_length(ask, assistant, text):
    visitor = ask("greater_boston", "sms").says(text)
    assert all(len(message.text) <= 320 for message in visitor.answer.messages)
    language = visitor.state.language
    for topic in ("work_school", "medication_management"):
        answer = assistant.clinics["greater_boston"].answer(topic, language=language, channel="sms")
        assert answer.text.split(".")[0] in visitor.text


def test_a_third_question_is_offered_as_a_button(ask):
    visitor = ask("greater_boston").says("How much is it, where are you, and can I bring my wife?")
    assert visitor.responses == ["faq_cost_insurance", "faq_location_contact"]
    assert visitor.buttons[0] == "Can family take part?"
    visitor.presses("Can family take part?").hears("faq_family_involvement")


def test_no_button_leads_back_to_what_was_just_said(ask):
    visitor = ask("greater_boston").says("what is iop? and how often would i come?")
    assert visitor.responses == ["faq_what_is_iop", "faq_schedule"]
    assert not {"What is IOP?", "How often would I come?"} & set(visitor.buttons)
    assert len(visitor.buttons) <= 3


def test_a_question_beside_a_wish_for_a_call(ask):
    visitor = ask("greater_boston").says("I'd like someone to call me, and do you take Aetna?")
    visitor.is_asked("name")
    assert visitor.responses == ["faq_cost_insurance", "callback_name"]


def test_a_question_beside_a_wish_for_a_person(ask):
    visitor = ask("greater_boston").says("Can I talk to a person? And where are you located?")
    assert visitor.responses[:2] == ["faq_location_contact", "handoff_open"]


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_an_answer_and_two_questions_inside_the_questionnaire(ask, channel):
    visitor = ask("greater_boston", channel).says("find a program").says("me").says("no")
    visitor.says("MA").is_asked("age_band")
    visitor.says("I'm 34. Can I keep working, and is medication included?")
    visitor.is_asked("substance_use")
    assert "work" in visitor.text
    assert "medication" in visitor.text.lower()


@pytest.mark.parametrize(
    "text", ["for me, and is it confidential?", "para mí, ¿y es confidencial?"]
)
def test_the_open_question_is_answered_too(ask, text):
    visitor = ask("greater_boston").says("find a program").is_asked("for_whom").says(text)
    visitor.hears("faq_privacy").is_asked("safety_now")


def test_two_questions_without_an_answer_keep_the_open_question(ask):
    visitor = ask("greater_boston").says("find a program").is_asked("for_whom")
    visitor.says("how long does it take and can i do it online?").is_asked("for_whom")
    visitor.hears("faq_program_length").hears("faq_telehealth").hears("ask_for_whom")


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("what's the difference between iop and outpatient?", "difference_iop_outpatient"),
        ("do you treat anxiety and depression?", "conditions_treated"),
        ("can i work and go to school?", "work_school"),
        ("do you take insurance and what does it cost", "cost_insurance"),
    ],
)
def test_one_question_with_an_and_is_one_answer(ask, text, topic):
    assert ask("greater_boston").says(text).responses == [f"faq_{topic}"]


@pytest.mark.parametrize("clinic", ["greater_boston", "time_wellness_georgia"])
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_every_follow_up_leads_on_and_none_back_to_itself(assistant, clinic, language, channel):
    from bot.clinic.topics import load_topics

    topics, profile = load_topics(), assistant.clinics[clinic]
    for topic in FAQ_TOPICS:
        answer = profile.answer(topic, language=language, channel=channel)
        assert topic not in answer.follow_up
        for other in answer.follow_up:
            assert topics.label(other, language, profile)
            following = profile.answer(other, language=language, channel=channel)
            assert following.text != answer.text, (topic, other)


@pytest.mark.parametrize(
    ("answers", "text", "field", "heard"),
    [
        ([], "Anna, is this private?", "phone", "faq_privacy"),
        ([], "Ana. ¿Cuánto cuesta?", "phone", "faq_cost_insurance"),
        (["Anna"], "617 555 0142, and do you take insurance?", "state", "faq_cost_insurance"),
    ],
)
def test_an_answer_to_the_callback_form_beside_a_question(ask, answers, text, field, heard):
    visitor = ask("greater_boston").says("please call me back").is_asked("name")
    for answer in answers:
        visitor.says(answer)
    visitor.says(text).hears(heard).is_asked(field)


def test_a_story_beside_a_question_is_no_name(ask):
    visitor = ask("greater_boston").says("please call me back").is_asked("name")
    visitor.says("I have been down since my divorce last spring. What is IOP?")
    visitor.hears("faq_what_is_iop").is_asked("name")
