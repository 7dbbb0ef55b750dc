"""What an FAQ topic is called on a quick-reply button."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Mapping

from bot.clinic.profile import Clinic
from bot.reviewed import Bilingual, DataError, Document
from bot.vocabulary import FAQ_TOPICS

LABEL_LIMIT = 28
"""The most characters of a label: what a button holds on a narrow phone."""

_FILE = Path(__file__).with_name("topics.yml")


class TopicLabel(Bilingual):
    """One entry of topics.yml."""

    topic: str


def load_topic_labels(path: Path = _FILE) -> Mapping[str, Bilingual]:
    """The labels of all FAQ topics, by topic, in the file's order.

    Raises:
        DataError: a topic is missing, unknown or named twice, or a label is too long.
    """
    document = Document(path)
    labels: dict[str, Bilingual] = {}
    problems = []
    for position in range(len(document.data)):
        label = document.parse(TopicLabel, (position,))
        if label.topic not in FAQ_TOPICS:
            problems.append(document.problem((position,), f"no FAQ topic: {label.topic!r}"))
        if label.topic in labels:
            problems.append(document.problem((position,), f"{label.topic!r} stands twice"))
        for language in ("en", "es"):
            if len(label.in_language(language)) > LABEL_LIMIT:
                problems.append(
                    document.problem(
                        (position,), f"the {language} label is over {LABEL_LIMIT} characters"
                    )
                )
        labels[label.topic] = label
    problems += [
        document.problem((), f"the topic {topic!r} has no label")
        for topic in FAQ_TOPICS
        if topic not in labels
    ]
    if problems:
        raise DataError(problems)
    return MappingProxyType(labels)


def topic_label(topic: str, clinic: Clinic, language: str) -> str:
    """The button's words for `topic`, an FAQ topic or an entry that `clinic` added.

    Raises:
        KeyError: no such topic.
    """
    for extra in clinic.extra_faq:
        if extra.id == topic:
            return extra.label.in_language(language)
    return _standard_labels()[topic].in_language(language)


@cache
def _standard_labels() -> Mapping[str, Bilingual]:
    return load_topic_labels()
