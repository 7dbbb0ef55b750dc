"""The words on quick-reply buttons."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clinic.profile import Clinic
from bot.clinic.topics import LABEL_LIMIT, load_topics
from bot.reviewed import DataError
from bot.settings import ROOT
from bot.vocabulary import FAQ_TOPICS, LANGUAGES

FILE = ROOT / "bot" / "clinic" / "topics.yml"


def test_every_topic_has_a_label_in_every_language():
    assert sorted(load_topics().labels) == sorted(FAQ_TOPICS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_fit_a_button_and_none_is_another_topics(language: str):
    labels = [label.in_language(language) for label in load_topics().labels.values()]
    assert max(map(len, labels)) <= LABEL_LIMIT
    assert len(set(labels)) == len(labels)


def test_a_topic_is_called_what_the_file_says():
    topics = load_topics()
    assert topics.label("work_school", "en") == "Can I work or study?"
    assert topics.label("work_school", "es") == "¿Puedo trabajar o estudiar?"


def test_an_added_entry_is_called_what_the_clinic_says(with_parking: Clinic):
    assert load_topics().label("parking", "es", with_parking) == "¿Hay estacionamiento?"


def test_a_topic_that_is_not_there_is_an_error(boston: Clinic):
    with pytest.raises(KeyError):
        load_topics().label("parking", "en", boston)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("topic: detox", "topic: detoxing", "no FAQ topic: 'detoxing'"),
        ("topic: detox", "topic: schedule", "'schedule' stands twice"),
        ("en: Detox,", "en: Getting off alcohol and drugs,", "en label is over 28"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, message: str
):
    text = FILE.read_text(encoding="utf-8")
    line = text[: text.index("topic: detox")].count("\n") + 1
    path = tmp_path / "topics.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_topics(path)
    found = [problem for problem in caught.value.problems if message in problem.message]
    assert [problem.line for problem in found] == [line]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("PHP vs IOP", ["what_is_php", "what_is_iop"]),
        (
            "is intensive outpatient less than partial hospitalization?",
            ["what_is_iop", "what_is_php"],
        ),
        ("outpatient or the hospital", ["what_is_outpatient", "what_is_inpatient"]),
        ("¿internación o terapia semanal?", ["what_is_inpatient", "what_is_outpatient"]),
        ("what is the difference", []),
    ],
)
def test_the_levels_of_care_that_a_question_names(text: str, levels: list[str]):
    assert load_topics().levels_named(text) == levels
