"""What an FAQ topic is called on a quick-reply button."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bot.accents import without_accents
from bot.clinic.profile import Clinic
from bot.reviewed import Bilingual, DataError, Document
from bot.vocabulary import FAQ_TOPICS, LANGUAGES

LABEL_LIMIT = 28
"""The most characters of a label: what a button holds on a narrow phone."""

_FILE = Path(__file__).with_name("topics.yml")


class TopicLabel(Bilingual):
    """One entry of topics.yml."""

    topic: str
    named: tuple[str, ...] = ()


class Topics:
    """The labels of all FAQ topics; read them with `load_topics`.

    Attributes:
        labels: label by topic, in the file's order.
    """

    def __init__(self, labels: Mapping[str, TopicLabel]):
        self.labels = labels
        self._levels = {name: topic for topic, label in labels.items() for name in label.named}
        longest_first = sorted(self._levels, key=len, reverse=True)
        self._named = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b")

    def levels_named(self, text: str) -> list[str]:
        """The topics of the levels of care that `text` names, each once, in its order."""
        plain = without_accents(text.casefold())
        return list(dict.fromkeys(self._levels[found] for found in self._named.findall(plain)))

    def label(self, topic: str, language: str, clinic: Clinic | None = None) -> str:
        """The button's words for `topic` in `language` ("en" or "es").

        Args:
            clinic: whose added entries count as topics too.

        Raises:
            KeyError: no such topic.
        """
        for extra in clinic.extra_faq if clinic else ():
            if extra.id == topic:
                return extra.label.in_language(language)
        return self.labels[topic].in_language(language)


def load_topics(path: Path = _FILE) -> Topics:
    """The labels in the file at `path`.

    Raises:
        DataError: a topic is missing, unknown or named twice, or a label is too long.
    """
    document = Document(path)
    labels: dict[str, TopicLabel] = {}
    problems = []
    for position in range(len(document.data)):
        label = document.parse(TopicLabel, (position,))
        if label.topic not in FAQ_TOPICS:
            problems.append(document.problem((position,), f"no FAQ topic: {label.topic!r}"))
        if label.topic in labels:
            problems.append(document.problem((position,), f"{label.topic!r} stands twice"))
        for language in LANGUAGES:
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
    return Topics(labels)
