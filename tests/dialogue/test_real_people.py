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


@pytest.mark.parametrize(
    "text",
    ["Bonjour", "Mwen bezwen ed pou pitit mwen", "Dzień dobry", "Ik heb hulp nodig voor mijn zoon"],
)
def test_a_greeting_or_a_few_words_of_another_language_are_known_for_one(ask, text):
    ask("greater_boston").says(text).hears("other_script", "English", "español", "988")


@pytest.mark.parametrize("text", ["DO YOU TAKE BLUE CROSS", "WHAT IS THE COST"])
def test_capitals_are_read_like_small_letters(ask, text):
    ask("greater_boston").says(text).hears("faq_cost_insurance")


def test_a_question_behind_a_skip_is_answered(ask):
    visitor = ask("greater_boston").says("find what fits").says("me").is_asked("safety_now")
    visitor.says("actually skip this, what is php").hears("faq_what_is_php")
    assert visitor.state.open_question != "safety_now"


@pytest.mark.parametrize("text", ["17", "MA", "New Hampshire"])
def test_an_age_or_a_state_alone_is_kept_whatever_was_asked(ask, text):
    visitor = ask("greater_boston").says("find what fits").is_asked("for_whom")
    visitor.says(text).hears("noted").is_asked("for_whom").says("me").says("no")
    assert visitor.state.open_question != ("age_band" if text == "17" else "state")


def test_who_asks_what_is_meant_hears_the_whole_question_and_how_to_answer(ask):
    visitor = ask("greater_boston").says("find what fits").says("what do you mean")
    visitor.hears("ask_for_whom", "Who is this for", 'Please say "me"')


@pytest.mark.parametrize("text", ["what can you do for him?", "he needs help", "my son is 22"])
def test_a_story_of_several_relatives_tells_for_whom_it_is(ask, text):
    story = f"my ex husband is no use and my daughter is worried. {text}"
    visitor = ask("greater_boston").says(story)
    if visitor.state.open_question is None:
        visitor.says("find what fits")
    visitor.is_asked("safety_now").does_not_hear("Have you had")


@pytest.mark.parametrize("said", ["\N{THUMBS UP SIGN}", "yes", "ok"])
def test_a_yes_is_no_time_to_call(ask, said):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.says("MA").is_asked("best_time").says(said).is_asked("best_time")


@pytest.mark.parametrize("question", ["name", "phone", "state"])
@pytest.mark.parametrize("text", ["tomorrow morning", "weekdays before noon", "mañana temprano"])
def test_a_time_told_at_another_question_is_kept(ask, question, text):
    visitor = ask("greater_boston").says("call me back")
    answers = {"name": "Sam", "phone": "617 555 0142", "state": "MA"}
    for field, answer in answers.items():
        if field == question:
            visitor.says(text).hears("noted").is_asked(field)
        visitor.says(answer)
    visitor.is_asked("ok_to_call")


