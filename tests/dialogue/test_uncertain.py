"""Not sure what was meant: ask back with likely choices, then offer a person."""

import pytest

NONSENSE = ("the thing with the stuff", "so it was on the other side of it")


def test_the_second_time_in_a_row_a_person_is_offered(ask):
    visitor = ask("greater_boston").says(NONSENSE[0])
    assert visitor.responses[0] in ("repair_first", "repair_choices")
    visitor.says(NONSENSE[1]).hears("repair_person", "888-278-0716")
    assert visitor.buttons == ["Talk to a person", "Call me back"]


def test_an_understood_message_starts_the_count_anew(ask):
    visitor = ask("greater_boston").says(NONSENSE[0]).says("can i keep my job?")
    visitor.hears("faq_work_school").says(NONSENSE[1])
    assert visitor.responses[0] in ("repair_first", "repair_choices")


def test_choices_are_few_and_each_leads_to_what_it_says(ask):
    visitor = ask("greater_boston").says("evening kids insurance thing")
    if visitor.responses == ["repair_choices"]:
        assert 1 <= len(visitor.buttons) <= 3
        visitor.presses(visitor.buttons[0])
        assert not visitor.responses[0].startswith("repair")


@pytest.mark.parametrize(
    "text",
    [
        "what's the weather tomorrow",
        "I want to order a pizza",
        "write me a python function that sorts a list",
        "we sell SEO services, who is in charge of marketing?",
        "are you hiring therapists?",
        "¿qué tiempo va a hacer mañana?",
        "quiero pedir una pizza",
        "¿están contratando enfermeras?",
    ],
)
def test_out_of_scope_is_declined_kindly_with_a_way_on(ask, text):
    visitor = ask("greater_boston").says(text)
    assert visitor.responses[0] in ("out_of_scope", "repair_first", "repair_choices")
    visitor.is_at(tier="none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("should i stop my meds", ("prescriber", "888-278-0716")),
        ("how much zoloft can i take", ("prescriber", "888-278-0716")),
        ("is it safe to drink on lexapro?", ("prescriber", "888-278-0716")),
        ("¿puedo dejar mis pastillas?", ("quien le receta", "888-278-0716")),
        ("¿cuántos miligramos de sertralina debo tomar?", ("quien le receta", "888-278-0716")),
    ],
)
def test_medical_advice_leads_to_a_prescriber_and_the_line(ask, text, words):
    ask("greater_boston").says(text).hears("medical_advice", *words)
