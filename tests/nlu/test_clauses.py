"""Sentences, questions and their parts, and how their readings become one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.nlu.clauses import asks, pieces_of, sentences_of, told_beside, understand
from bot.nlu.intent_model import Guess
from bot.vocabulary import SAFETY_INTENTS

LONG = [
    json.loads(line)
    for line in (Path(__file__).parent / "long_messages.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One", "Two!", "Three?", "Four"]),
        ("No tengo seguro. ¿Cuánto sale?", ["No tengo seguro", "¿Cuánto sale?"]),
        ("I saw Dr. Smith at 9 a.m. in Boston", ["I saw Dr. Smith at 9 a.m. in Boston"]),
        ("a line\nanother line", ["a line", "another line"]),
        ("ok...so what", ["ok...so what"]),
        ("... !!! ??", []),
        ("", []),
    ],
)
def test_sentences(text, sentences):
    assert sentences_of(text) == sentences


@pytest.mark.parametrize(
    "text",
    ["is it far", "¿es lejos?", "where is it", "I'd like to know the price", "cuánto cuesta"],
)
def test_what_asks(text):
    assert asks(text)


@pytest.mark.parametrize("text", ["I live far away", "vivo lejos", "my son is 16", "thanks"])
def test_what_does_not_ask(text):
    assert not asks(text)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "can I keep working, and is medication included?",
            ["can I keep working", "is medication included?"],
        ),
        ("dónde quedan y a qué hora abren", ["dónde quedan", "a qué hora abren"]),
        ("quiero saber el precio y si dan terapia", ["quiero saber el precio", "si dan terapia"]),
        ("do you treat anxiety and depression?", ["do you treat anxiety and depression?"]),
        ("I'm 34, can I work?", ["can I work?"]),
        ("I live in Boston. I like it.", []),
    ],
)
def test_questions_of_a_message(text, asked):
    assert [piece.text for piece in pieces_of(text) if piece.asks] == asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Anna, is this private?", "Anna"),
        ("617-555-0142, and how much does it cost?", "617-555-0142"),
        ("Mornings. Where are you located?", "Mornings"),
        ("is this private?", ""),
    ],
)
def test_what_is_told_beside_a_question(text, told):
    assert told_beside(text) == told


def ranker(**meanings: str):
    """Ranks by a word of the text: `ranker(price="faq_cost_insurance")`; the rest is unclear."""

    def rank(texts):
        rankings = []
        for text in texts:
            found = [intent for word, intent in meanings.items() if word in text]
            share = 0.9 / len(found) if found else 0.0
            known = {intent: share for intent in found}
            others = [i for i in {*meanings.values(), "unclear"} if i not in known]
            rest = {intent: (1 - 0.9 * bool(found)) / len(others) for intent in others}
            guesses = [Guess(i, c) for i, c in {**known, **rest}.items()]
            rankings.append(sorted(guesses, key=lambda guess: -guess.confidence))
        return rankings

    return rank


def test_one_plain_question_is_read_as_a_whole():
    read = understand("what is the price", ranker(price="faq_cost_insurance"))
    assert (read.ranking[0].intent, read.asked) == ("faq_cost_insurance", [])


def test_two_questions_are_both_asked_in_their_order():
    read = understand(
        "what is the price, and where is the house?",
        ranker(house="faq_location_contact", price="faq_cost_insurance"),
    )
    assert [guess.intent for guess in read.asked] == ["faq_cost_insurance", "faq_location_contact"]
    assert read.ranking[0].intent == "faq_cost_insurance"


def test_a_wish_comes_before_a_question():
    read = understand(
        "please call me. what is the price?",
        ranker(call="request_callback", price="faq_cost_insurance"),
    )
    assert read.ranking[0].intent == "request_callback"
    assert [guess.intent for guess in read.asked] == ["request_callback", "faq_cost_insurance"]


def test_the_question_decides_over_the_story_around_it():
    story = "My job is hard and my boss is harder. " * 6
    read = understand(
        f"{story}What is the price?", ranker(job="faq_work_school", price="faq_cost_insurance")
    )
    assert read.ranking[0].intent == "faq_cost_insurance"


def test_medical_advice_is_never_read_as_anything_else():
    read = understand(
        "I take pills. What is the price?",
        ranker(pills="medical_advice", price="faq_cost_insurance"),
    )
    assert read.ranking[0].intent in ("medical_advice", "faq_cost_insurance")
    whole = understand("I take pills. pills? ", ranker(pills="medical_advice"))
    assert (whole.ranking[0].intent, whole.asked) == ("medical_advice", [])


@pytest.mark.parametrize("text", ["?", "?!", ".", "a", "¿?", "and and and?", ", , ,?", "x" * 4000])
def test_odd_texts_are_read(text):
    assert understand(text, ranker(a="greet")).ranking


def test_at_most_a_few_questions_of_a_long_text_are_read():
    read: list[int] = []

    def rank(texts):
        read.append(len(texts))
        return ranker(price="faq_cost_insurance")(texts)

    understand("What is the price of it? Where is that? " * 300, rank)
    assert read[0] <= 9


@pytest.fixture(scope="module")
def understood(assistant, loop):
    """What the shipped model makes of every long message, in order."""
    return [loop.run_until_complete(assistant.brain.parse(each["text"])) for each in LONG]


def likeliest(parsed) -> str:
    """The classifier's best guess, whatever the safety screen or the fallback make of it."""
    names = [guess["name"] for guess in parsed["intent_ranking"]]
    return next(n for n in names if n != "nlu_fallback" and n not in SAFETY_INTENTS)


def test_the_question_in_a_long_story_is_found(understood):
    stories = [
        likeliest(parsed) == each["intents"][0]
        for parsed, each in zip(understood, LONG, strict=True)
        if len(each["intents"]) == 1
    ]
    assert sum(stories) / len(stories) >= 0.87


def test_both_questions_of_a_message_are_found(understood):
    both = [
        {guess["name"] for guess in parsed["asked"]} >= set(each["intents"])
        for parsed, each in zip(understood, LONG, strict=True)
        if len(each["intents"]) > 1
    ]
    assert sum(both) / len(both) >= 0.85
