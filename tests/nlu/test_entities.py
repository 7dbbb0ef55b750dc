"""Phone numbers, ages, states and times: what is found, where it stands, what it means."""

from __future__ import annotations

import pytest

from bot.nlu.entities import entities_in


def found(text: str) -> list[tuple[str, str, str]]:
    return [(e["entity"], text[e["start"] : e["end"]], e["value"]) for e in entities_in(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my 16 year old son in Georgia", [("age", "16", "16"), ("us_state", "Georgia", "GA")]),
        (
            "I'm 34, call me at 617-555-0142 after 5pm",
            [
                ("age", "34", "34"),
                ("phone_number", "617-555-0142", "+16175550142"),
                ("time", "5pm", "17:00"),
            ],
        ),
        ("mi hija tiene quince años", [("age", "quince", "15")]),
        ("he is thirty four years old", [("age", "thirty four", "34")]),
        ("she is 15-years-old", [("age", "15", "15")]),
        ("we live in Boston, MA", [("us_state", "Boston", "MA"), ("us_state", "MA", "MA")]),
        ("vivimos en Nueva York", [("us_state", "Nueva York", "NY")]),
        ("West Virginia", [("us_state", "West Virginia", "WV")]),
        ("10:30 a.m. or 17:30", [("time", "10:30 a.m.", "10:30"), ("time", "17:30", "17:30")]),
        ("12 am, 12 pm", [("time", "12 am", "00:00"), ("time", "12 pm", "12:00")]),
        (
            "mornings, por la tarde",
            [("time", "mornings", "morning"), ("time", "por la tarde", "afternoon")],
        ),
        ("+44 20 7946 0958", [("phone_number", "+44 20 7946 0958", "+442079460958")]),
    ],
)
def test_facts_are_found_where_they_stand(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "can i keep my job?",
        "I'm 30 days sober",
        "it costs $200 for 20 people",
        "ok, me too, hi or oh",
        "25:99",
        "call 911",
        "seventeen " * 500,
        "مرحبا 你好",
    ],
)
def test_what_only_looks_like_a_fact_is_none(text):
    assert entities_in(text) == []


def test_places_are_right_where_letters_change_their_length():
    text = "İstanbul ﬁne ½ at 5 p.m."
    assert found(text) == [("time", "5 p.m.", "17:00")]
