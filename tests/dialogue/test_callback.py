"""The callback form, as conversations: short, kind, and stored only after a yes."""

from datetime import datetime

import pytest

from tests.dialogue.visitor import THANKSGIVING

NUMBERS = iter(range(200, 999))


@pytest.fixture
def phone():
    """A number that no other test gives: one person has one request a day."""
    return f"617-555-0{next(NUMBERS)}"


def e164(phone):
    return "+1" + phone.replace("-", "")


ANSWERS = {
    "name": "Ana",
    "state": "Massachusetts",
    "best_time": "mornings",
    "ok_to_call": "call or text",
    "ok_voicemail": "yes",
}


def fill_in(visitor, until=None, /, **answers):
    """Answer the form up to the question `until`; None: to the recap."""
    given = {**ANSWERS, **answers}
    for _ in given:
        if (asked := visitor.state.open_question) in given and asked != until:
            visitor.says(given[asked])
    return visitor.is_asked(until or "confirm")


# --- the whole way -------------------------------------------------------------------------


def test_a_request_is_stored_only_after_a_yes_and_then_confirmed(ask, record, phone):
    visitor = ask("greater_boston", now=THANKSGIVING).says("can someone call me")
    visitor.is_asked("name").says("my name is Ana").is_asked("phone").says(phone)
    visitor.is_asked("state").says("MA").is_asked("best_time").says("after 4")
    visitor.is_asked("ok_to_call").presses("Call or text")
    visitor.is_asked("ok_voicemail").says("no").is_asked("confirm")
    visitor.hears("callback_confirm", "Ana", phone[-8:], "after 4 (Eastern time)", "Call or text")
    visitor.hears("callback_confirm", "Massachusetts", "English")
    assert record(visitor) is None
    asked = visitor.text
    visitor.presses("Yes").is_asked(None).is_at(handoff="callback")
    visitor.hears("callback_done", visitor.state.reference, "after we open, tomorrow (Friday)")
    visitor.hears("callback_done", "988", "911", "833-773-2445")
    _, found = record(visitor)
    assert (found.name, found.phone, found.best_time) == ("Ana", e164(phone), "after 4")
    assert (found.ok_to_call, found.ok_to_text, found.ok_voicemail) == ("yes", "yes", "no")
    assert (found.state, found.language, found.time_zone) == ("MA", "en", "America/New_York")
    assert found.call_from == datetime.fromisoformat("2026-11-27T16:00-05:00")
    assert (found.consent, found.consent_at) == (asked, visitor.now)


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_the_whole_way_in_spanish(ask, record, phone, channel):
    visitor = ask("greater_boston", channel).says("quiero que me llamen por favor")
    visitor.is_at(language="es").is_asked("name").says("me llamo Ana").says(phone)
    visitor.says("Massachusetts").says("mañana por la tarde").says("solo llamadas")
    visitor.says("sí").is_asked("confirm")
    visitor.hears(visitor.responses[0], "Ana", "hora del Este", "Solo llamada", "Español")
    visitor.says("sí").is_asked(None)
    _, found = record(visitor)
    assert (found.best_time, found.ok_to_text) == ("mañana por la tarde", "no")


def test_everything_but_the_number_can_be_skipped(ask, record, phone):
    visitor = ask("greater_boston").says("call me back").presses("Skip").says(phone)
    visitor.presses("Skip").says("I'd rather not").presses("Skip").presses("Skip")
    visitor.is_asked("confirm").hears("callback_confirm", "not given").says("yes")
    _, found = record(visitor)
    assert (found.name, found.state, found.best_time) == (None, None, None)
    assert (found.ok_to_call, found.ok_to_text, found.ok_voicemail) == ("unknown",) * 3


def test_what_the_questionnaire_knows_is_not_asked_again(ask, phone):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.is_asked("age_band").says("please call me back").is_asked("name").says("Bo")
    visitor.says(phone).is_asked("best_time")
    fill_in(visitor).hears("callback_confirm", "Massachusetts")


def test_the_state_of_the_form_is_known_to_the_questionnaire(ask, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone).says("yes")
    visitor.says("find a program").hears("triage_intro").is_asked("for_whom").says("me")
    visitor.says("no").is_asked("age_band")


# --- one request per person and day ----------------------------------------------------------


def test_a_second_request_updates_the_first_and_keeps_the_code(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone).says("yes")
    code = visitor.hears("callback_done").state.reference
    visitor.says("can you call me back again please").is_asked("confirm").says("yes")
    visitor.hears("callback_updated", code)
    assert record(visitor)[0] == code


