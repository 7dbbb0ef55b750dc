"""An earlier answer is changed: the right one changes, what hangs on it is asked again."""

import pytest

from tests.dialogue.test_danger import LONG_WAY
from tests.dialogue.test_triage import ANSWERS, fill_in


@pytest.fixture
def halfway(ask):
    """For themselves, safe, in Massachusetts, 34; asked about alcohol and drugs."""
    visitor = ask("greater_boston").says("I want to find a program").says("me").says("no")
    return visitor.says("MA").says("34").is_asked("substance_use")


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_somebody_else_is_meant_and_the_questions_are_about_them(ask, channel):
    visitor = ask("greater_boston", channel).says("find a program").says("me").says("no")
    visitor.is_asked("state").says("actually, I meant my mom")
    assert "your mother" in visitor.text
    # A "no" about oneself says nothing about one's mother.
    visitor.is_asked("safety_now").says("no").is_asked("state")
    assert "your mother" in visitor.text


def test_somebody_else_is_meant_in_spanish(ask):
    visitor = ask("greater_boston").says("quiero saber qué programa me conviene").says("yo")
    visitor.says("no").is_asked("state").says("quise decir mi mamá")
    visitor.hears("triage_changed_person", "su madre").is_asked("safety_now")


def test_what_is_told_of_the_other_person_in_the_same_message_is_known(ask):
    visitor = ask("greater_boston").says("find a program for my mother").says("no")
    visitor.says("Actually, I meant my son, he's 22").hears("triage_changed_person", "your son")
    visitor.is_asked("safety_now").says("no").is_asked("state").says("MA")
    visitor.is_asked("substance_use")


def test_another_state(halfway):
    halfway.says("no wait, Georgia").hears("triage_changed", "State: Georgia")
    halfway.is_asked("substance_use")


def test_a_time_of_day_or_year_is_said_of_the_care_they_had(ask):
    visitor = ask("greater_boston").says("I just got out of the hospital")
    while visitor.state.open_question not in (None, "stability"):
        visitor.says({**ANSWERS, "symptom_severity": "moderate"}[visitor.state.open_question])
    visitor.is_asked("stability").says("no, it was in March")
    visitor.hears("triage_changed_open").is_asked("recent_care").says("none")
    assert visitor.state.open_question != "stability"


