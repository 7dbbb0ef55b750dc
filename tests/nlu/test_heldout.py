"""The project's own intents on messages that were written apart from the training data.

The floors stand a little below what was measured (docs/understanding.md): new examples
may move a few answers, but no change may quietly make understanding worse.
"""

import re
import statistics
import unicodedata
from pathlib import Path

import pytest
import yaml

from bot.nlu.evaluate import (
    OUT_OF_SCOPE,
    Example,
    Report,
    calibration_error,
    evaluate_intents,
    read_examples,
)
from bot.settings import ROOT

HERE = Path(__file__).parent
ENGLISH = read_examples(HERE / "heldout_en.jsonl")
SPANISH = read_examples(HERE / "heldout_es.jsonl")
STRANGE = read_examples(HERE / "heldout_oos.jsonl", OUT_OF_SCOPE)


def training_examples() -> list[Example]:
    return [
        Example(line.removeprefix("- "), block["intent"])
        for path in sorted((ROOT / "data/nlu").glob("*.yml"))
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        for line in block["examples"].splitlines()
    ]


@pytest.fixture(scope="module")
def measured() -> Report:
    return evaluate_intents(training_examples(), ENGLISH + SPANISH, STRANGE)


def words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFD", text.casefold()).encode("ascii", "ignore").decode()
    return frozenset(re.findall(r"\w+", plain))


def right(answers) -> float:
    return statistics.fmean(answer.right for answer in answers)


def test_english_in_other_words_is_understood(measured):
    assert right(measured.answers[: len(ENGLISH)]) >= 0.87


def test_spanish_in_other_words_is_understood(measured):
    assert right(measured.answers[len(ENGLISH) :]) >= 0.90


def test_the_choices_offered_when_unsure_hold_the_right_one(measured):
    assert measured.top3 >= 0.95


def test_what_is_out_of_scope_is_recognised(measured):
    assert measured.oos_recall >= 0.9


def test_confidence_is_honest(measured):
    assert calibration_error(measured.answers) <= 0.07


def test_no_held_out_message_is_a_training_example():
    known = {example.text.casefold() for example in training_examples()}
    assert not [e.text for e in ENGLISH + SPANISH + STRANGE if e.text.casefold() in known]


def test_no_held_out_message_is_nearly_a_training_example():
    """Three quarters of the words the same, in any order, accents and case aside."""
    known = {words(example.text) for example in training_examples()}
    held_out = [(e.text, words(e.text)) for e in ENGLISH + SPANISH + STRANGE]
    # One word alone ("hi") says the same in anybody's mouth.
    assert not [
        text
        for text, asked in held_out
        if len(asked) > 1
        and max(len(asked & other) / len(asked | other) for other in known) >= 0.75
    ]
