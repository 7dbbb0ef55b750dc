"""The answers of one questionnaire as they stand: noted, corrected, taken back.

What depends on a changed answer is dropped with it, so that it is asked again where
it still matters. Plain values; nothing here talks to anybody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bot.care.answers import relation_told
from bot.care.questionnaire import FOR_WHOM, Questionnaire


@dataclasses.dataclass
class AnswerSheet:
    """The answers so far.

    Attributes:
        questionnaire: whose questions they answer.
        given: item to value, in the order in which they were answered.
        relation: whom it is about, an id of `Questionnaire.relations`; None if it is
            the writer or was not told.
    """

    questionnaire: Questionnaire
    given: dict[str, str]
    relation: str | None = None

    def person(self, language: str) -> str | None:
        """What to call the person in need; None for the writer or where it was not told."""
        return self.questionnaire.person(self.relation, language)

    def note(self, answers: Mapping[str, str], text: str = "") -> None:
        """Take up answers: new ones, and others for old ones.

        Args:
            answers: item to value.
            text: the message they were read from; says whom it is about.
        """
        if FOR_WHOM in answers:
            self._note_person(answers[FOR_WHOM], text)
        for item, value in answers.items():
            before = self.given.get(item)
            if before is not None and before != value:
                self.take_back(item)
            self.given.pop(item, None)
            self.given[item] = value

    def correct(self, changes: Mapping[str, str | None], text: str = "") -> None:
        """Apply what `corrections` found: a new value, or None to ask again."""
        for item in [item for item, value in changes.items() if value is None]:
            self.take_back(item)
        self.note({item: value for item, value in changes.items() if value is not None}, text)

    def take_back(self, item: str) -> None:
        """Forget one answer and those that depend on it."""
        if item == FOR_WHOM:
            self.relation = None
        for gone in (item, *self.questionnaire.depending_on(item)):
            self.given.pop(gone, None)

    def _note_person(self, value: str, text: str) -> None:
        relation = relation_told(text) if value == "someone_else" else None
        another = None not in (self.relation, relation) and relation != self.relation
        if another or self.given.get(FOR_WHOM, value) != value:
            self.take_back(FOR_WHOM)
        self.relation = relation or (self.relation if value == "someone_else" else None)