def test_how_to_reach_somebody_told_at_another_question_is_kept(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("text only please")
    visitor.hears("noted").is_asked("phone").says("617 555 0142").says("MA").says("mornings")
    visitor.is_asked("confirm").hears("callback_confirm", "Text only")


def test_a_sentence_is_nobodys_name(ask):
    visitor = ask("greater_boston").says("call me back")
    visitor.says("well they are not here yet").is_asked("name")
    visitor.says("María de los Ángeles Fernández").is_asked("phone")


def test_a_question_at_the_number_is_answered(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").is_asked("phone")
    visitor.says("what is iop").hears("faq_what_is_iop").is_asked("phone")


def test_who_wants_no_call_after_all_is_let_go_at_the_number(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").is_asked("phone")
    visitor.says("no wait i don't want a call").hears("callback_cancelled").is_asked(None)


def test_no_calls_where_the_way_is_asked_means_texts(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.says("MA").says("mornings").is_asked("ok_to_call").says("no calls")
    visitor.is_asked("confirm").hears("callback_confirm", "Text only")


@pytest.mark.parametrize("text", ["looks good", "todo bien"])
def test_who_agrees_to_the_recap_in_other_words_than_yes_has_agreed(ask, text):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.says("MA").says("mornings").says("text only").is_asked("confirm")
    visitor.says(text).is_asked(None).is_at(handoff="callback")


def test_a_name_that_is_put_right_at_the_next_question_is_taken(ask):
    visitor = ask("greater_boston").says("call me back").says("Jon").is_asked("phone")
    visitor.says("actually it's spelled Jonathan").is_asked("phone").says("617 555 0142")
    visitor.says("MA").says("mornings").says("text only").hears("callback_confirm", "Jonathan")


@pytest.mark.parametrize("text", ["i called them", "yes i called 911", "the ambulance is coming"])
def test_who_has_called_for_help_is_neither_asked_to_call_nor_for_a_name(ask, text):
    visitor = ask("greater_boston").says("my brother took pills and won't wake up")
    visitor.says(text).hears("emergency_help_coming", "911").is_asked(None)
    visitor.says("what do i do").hears("crisis_stay", "911")


def test_nobody_answering_is_no_help_on_its_way(ask):
    visitor = ask("greater_boston").says("I want to end my life")
    visitor.says("i called them and nobody answered").hears("crisis_cannot_call")


def test_called_911_beside_more_danger_gets_the_crisis_reply(ask):
    visitor = ask("greater_boston").says("my brother took pills and won't wake up")
    visitor.says("i called 911 but he stopped breathing")
    assert "emergency_help_coming" not in visitor.responses


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "Sam but everything feels pointless"),
        ("best_time", "mornings, if i'm still around"),
        ("best_time", "call me tomorrow if im still alive"),
    ],
)
def test_despair_told_in_passing_in_the_callback_form_gets_the_direct_question(ask, field, text):
    visitor = ask("greater_boston").says("call me back")
    for answer in ("Sam", "617 555 0142", "MA"):
        if visitor.state.open_question != field:
            visitor.says(answer)
    visitor.says(text).hears("concern_check").is_asked("concern")


def test_what_was_not_asked_beside_a_worry_is_not_answered(ask):
    visitor = ask("greater_boston").says("my husband found out i looked this up and hes mad")
    visitor.is_asked("concern").says("no im ok").hears("concern_no")
    assert "faq_anger_management" not in visitor.responses


@pytest.mark.parametrize("text", ["I CANT BREATHE ITS A PANIC ATTACK", "panic attack pls help"])
def test_panic_gets_the_ways_to_a_person(ask, text):
    ask("greater_boston").says(text).hears("help_now", "988", "911")


def test_what_the_wish_for_a_call_tells_is_not_asked(ask):
    visitor = ask("greater_boston")
    visitor.says("please call me, I'm Dana, 617-555-0144, MA, mornings").is_asked("ok_to_call")
    visitor.says("text only").hears("callback_confirm", "- Name: Dana", "- Good time: mornings (")


def test_a_time_that_is_none_for_a_call_is_not_taken(ask):
    visitor = ask("greater_boston").says("i have an appointment tomorrow at 2 need to cancel")
    for answer in ("Sam", "617 555 0142", "MA"):
        visitor.says(answer)
    visitor.is_asked("best_time")


@pytest.mark.parametrize("text", ["now", "asap", "lo antes posible"])
def test_now_is_a_time_to_call(ask, text):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.says("MA").is_asked("best_time").says(text).is_asked("ok_to_call")


def test_a_cry_for_help_is_no_time_to_call(ask):
    visitor = ask("greater_boston").says("call me back").says("Sam").says("617 555 0142")
    visitor.says("MA").is_asked("best_time").says("I need help now").hears("help_now", "988")


@pytest.mark.parametrize(
    ("begin", "text"), [("call me back", "i live in lynn"), ("", "vivo en Lynn")]
)
def test_a_town_is_no_question_about_our_address(ask, begin, text):
    visitor = ask("greater_boston").says(begin or "find what fits")
    for answer in ("Sam", "617 555 0142") if begin else ("me", "no"):
        visitor.says(answer)
    visitor.is_asked("state").says(text).is_asked("state")
    assert "faq_location_contact" not in visitor.responses


def test_what_do_i_do_is_about_the_danger_as_long_as_it_may_last(ask):
    visitor = ask("greater_boston").says("find what fits").says("my roommate")
    visitor.says("he took something and won't wake up").hears("emergency")
    visitor.says("i called 911").says("they said 5 min").says("what do i do")
    visitor.hears("crisis_stay", "911")
    assert "faq_what_to_expect" not in visitor.responses


def test_a_medicine_named_in_a_story_does_not_hide_the_wish_for_a_call(ask):
    visitor = ask("greater_boston").says(
        "My name is Karen, I'm 42, I live in Worcester MA, I drink a bottle of wine every night, "
        "I take lexapro, I can't focus at work, can you call me at 508 555 0177 after 5pm?"
    )
    visitor.is_asked("best_time").says("after 5pm").says("text only")
    visitor.hears("callback_confirm", "- Name: Karen", "(508) 555-0177", "Massachusetts")


def test_for_my_father_is_no_question_in_spanish(ask):
    visitor = ask("greater_boston").says("quiero empezar").is_asked("for_whom")
    visitor.says("es para mi papá").is_asked("safety_now").does_not_hear("familia puede")


def test_too_personal_is_a_wish_to_skip(ask):
    visitor = ask("greater_boston").says("find what fits").says("me").is_asked("safety_now")
    visitor.says("this is too personal")
    assert visitor.state.open_question != "safety_now"


def test_keep_going_after_a_crisis_reply_goes_on(ask):
    visitor = ask("greater_boston").says("I want to end my life").says("keep going")
    visitor.hears("crisis_go_on", "988")


def test_we_called_after_a_crisis_reply_opens_no_form(ask):
    visitor = ask("greater_boston").says("my friend is suicidal").says("ok we called")
    visitor.hears("emergency_help_coming").is_asked(None)


def test_the_warning_about_stopping_suddenly_is_said_again(ask):
    visitor = ask("greater_boston").says("i need detox").hears("faq_detox")
    visitor.says("do you do detox").hears("faq_detox")


@pytest.mark.parametrize(("text", "heard"), [("nvm", None), ("ok its Pat", "phone")])
def test_short_words_at_the_name(ask, text, heard):
    ask("greater_boston").says("call me back").is_asked("name").says(text).is_asked(heard)
