"""Phrases that cannot be in a clause are left out before they are searched."""

from __future__ import annotations

import dataclasses

import pytest

from bot.care import answers, places
from bot.care.questionnaire import load_questionnaire
from bot.care.words import Phrasebook, compile_phrase, find

CLAUSES = (
    "",
    "my mom lives in new hampshire but works in massachusetts",
    "vivo en nuevo mexico con mi hermana de 19",
    "it is for my 15 year old son",
    "i just finished php and can not sleep",
    "no nothing like that",
    "somewhat worse than 2 weeks ago most days i manage",
    "i drink a little on weekends",
    "24/7",
)


@pytest.mark.parametrize(
    ("phrase", "opens"),
    [
        ("my/our mom", {"my", "our"}),
        ("24/7 care", {"24/7"}),
        ("#5 days", None),
        ("drink* a lot", None),
        ("... a lot", None),
    ],
)
def test_the_words_that_a_phrase_can_begin_with_are_known(phrase, opens):
    assert compile_phrase(phrase).opens == (opens if opens is None else frozenset(opens))


@pytest.mark.parametrize("clause", CLAUSES)
def test_looking_at_first_words_hides_no_phrase(clause):
    books = [answers._all_phrases(item) for item in load_questionnaire().items]
    books += [places._state_names(), places._living_names(), answers._relation_names()]
    found = 0
    for book in books:
        all_searched = Phrasebook((dataclasses.replace(p, opens=None), value) for p, value in book)
        assert find(book, clause) == find(all_searched, clause)
        found += len(find(book, clause))
    assert found or not clause