def test_yes_was_said_and_no_was_meant(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.says("no").is_asked("substance_use").says("I said no but I meant yes")
    visitor.hears("triage_changed", "Age: 18 or older").is_asked("substance_use")


def test_a_meant_yes_to_the_safety_question_gets_help_at_once(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no")
    visitor.is_asked("state").says("I meant yes").hears("crisis_self", "988")
    visitor.is_at(level="crisis_assessment", tier="crisis_self")


def test_an_answer_named_by_its_topic_is_asked_again(halfway):
    halfway.says("no").is_asked("symptom_severity").says("change my answer about drugs")
    halfway.is_asked("substance_use").says("sometimes").is_asked("withdrawal_risk")


def test_an_answer_named_with_its_new_value_is_changed(halfway):
    halfway.says("a few beers").is_asked("withdrawal_risk")
    halfway.says("change my answer about alcohol to no")
    # No use, no withdrawal: that question has no sense any more.
    halfway.hears("triage_changed").is_asked("symptom_severity")


def test_going_back_twice(halfway):
    halfway.says("go back").is_asked("age_band").says("go back").is_asked("state")
    halfway.says("Georgia").is_asked("age_band").says("yes").is_asked("substance_use")


def test_going_back_drops_what_hangs_on_the_answer(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.says("34").says("a few beers").is_asked("withdrawal_risk").says("no")
    visitor.says("go back").is_asked("withdrawal_risk").says("go back").is_asked("substance_use")
    visitor.says("no").is_asked("symptom_severity")


def test_an_actually_that_answers_the_open_question_corrects_nothing(halfway):
    halfway.says("actually no, I don't drink").is_asked("symptom_severity")
    halfway.does_not_hear("changed")


def confirming(visitor, **answers):
    """Lead a visitor to the recap."""
    visitor.says("find out which program fits")
    while (item := visitor.state.open_question) in ANSWERS:
        visitor.says({**ANSWERS, **answers}[item])
    return visitor.is_asked("confirm")


def test_the_recap_says_what_was_understood_in_plain_words(ask):
    visitor = confirming(ask("greater_boston"), symptom_severity="moderate")
    visitor.hears("triage_recap", "- State: Massachusetts", "- Age: 18 or older")
    visitor.hears("triage_recap", "Moderate: many days are hard")
    assert visitor.buttons == ["That's right", "Change something"]
    visitor.is_at(level=None, handoff="none").presses("That's right").is_at(level="iop")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_recap_fits_into_one_text_message(ask, language):
    visitor = ask("greater_boston", "sms", language=language)
    visitor.says({"en": "find out which program fits", "es": "qué programa me conviene"}[language])
    while (item := visitor.state.open_question) in LONG_WAY:
        visitor.says(LONG_WAY[item])
    visitor.is_asked("confirm")
    assert len(visitor.answer.messages) == 1
    assert len(visitor.text) <= 320
    assert visitor.text.splitlines()[-2].startswith("1 ")


def test_a_button_takes_one_answer_back_and_the_rest_stays(ask):
    visitor = confirming(ask("greater_boston"), symptom_severity="moderate")
    visitor.presses("Change something").hears("triage_which").presses("How hard things are")
    visitor.is_asked("symptom_severity").presses("Severe: nearly all days are very hard")
    while visitor.state.open_question != "confirm":
        visitor.says("no" if visitor.state.open_question == "needs_24h_care" else "most stopped")
    visitor.hears("triage_recap", "Severe", "Massachusetts").says("yes").is_at(level="php")


def test_the_topics_can_be_chosen_by_digit(ask):
    confirming(ask("greater_boston", "sms")).says("2").says("3").is_asked("state")


def test_a_recap_is_corrected_in_words(ask):
    visitor = confirming(ask("greater_boston"), symptom_severity="moderate")
    visitor.says("no, I live in Illinois").hears("triage_changed", "State: Illinois")
    visitor.is_asked("confirm").says("yes that's right").hears("result_gated")


def test_changing_something_and_then_nothing_after_all(ask):
    visitor = confirming(ask("greater_boston")).presses("Change something").says("no")
    visitor.hears("triage_recap_short").says("that's right").is_at(level="outpatient")


def test_an_unclear_answer_to_the_recap_never_keeps_a_person_from_the_clinic(ask):
    visitor = confirming(ask("greater_boston"))
    visitor.says("purple").is_asked("confirm").says("green").is_asked("confirm").says("blue")
    visitor.is_at(handoff="phone")


def test_a_question_at_the_recap_is_answered_and_the_recap_stays_open(ask):
    visitor = confirming(ask("greater_boston")).says("is medication included?")
    visitor.hears("faq_medication_management").hears("triage_recap_short").is_asked("confirm")


def test_danger_at_the_recap_is_answered_first(ask):
    visitor = confirming(ask("greater_boston")).says("I want to kill myself")
    visitor.hears("crisis_self", "988").is_at(tier="crisis_self")


def test_a_person_can_be_asked_for_at_the_recap(ask):
    confirming(ask("greater_boston")).says("just let me talk to a person").is_at(handoff="phone")


def test_no_recap_stands_before_help_in_a_crisis(ask):
    visitor = ask("greater_boston").says("find a program").says("me").presses("Yes, now")
    assert visitor.responses[0] == "crisis_self"


@pytest.mark.parametrize("channel", ["web", "sms"])
def test_after_the_result_a_correction_gives_a_new_result(ask, channel):
    visitor = fill_in(ask("greater_boston", channel), symptom_severity="moderate")
    visitor.is_at(level="iop").says("actually I'm 16")
    assert "under 18" in visitor.text
    visitor.does_not_hear("IOP").is_at(handoff="phone", open_question=None)


def test_after_the_result_a_correction_changes_the_level(ask):
    visitor = fill_in(ask("greater_boston"), symptom_severity="moderate").is_at(level="iop")
    code = visitor.state.reference
    visitor.says("I made a mistake, it's mild").hears("triage_changed")
    while visitor.state.open_question not in (None, "confirm"):
        visitor.says(ANSWERS[visitor.state.open_question])
    if visitor.state.open_question == "confirm":
        visitor.says("yes")
    visitor.is_at(level="outpatient", reference=code)


def test_after_the_result_in_spanish(ask):
    visitor = ask("greater_boston", language="es")
    fill_in(visitor, symptom_severity="moderado").says("en realidad tengo 16 años")
    visitor.does_not_hear("IOP")
    if visitor.state.open_question == "confirm":
        visitor.hears("triage_changed", "Menor de 18").says("sí")
    visitor.hears("result_minor").does_not_hear("IOP")


def test_after_the_result_a_correction_that_opens_questions_asks_them(ask):
    visitor = fill_in(ask("greater_boston"), symptom_severity="moderate").is_at(level="iop")
    visitor.says("change my answer about drugs to the main worry").is_asked("withdrawal_risk")
    visitor.says("sick and shaky").is_asked("confirm").says("yes").is_at(level="inpatient")


def test_a_correction_before_anything_was_asked_starts_the_questions(ask):
    visitor = ask("greater_boston").says("actually I'm 16").hears("triage_intro")
    visitor.is_asked("for_whom")


def test_going_back_before_anything_was_asked(ask):
    ask("greater_boston").says("go back").hears("go_back_nothing").is_asked(None)


@pytest.mark.parametrize("said", ["severe", "shaky", "it is moderate"])
def test_an_answer_that_does_not_fit_takes_nothing_back(ask, said):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.says("34").says("no").says("moderate").is_asked("needs_24h_care").says(said)
    visitor.hears("help_needs_24h_care").is_asked("needs_24h_care")


def test_an_age_told_in_passing_takes_nothing_back(ask):
    visitor = ask("greater_boston").says("find a program").says("me").says("no").says("MA")
    visitor.says("34").says("no").says("moderate").is_asked("needs_24h_care").says("she is 15")
    visitor.is_asked("needs_24h_care").says("no").is_asked("recent_care")


@pytest.mark.parametrize(
    "said", ["go back", "back", "undo that", "let me fix that", "wrong button", "atrás"]
)
def test_going_back_in_other_words(halfway, said):
    halfway.says(said).is_asked("age_band")
