"""How the callback form reads answers."""

import pytest

from bot.handoff.callback import (
    FIELDS,
    PhoneProblem,
    display_phone,
    next_field,
    read_best_time,
    read_name,
    read_phone,
    read_yes_no,
)


@pytest.mark.parametrize(
    "typed",
    [
        "617-555-0142",
        "(617) 555 0142",
        "617.555.0142",
        "+1 617 555 0142",
        "1-617-555-0142",
        "my number is 617 555 0142, thanks",
        "six one seven five five five oh one four two",
        "seis uno siete cinco cinco cinco cero uno cuatro dos",
    ],
)
def test_a_us_number_is_read_however_it_is_written(typed):
    assert read_phone(typed) == "+16175550142"


def test_a_foreign_number_is_read_with_its_country_code():
    assert read_phone("+44 20 7946 0018") == "+442079460018"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("617-555", "too_short"),
        ("555-0142", "too_short"),
        ("617-555-0142-9999", "too_long"),
        ("no thanks", "not_a_number"),
        ("", "not_a_number"),
        ("000 000 0000", "not_in_use"),
    ],
)
def test_a_wrong_number_says_what_is_wrong(typed, reason):
    assert read_phone(typed) == PhoneProblem(reason)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ana", "Ana"),
        ("my name is Dr. O'Brien", "Dr. O'Brien"),
        ("I'm José María", "José María"),
        ("me llamo Ana López", "Ana López"),
        ("call me J", "J"),
        ("Nguyễn Thị Minh", "Nguyễn Thị Minh"),
        ("Will", "Will"),
    ],
)
def test_a_name_is_taken_as_given(typed, name):
    assert read_name(typed) == name


@pytest.mark.parametrize("typed", ["", "12345", "!!!", "🙂"])
def test_something_without_letters_is_no_name(typed):
    assert read_name(typed) is None


def test_a_time_is_kept_in_the_visitors_words_and_bounded():
    assert read_best_time("  after   5, but not Fridays ") == "after 5, but not Fridays"
    assert len(read_best_time("x" * 500) or "") == 120


def test_yes_no_and_not_sure_come_from_the_intent():
    assert [read_yes_no(i) for i in ("affirm", "deny", "unsure", "greet", None)] == [
        "yes",
        "no",
        "unknown",
        None,
        None,
    ]


def test_fields_are_asked_in_order_until_all_are_answered():
    answers: dict[str, str | None] = {}
    asked = []
    while (field := next_field(answers)) is not None:
        asked.append(field)
        answers[field] = "x"
    assert tuple(asked) == FIELDS


def test_numbers_are_shown_as_people_write_them():
    assert display_phone("+16175550142") == "(617) 555-0142"
    assert display_phone("+442079460018") == "+44 20 7946 0018"
