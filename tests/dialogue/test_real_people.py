"""What real people do in a chat: few words, anger, change of mind, somebody else's words."""

import pytest

RECAP = ("me", "no", "MA", "adult", "no", "moderate", "yes")


@pytest.mark.parametrize(
    "text",
    [
        "Je cherche de l'aide pour mon fils, il boit trop",
        "meu filho usa drogas e preciso de ajuda",
        "kailangan ko ng tulong para sa anak ko",
    ],
)
@pytest.mark.parametrize("channel", ["web", "sms"])
def test_another_language_in_latin_letters_is_answered_like_another_script(ask, channel, text):
    visitor = ask("greater_boston", channel).says(text)
    visitor.hears("other_script", "988", "English", "español").is_at(tier="none")


@pytest.mark.parametrize(
    "text",
    [
        "can you text me instead of calling",
        "is there a way to text",
        "¿me pueden escribir en vez de llamar?",
    ],
)
def test_who_wants_texts_in_a_calm_chat_gets_no_crisis_help(ask, text):
    visitor = ask("greater_boston").says(text).hears("text_instead").is_asked(None)
    visitor.says("what is iop").hears("faq_what_is_iop")


def test_after_a_crisis_reply_not_being_able_to_call_is_still_met(ask):
    visitor = ask("greater_boston").says("I want to end my life")
    visitor.says("is there a number i can text instead").hears("crisis_cannot_call")


@pytest.mark.parametrize(
    "text",
    [
        "I'm a school counselor, do you take referrals?",
        "LCSW here, pt dx MDD + AUD, how do I refer to your PHP?",
        "soy médico, ¿cómo refiero a un paciente?",
    ],
)
@pytest.mark.parametrize("clinic", ["greater_boston", "time_wellness_georgia"])
def test_who_refers_somebody_hears_what_the_material_does_not_say(ask, clinic, text):
    assert ask(clinic).says(text).responses[0] == "faq_referrals"


def test_who_wants_a_call_at_the_recap_of_the_questionnaire_is_asked_for_a_name(ask):
    visitor = ask("greater_boston").says("find what fits")
    for answer in RECAP:
        visitor.says(answer)
    visitor.is_asked("confirm").says("can someone just call me").is_asked("name")


def test_who_wants_a_call_at_the_question_for_the_state_is_asked_for_a_name(ask):
    visitor = ask("greater_boston").says("find what fits").says("me").says("no").is_asked("state")
    visitor.says("just call me please").is_asked("name").says("Sam").is_asked("phone")


@pytest.mark.parametrize("text", ["no forget it, don't call", "ok never mind", "changed my mind"])
def test_who_changes_their_mind_at_the_number_is_let_go(ask, text):
    visitor = ask("greater_boston").says("call me back").says("Sam").is_asked("phone")
    visitor.says(text).hears("callback_cancelled").is_asked(None)


def test_from_the_callback_one_can_go_to_the_questions(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").is_asked("phone")
    visitor.says("actually, help me find the right program").is_asked("for_whom")


def test_a_fact_told_at_another_question_is_kept_and_the_question_comes_again(ask):
    visitor = ask("greater_boston").says("find what fits").says("for my son")
    visitor.says("he's 19").is_asked("safety_now").says("no").says("MA")
    assert visitor.state.open_question != "age_band"


def test_whom_one_quotes_is_not_whom_it_is_for(ask):
    visitor = ask("greater_boston").says("find what fits")
    visitor.says("my mom says i'm dramatic").is_asked("for_whom")


def test_a_question_without_its_mark_is_no_answer(ask):
    visitor = ask("greater_boston").says("find what fits").is_asked("for_whom")
    visitor.says("what if i can't pay").hears("faq_cost_insurance").is_asked("for_whom")


def test_the_same_topic_twice_in_a_row_is_not_told_in_the_same_words(ask):
    visitor = ask("greater_boston").says("do you take blue cross").hears("faq_cost_insurance")
    visitor.says("is medicaid ok?").hears("faq_again", "888-278-0716")
    visitor.says("what is php?").hears("faq_what_is_php")


def test_anger_twice_is_met_twice_in_different_words(ask):
    visitor = ask("greater_boston").says("you people are useless").hears("complain")
    visitor.says("this is bullshit").hears("complain_again")
    assert "Call me back" in visitor.buttons


@pytest.mark.parametrize("text", ["null", "undefined", "asdf", "NaN"])
def test_a_placeholder_answers_nothing(ask, text):
    ask("greater_boston").says(text).hears("repair_first")


@pytest.mark.parametrize("text", ["asdf", "null", "what?", "why do you ask"])
def test_an_unclear_answer_to_the_direct_question_is_no_no(ask, text):
    visitor = ask("greater_boston").says("I feel hopeless").is_asked("concern")
    visitor.says(text).hears("concern_check_again").is_asked("concern")
    visitor.says("no").hears("concern_no").is_asked(None)


def test_the_direct_question_is_not_asked_for_ever(ask):
    visitor = ask("greater_boston").says("I feel hopeless").says("asdf").says("asdf")
    visitor.hears("concern_no").is_asked(None)


def test_help_that_was_offered_without_danger_is_not_asked_about_for_ever(ask):
    visitor = ask("greater_boston", "sms").needs_help_now().hears("help_now")
    visitor.says("what is iop").hears("faq_what_is_iop")
    visitor.says("no").hears("deny").is_at(tier="none")


def test_who_asks_who_reads_it_hears_it(ask):
    ask("greater_boston").says("who reads what i write here").hears("faq_privacy", "staff can read")


def test_a_little_help_is_no_no(ask):
    visitor = ask("greater_boston").says("what is iop").says("it helped a little")
    visitor.hears("thank")


def test_a_state_told_late_is_kept_and_is_no_yes(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.is_asked("state").says("skip").is_asked("best_time").says("mornings")
    visitor.is_asked("ok_to_call").says("both").is_asked("ok_voicemail")
    visitor.says("MA").is_asked("ok_voicemail").says("no").is_asked("confirm")
    assert "Massachusetts" in visitor.text


@pytest.mark.parametrize("text", ["change my number", "i gave you the wrong number"])
def test_a_number_to_change_after_the_request_is_no_wish_for_silence(ask, text):
    visitor = ask("greater_boston").says(text)
    assert "stop_messages" not in visitor.responses


@pytest.mark.parametrize(
    ("first", "text"),
    [
        ("me siento sin esperanza", "no sé"),
        ("me siento sin esperanza", "a lo mejor"),
        ("I feel hopeless", "idk"),
        ("I feel hopeless", "maybe"),
        ("I feel hopeless", "a little"),
        ("I feel hopeless", "sometimes"),
    ],
)
def test_not_sure_is_no_no_to_the_direct_question(ask, first, text):
    visitor = ask("greater_boston").says(first).is_asked("concern")
    visitor.says(text).is_at(tier="crisis_self")