def test_the_same_number_in_another_chat_of_the_day_is_the_same_request(ask, record, phone):
    first = fill_in(ask("greater_boston").says("call me back"), phone=phone).says("yes")
    second = fill_in(ask("greater_boston", "sms").says("call me back"), phone=phone, name="A")
    second.says("yes").hears("callback_updated", "already had", first.state.reference)
    assert record(second) == record(first)
    second.says("can I talk to a person").is_at(reference=first.state.reference)


def test_the_next_day_it_is_a_new_request(ask, phone):
    first = fill_in(ask("greater_boston").says("call me back"), phone=phone).says("yes")
    later = ask("greater_boston", now=THANKSGIVING).says("call me back")
    later = fill_in(later, phone=phone).says("yes").hears("callback_done")
    assert later.state.reference != first.state.reference


# --- the number --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("617 555", "some digits are missing"),
        ("banana", "doesn't look like a number"),
        ("12345678901234567", "too many digits"),
    ],
)
def test_a_wrong_number_is_explained_and_asked_again(ask, wrong, problem, phone):
    visitor = ask("greater_boston").says("call me back").says("Bo").is_asked("phone")
    visitor.says(wrong).is_asked("phone").hears("callback_phone_invalid", problem)
    visitor.says(phone).is_asked("state")


@pytest.mark.parametrize(
    "typed", ["six one seven five five five oh one four two", "+44 20 7946 0018"]
)
def test_a_number_is_read_however_it_is_written(ask, typed):
    ask("greater_boston").says("call me back").says("Bo").says(typed).is_asked("state")


def test_of_two_numbers_one_is_chosen(ask, phone):
    visitor = ask("greater_boston").says("call me back").says("Bo")
    visitor.says(f"{phone} or 617-555-0143 at work").hears("callback_phone_which")
    visitor.is_asked("phone").presses("(617) 555-0143").is_asked("state")
    fill_in(visitor).hears("callback_confirm", "(617) 555-0143")


def test_a_refused_number_is_explained_once_and_then_accepted(ask, record):
    visitor = ask("greater_boston").says("call me back").says("Bo")
    visitor.says("I'd rather not say").hears("callback_phone_needed").is_asked("phone")
    visitor.presses("Leave it").hears("callback_without_number", "888-278-0716", "988")
    visitor.is_asked(None)
    assert record(visitor) is None


def test_after_the_explanation_a_number_is_welcome(ask, phone):
    visitor = ask("greater_boston").says("call me back").says("Bo").says("no")
    visitor.hears("callback_phone_needed").says(phone).is_asked("state")


@pytest.mark.parametrize(
    ("said", "owner", "shown"), [("mine", "visitor", ")"), ("his", "person", "of your son")]
)
def test_for_a_relative_it_is_asked_whose_number_it_is(ask, record, phone, said, owner, shown):
    visitor = ask("greater_boston").says("I need help for my son").says("no").says("MA")
    visitor.says("please call me back").is_asked("name").says("Bo").says(phone)
    visitor.hears("callback_phone_owner", "your son").is_asked("phone").says(said)
    visitor.is_asked("best_time")
    fill_in(visitor).hears("callback_confirm", shown).says("yes")
    _, found = record(visitor)
    assert (found.phone_owner, found.relation) == (owner, "son")


# --- calls, texts, voicemail ---------------------------------------------------------------------


def test_texts_only_asks_no_voicemail_and_promises_no_call(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "ok_to_call", phone=phone)
    visitor.says("please only text me").is_asked("confirm").says("yes")
    visitor.hears("callback_done", "text you instead of calling")
    _, found = record(visitor)
    assert (found.ok_to_call, found.ok_to_text, found.ok_voicemail) == ("no", "yes", "no")


def test_if_neither_is_safe_it_is_asked_once_which_way_is_possible(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "ok_to_call", phone=phone)
    visitor.says("no").hears("callback_ok_to_text").is_asked("ok_to_text")
    visitor.presses("Text only").is_asked("confirm").says("yes")
    assert record(visitor)[1].ok_to_text == "yes"


def test_without_any_safe_way_nothing_is_stored(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "ok_to_call", phone=phone)
    visitor.says("neither").is_asked("ok_to_text").presses("Neither")
    visitor.hears("callback_without_number", "888-278-0716").is_asked(None)
    assert record(visitor) is None


# --- the time ------------------------------------------------------------------------------------


def test_a_time_outside_the_hours_is_written_down_but_not_promised(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "best_time", phone=phone)
    visitor.says("after 9 pm").hears("callback_time_outside", "after 9 pm", "8:30 AM to 6:00 PM")
    fill_in(visitor).says("yes").does_not_hear("9 pm")
    _, found = record(visitor)
    assert (found.best_time, found.call_from) == ("after 9 pm", None)


