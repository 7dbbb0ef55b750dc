"""How the callback form reads answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.care.words import skips
from bot.handoff import callback
from bot.handoff.callback import (
    FIELDS,
    PERSON,
    VISITOR,
    Change,
    PhoneProblem,
    SeveralPhones,
    can_be_reached,
    cancels,
    change_in,
    display_phone,
    field_before,
    goes_back,
    name_told,
    next_field,
    read_best_time,
    read_language,
    read_name,
    read_owner,
    read_phone,
    read_state,
    read_ways,
    read_yes_no,
)

BOTH = {"ok_to_call": "yes", "ok_to_text": "yes"}
CALL = {"ok_to_call": "yes", "ok_to_text": "no"}
TEXT = {"ok_to_call": "no", "ok_to_text": "yes"}
NEITHER = {"ok_to_call": "no", "ok_to_text": "no"}


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
        "six one seven, triple five, oh one four two",
        "seis uno siete cinco cinco cinco cero uno cuatro dos",
        "617-555-0142 or, again, (617) 555-0142",
    ],
)
def test_a_us_number_is_read_however_it_is_written(typed):
    assert read_phone(typed) == "+16175550142"


def test_a_foreign_number_is_read_with_its_country_code():
    assert read_phone("+44 20 7946 0018") == "+442079460018"


def test_two_numbers_in_one_message_are_both_found():
    both = SeveralPhones(("+16175550142", "+16175550143"))
    assert read_phone("617-555-0142 or at work 617-555-0143") == both


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
        ("call me J please", "J"),
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


@pytest.mark.parametrize(
    ("said", "intent", "ways"),
    [
        ("call or text", "", BOTH),
        ("either is fine", "", BOTH),
        ("you can call and text me", "", BOTH),
        ("yes", "affirm", BOTH),
        ("calls only", "", CALL),
        ("please call", "", CALL),
        ("no texts please", "", CALL),
        ("just text me", "", TEXT),
        ("please don't call, text me", "", TEXT),
        ("solo mensajes", "", TEXT),
        ("no", "deny", NEITHER),
        ("neither", "", NEITHER),
        ("skip", "", {"ok_to_call": "unknown", "ok_to_text": "unknown"}),
        ("purple", "nlu_fallback", None),
    ],
)
def test_ways_to_reach_somebody_are_one_answer(said, intent, ways):
    assert read_ways(said, intent) == ways


@pytest.mark.parametrize(
    ("said", "owner"),
    [
        ("mine", VISITOR),
        ("it's my number", VISITOR),
        ("hers", PERSON),
        ("my son's", PERSON),
        ("de mi hija", PERSON),
        ("es mío", VISITOR),
        ("purple", None),
    ],
)
def test_whose_number_it_is(said, owner):
    assert read_owner(said) == owner


def test_yes_no_and_not_sure_come_from_short_words_or_the_intent():
    assert [read_yes_no(i) for i in ("affirm", "deny", "unsure", "greet", None)] == [
        "yes",
        "no",
        "unknown",
        None,
        None,
    ]
    assert [read_yes_no("nlu_fallback", said) for said in ("yep", "nope", "skip", "x")] == [
        "yes",
        "no",
        "unknown",
        None,
    ]


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("the number is wrong", Change("phone", "")),
        ("change my name", Change("name", "")),
        ("change my name to Bo Diddley", Change("name", "Bo Diddley")),
        ("my number should be 617-555-0199", Change("phone", "617-555-0199")),
        ("can we change the time to mornings?", Change("best_time", "mornings?")),
        ("no, the voicemail is wrong", Change("ok_voicemail", "")),
        ("quiero cambiar mi nombre", Change("name", "")),
        ("el número está mal", Change("phone", "")),
        ("cambie el nombre a José", Change("name", "José")),
        ("that is fine", None),
        ("my name is Ana", None),
    ],
)
def test_a_field_is_changed_by_its_name(said, change):
    assert change_in(said) == change


def test_asked_what_to_change_the_name_of_the_field_is_enough():
    assert change_in("the number") is None
    assert change_in("the number", any_field=True) == Change("phone", "")


def test_a_name_is_heard_where_nobody_asked_for_it():
    assert name_told("wait, my name is Ana") == "Ana"
    assert name_told("Ana") is None


@pytest.mark.parametrize("said", ["skip", "I'd rather not", "prefiero no decir", "idk", "paso"])
def test_a_question_is_skipped_in_words(said):
    assert skips(said)


@pytest.mark.parametrize("said", ["go back", "back please", "atrás"])
def test_going_back(said):
    assert goes_back(said)


@pytest.mark.parametrize("said", ["cancel", "never mind", "please don't call me", "olvídelo"])
def test_no_call_after_all(said):
    assert cancels(said)


def test_a_greeting_is_nobodys_name():
    said = ("hi", "Thank you!", "adiós", "Lee", "Joy")
    assert [callback.is_small_talk(each) for each in said] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("said", "read"), [("Spanish please", "es"), ("inglés", "en"), ("Klingon", None)]
)
def test_the_language_of_the_call(said, read):
    assert read_language(said) == read


def test_the_state_is_read_as_in_the_questionnaire():
    assert (read_state("I live in Texas", "en"), read_state("skip", "en")) == ("TX", "unknown")


def test_fields_are_asked_in_order_until_all_are_answered():
    answers: dict[str, str | None] = {}
    asked = []
    while (field := next_field(answers)) is not None:
        asked.append(field)
        answers[field] = "x"
    assert tuple(asked) == FIELDS


def test_a_relative_is_asked_whose_number_it_is():
    answers = {"name": "x", "phone": "+16175550142"}
    assert next_field(answers, for_other=True) == "phone"
    assert next_field({**answers, "phone_owner": "visitor"}, for_other=True) == "state"
    assert next_field(answers) == "state"


def test_no_voicemail_is_asked_of_somebody_who_may_not_be_called():
    answers = dict.fromkeys(FIELDS[:-3], "x") | TEXT
    assert next_field({**answers, "language": "en"}) == "confirm"


def test_going_back_leads_to_the_latest_answer():
    known = {"name": "Bo", "phone": "+16175550142", "language": "en"}
    assert field_before("name", known) is None
    assert field_before("state", known) == "phone"
    assert field_before("phone", {"name": "Bo"}) == "name"
    assert field_before("ok_voicemail", {**known, **BOTH}) == "ok_to_call"


def test_one_way_must_be_left():
    assert [can_be_reached(each) for each in (BOTH, CALL, TEXT, NEITHER, {})] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_numbers_are_shown_as_people_write_them():
    assert display_phone("+16175550142") == "(617) 555-0142"
    assert display_phone("+442079460018") == "+44 20 7946 0018"


@given(st.text(max_size=300))
def test_nothing_that_is_typed_breaks_a_reader(text):
    for read in (read_name, read_phone, read_owner, read_best_time, read_language, name_told):
        read(text)
    for ask in (goes_back, cancels, skips, change_in):
        ask(text)
    read_ways(text, None)
    assert callback.cleared("phone") == {"phone": None, "phone_owner": None, "confirm": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dana, 617-555-0142", ("+16175550142", "Dana")),
        ("617 555 0142 - ask for Dana", ("+16175550142", "ask for Dana")),
        ("Dana", None),
        ("617-555-0142 or 617-555-0143", None),
        ("room 12", None),
    ],
)
def test_a_number_beside_other_words_is_told_from_them(text, found):
    assert callback.phone_inside(text) == found


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("it's my work phone so yes", "yes"),
        ("yes you can leave a short one", "yes"),
        ("no my wife listens", "no"),
        ("es mi celular así que sí", "yes"),
        ("yes but only in the evening", None),  # a condition that nobody would be told of
        ("no idea", "unknown"),
    ],
)
def test_an_answer_about_voicemail_is_found_among_other_words(text, answer):
    assert callback.read_voicemail(None, text) == answer


@pytest.mark.parametrize("text", ["yes I want to change something", "no I want a real person"])
def test_a_yes_that_goes_on_is_no_consent(text):
    assert callback.read_yes_no(None, text) is None