@pytest.mark.parametrize(
    ("state", "zone"), [("California", "Pacific"), ("Florida", "Eastern"), ("skip", "Eastern")]
)
def test_the_time_is_meant_where_the_visitor_lives(ask, phone, state, zone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone, state=state)
    visitor.hears("callback_confirm", f"mornings ({zone} time)")


def test_words_without_a_time_are_kept_as_they_are(ask, record, phone):
    visitor = ask("greater_boston").says("call me back")
    fill_in(visitor, phone=phone, best_time="when my kids are at school").says("yes")
    assert record(visitor)[1].best_time == "when my kids are at school"


# --- changing one's mind -------------------------------------------------------------------------


def test_the_recap_is_corrected_by_name(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone="617-555-0100")
    visitor.says("the number is wrong").is_asked("phone").says(phone).is_asked("confirm")
    visitor.says("change my name to Beatriz").is_asked("confirm").hears(
        "callback_confirm", "Beatriz"
    )
    visitor.says("yes").hears("callback_done")
    _, found = record(visitor)
    assert (found.name, found.phone) == ("Beatriz", e164(phone))


def test_a_new_number_at_the_recap_is_taken(ask, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone="617-555-0100")
    visitor.says(f"no, it's {phone}").is_asked("confirm").hears("callback_confirm", phone[-8:])


@pytest.mark.parametrize(
    ("line", "question"),
    [("Name", "name"), ("Number", "phone"), ("State", "state"), ("Good time", "best_time")],
)
def test_a_line_of_the_recap_is_chosen_and_asked_again(ask, phone, line, question):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone)
    visitor.presses("Change something").hears("callback_which").is_asked("confirm")
    visitor.presses(line).is_asked(question)


def test_the_language_of_the_call_is_changed_at_the_recap(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone)
    visitor.presses("Change something").presses("Language").is_asked("language")
    visitor.presses("Spanish").is_asked("confirm").hears("callback_confirm", "Español")
    visitor.says("sí")
    assert record(visitor)[1].language == "es"


def test_no_at_the_recap_passes_nothing_on(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), phone=phone).says("no")
    visitor.hears("callback_which", "Nothing is passed on yet").presses("Don't pass it on")
    visitor.hears("callback_cancelled").is_asked(None)
    assert record(visitor) is None


def test_go_back_leads_to_the_question_before(ask, phone):
    visitor = ask("greater_boston").says("call me back").is_asked("name")
    visitor.says("go back").hears("callback_go_back_first").is_asked("name").says("Bo")
    visitor.says(phone).is_asked("state").says("go back").is_asked("phone").says(phone)
    visitor.is_asked("state").says("MA").is_asked("best_time").says("back").is_asked("state")


def test_a_call_that_is_not_wanted_any_more_is_dropped(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "best_time", phone=phone)
    visitor.says("never mind").hears("callback_cancelled").is_asked(None)
    assert record(visitor) is None


def test_somebody_who_leaves_is_let_go_and_may_come_back(ask, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "best_time", phone=phone)
    visitor.says("goodbye").hears("goodbye").does_not_hear("When is a good time")
    visitor.says("mornings").is_asked("ok_to_call")


def test_somebody_who_leaves_after_giving_a_number_is_told_that_nobody_will_call(
    ask, record, phone
):
    visitor = fill_in(ask("greater_boston").says("call me back"), "best_time", phone=phone)
    visitor.says("thanks for everything, bye").hears("goodbye").hears("callback_not_sent")
    assert record(visitor) is None


def test_somebody_who_leaves_before_giving_a_number_is_just_let_go(ask):
    visitor = ask("greater_boston").says("call me back").says("Ana").is_asked("phone")
    visitor.says("goodbye").hears("goodbye")
    assert "callback_not_sent" not in visitor.responses


@pytest.mark.parametrize("text", ["no voicemail pls", "please don't leave a voicemail"])
def test_a_refused_voicemail_is_noted_at_any_question(ask, record, phone, text):
    visitor = fill_in(ask("greater_boston").says("call me back"), "state", phone=phone)
    visitor.says(text).hears("noted").is_asked("state")
    visitor.says("Massachusetts").says("mornings").says("call or text").is_asked("confirm")
    visitor.says("yes")
    _, found = record(visitor)
    assert found.ok_voicemail == "no"


def test_texts_only_is_not_forgotten_beside_a_refused_voicemail(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "state", phone=phone)
    visitor.says("text only, no voicemail").hears("noted").is_asked("state")
    visitor.says("Massachusetts").says("mornings").is_asked("confirm").says("yes")
    _, found = record(visitor)
    assert (found.ok_to_call, found.ok_to_text, found.ok_voicemail) == ("no", "yes", "no")


# --- side questions and danger -----------------------------------------------------------------


def test_a_question_in_the_form_is_answered_and_is_not_taken_for_a_name(ask, record):
    visitor = ask("greater_boston").says("call me back").is_asked("name")
    visitor.says("how long does the program take?").hears("faq_program_length")
    visitor.hears("callback_name").is_asked("name").says("Lee").is_asked("phone")


def test_three_answers_that_do_not_fit_leave_a_question_open(ask, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "ok_voicemail", phone=phone)
    visitor.says("purple").says("purple").says("purple").is_asked("confirm")


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_after_a_crisis_reply_a_number_can_be_left(ask, record, phone, channel):
    visitor = ask("greater_boston", channel).says("I want to kill myself")
    code, before = record(visitor)
    assert (before.kind, before.phone) == ("crisis", None)
    visitor.says("can someone call me").is_asked("name")
    fill_in(visitor, phone=phone).says("yes")
    after, found = record(visitor)
    assert (after, found.phone, found.kind) == (code, e164(phone), "crisis")
    assert found.tier == "crisis_self"


def test_danger_in_the_form_is_answered_first_and_the_form_goes_on(ask, record, phone):
    visitor = fill_in(ask("greater_boston").says("call me back"), "best_time", phone=phone)
    visitor.says("it won't matter, I am going to kill myself tonight")
    assert "988" in visitor.text
    visitor.presses("Keep going here").is_asked("best_time")
    fill_in(visitor).says("yes")
    assert "tonight" not in repr(record(visitor)[1])


# --- another language, in the middle -------------------------------------------------------


@pytest.mark.parametrize("until", ["name", "phone", "best_time", "confirm"])
def test_the_language_is_switched_at_any_field(ask, phone, until):
    visitor = fill_in(ask("greater_boston").says("please call me"), until, phone=phone)
    visitor.says("I don't speak English").hears("switch_language", "español").is_asked(until)


def test_a_question_in_another_language_is_answered_in_it(ask, phone):
    visitor = fill_in(ask("greater_boston").says("please call me"), "best_time", phone=phone)
    visitor.says("¿puedo seguir trabajando mientras voy al programa?")
    visitor.hears("faq_work_school", "trabajar").is_asked("best_time")


def test_a_wish_for_the_call_that_is_being_arranged_asks_the_open_question_again(ask, phone):
    visitor = fill_in(ask("greater_boston").says("please call me"), "state", phone=phone)
    visitor.says("call me please").hears("callback_state").is_asked("state")
    fill_in(visitor).says("please call me").hears("callback_confirm").is_asked("confirm")


# --- what is told before it is asked --------------------------------------------------------


def test_a_time_in_the_request_is_not_asked_again(ask, phone):
    visitor = ask("greater_boston").says("can someone call me tomorrow at 3pm?").is_asked("name")
    fill_in(visitor, "ok_to_call", phone=phone, best_time="never asked")
    fill_in(visitor).hears("callback_confirm", "tomorrow at 3pm")


def test_a_number_beside_the_name_is_taken_too(ask, phone):
    visitor = ask("greater_boston").says("please call me").says(f"Mike, {phone}")
    fill_in(visitor.is_asked("state")).hears("callback_confirm", "Name: Mike\n", phone[-8:])


@pytest.mark.parametrize("field", ["state", "best_time", "ok_to_call", "ok_voicemail"])
def test_another_number_counts_whenever_it_is_told(ask, phone, field):
    visitor = fill_in(ask("greater_boston").says("please call me"), field, phone="617-555-0199")
    visitor.says(f"wait, it's {phone}").is_asked(field)
    fill_in(visitor).hears("callback_confirm", phone[-8:]).does_not_hear("555-0199")


def test_a_number_that_is_spelled_out_at_the_recap_counts(ask, phone):
    visitor = fill_in(ask("greater_boston").says("please call me"), phone="617-555-0199")
    visitor.says("my number is six one seven five five five oh one eight eight")
    visitor.hears("callback_confirm", "555-0188").does_not_hear("555-0199")


def test_a_yes_to_changing_something_is_no_consent(ask, phone):
    visitor = fill_in(ask("greater_boston").says("please call me"), phone=phone)
    visitor.says("yes I want to change something").is_asked("confirm").is_at(handoff="none")


# --- yes and no among other words -----------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "line"),
    [("it's my work phone so yes", "Voicemail: yes"), ("no my boss listens", "Voicemail: no")],
)
def test_an_answer_about_voicemail_may_say_why(ask, phone, says, line):
    visitor = fill_in(ask("greater_boston").says("please call me"), "ok_voicemail", phone=phone)
    visitor.says(says).hears("callback_confirm", line)


def test_words_about_phones_without_danger_bring_no_crisis_help(ask, phone):
    visitor = fill_in(ask("greater_boston").says("please call me"), "ok_voicemail", phone=phone)
    visitor.says("it's my work phone so hmm").hears("callback_ok_voicemail")
