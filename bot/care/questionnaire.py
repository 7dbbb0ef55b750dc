"""The questionnaire: which question comes next, and how it is put.

The questions are data (`questionnaire.yml`); which one comes next is a pure
function of the answers so far and of what the rules could still make of them. A
question is asked only while its answer can change the level, so severe answers end
the questionnaire early and nobody is asked more than `limit` questions.

In the answers given here a missing item has not been asked; `unknown` is an answer:
asked, and not known or not said. Facts told unasked are answers like any other.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pydantic

from bot.care.engine import CRISIS_LEVELS, Prospect, Rules, load_rules
from bot.care.rules import Identifier, Sentence, valid_values
from bot.reviewed import Bilingual, DataError, Document, Problem, ReviewedModel
from bot.vocabulary import IOP, ITEMS, PHP, UNKNOWN

QUESTIONNAIRE_FILE = Path(__file__).with_name("questionnaire.yml")

Reply = Literal["yes", "no", "partly"]
FOR_WHOM = "for_whom"
THIS_PERSON = {"en": "this person", "es": "esta persona"}
REPLIES: tuple[Reply, ...] = ("yes", "no", "partly")


class Wording(ReviewedModel):
    """One question, to the person in need and to somebody asking for them."""

    self: Bilingual
    someone_else: Bilingual


class Phrases(ReviewedModel):
    """How people put something, in each language; see the head of the YAML file."""

    en: tuple[str, ...] = ()
    es: tuple[str, ...] = ()


class Choice(ReviewedModel):
    """One answer that can be chosen.

    Attributes:
        value: the item's value.
        label: what is offered, at most 40 characters.
        says: phrases that mean it as an answer to this question.
        hints: phrases that mean it only where nothing clearer is said.
        told: phrases that mean it even when nobody asked.
        denied: the value that a denied phrase means; None if it means nothing.
    """

    value: str
    label: Bilingual
    says: Phrases
    hints: Phrases = Phrases()
    told: Phrases = Phrases()
    denied: str | None = None


class Item(ReviewedModel):
    """One question.

    Attributes:
        name: a key of `bot.vocabulary.ITEMS`.
        role: when it is asked; see the head of the YAML file.
        after: the item that must be answered before, or None.
        urgent: asked even where no level will be shown.
        topic: what the answer is about, at most 30 characters.
        called: phrases that name the topic.
        why: why it is asked.
        help: what to say after an answer that was not understood.
        means: what a bare yes, no or "kind of" says; missing: nothing.
        choices: in the order in which they are offered; none for `state`.
    """

    name: str
    role: Literal["opening", "gate", "level", "preference"]
    after: str | None = None
    urgent: bool = False
    topic: Bilingual
    called: Phrases
    question_: Wording = pydantic.Field(alias="question")
    short: Wording
    why: Bilingual
    help: Bilingual
    means: dict[Reply, str]
    choices: list[Choice]

    def question(
        self, language: str, for_whom: str, short: bool = False, person: str | None = None
    ) -> str:
        """The question's text, without its choices.

        Args:
            language: "en" or "es".
            for_whom: a value of `for_whom`; anything but `someone_else` is the
                person writing.
            short: the form for asking again, after a digression.
            person: what to call somebody else, from `Questionnaire.person`; None:
                "this person".
        """
        wording = self.short if short else self.question_
        if for_whom != "someone_else":
            return wording.self.in_language(language)
        person = person or THIS_PERSON[language]
        text = wording.someone_else.in_language(language)
        return text.replace("{person}", person)

    def label_of(self, value: str, language: str) -> str | None:
        """The label of `value`; None if it is no choice (`unknown`, a state)."""
        for choice in self.choices:
            if choice.value == value:
                return choice.label.in_language(language)
        return None

    def choice_labels(self, language: str) -> list[str]:
        """The labels of the choices, in order; empty where the answer is free."""
        return [choice.label.in_language(language) for choice in self.choices]

    def value_of_label(self, label: str) -> str | None:
        """The value whose label is `label` in either language, or None."""
        for choice in self.choices:
            if label in (choice.label.en, choice.label.es):
                return choice.value
        return None


class Relation(ReviewedModel):
    """Somebody a visitor may ask for.

    Attributes:
        id: the relation's name.
        name: what the person is called in a question.
        said: single words for them, as people write after "my".
    """

    id: Identifier
    name: Bilingual
    said: Phrases


class Inference(ReviewedModel):
    """What one answer says about a question that was not asked.

    Attributes:
        id: the inference's name.
        when: item to values; all must match.
        sets: item to value.
        why: one plain sentence for staff.
    """

    id: Identifier
    when: dict[str, list[str]]
    sets: dict[str, str]
    why: Sentence


class QuestionnaireTable(ReviewedModel):
    """The whole of `questionnaire.yml`."""

    limit: int
    relations: list[Relation]
    inferences: list[Inference]
    items: list[Item]


class Questionnaire:
    """The questions together with the rules that decide which are still worth asking.

    Args:
        table: a checked table (`read_questionnaire`).
        rules: the rules.
    """

    def __init__(self, table: QuestionnaireTable, rules: Rules):
        self.limit = table.limit
        self.items: dict[str, Item] = {item.name: item for item in table.items}
        self.inferences = table.inferences
        self.relations: dict[str, Relation] = {known.id: known for known in table.relations}
        self._rules = rules

    def person(self, relation: str | None, language: str) -> str | None:
        """What to call the person in a question ("your son"); None if it was not told.

        Args:
            relation: an id of `relations`, as `answers.relation_told` gives it.
            language: "en" or "es".

        Raises:
            KeyError: no such relation.
        """
        return self.relations[relation].name.in_language(language) if relation else None

    def depending_on(self, item: str) -> list[str]:
        """The questions whose answers mean nothing any more when `item` changes.

        About another person everything is another matter; otherwise it is what is
        asked `after` the item.
        """
        if item == FOR_WHOM:
            return [name for name in self.items if name != FOR_WHOM]
        return [name for name, other in self.items.items() if other.after == item]

    def with_inferences(self, answers: Mapping[str, str]) -> dict[str, str]:
        """The answers and what they say about questions that were not asked.

        This is what the rules are to be evaluated on. Only missing items are filled
        in: neither an answer nor an `unknown` is ever replaced.
        """
        complete = dict(answers)
        for inference in self.inferences:
            if all(complete.get(item) in values for item, values in inference.when.items()):
                for item, value in inference.sets.items():
                    complete.setdefault(item, value)
        return complete

    def next_item(
        self,
        answers: Mapping[str, str],
        *,
        outpatient_for_moderate: bool = False,
        level_shown: bool = True,
    ) -> Item | None:
        """The question to ask next, or None when there is nothing left worth asking.

        Args:
            answers: item to value; missing: not asked; `unknown`: asked, not known.
            outpatient_for_moderate: as in `Rules.evaluate`.
            level_shown: False where the visitor's state closes the gate
                (`jurisdictions.level_may_be_shown`); then only urgent questions are
                asked, as for minors and where age or state is not given.

        Raises:
            ValueError: an item or value that does not exist.
        """
        complete = self.with_inferences(answers)
        prospect = self._rules.prospect(complete, outpatient_for_moderate=outpatient_for_moderate)
        # A preference comes last; after a correction it does not stand in the way of the rest.
        weighty = [name for name in answers if self.items[name].role != "preference"]
        if prospect.at_least in CRISIS_LEVELS or len(weighty) >= self.limit:
            return None
        level_shown = (
            level_shown
            and complete.get("age_band") not in ("under_18", UNKNOWN)
            and complete.get("state") != UNKNOWN
        )
        wanted = set(prospect.worth_asking)
        for item in self.items.values():
            if item.after and item.name in wanted and item.after not in complete:
                wanted.add(item.after)
        for item in self.items.values():
            if item.name in complete or not (level_shown or item.urgent):
                continue
            if item.role == "opening":
                return item
            if item.role == "gate" and not prospect.person_decides:
                return item
            if item.role == "level" and item.name in wanted:
                return item
            room = len(answers) < self.limit
            if item.role == "preference" and room and _is_program(prospect):
                return item
        return None

    def remaining(
        self,
        answers: Mapping[str, str],
        *,
        outpatient_for_moderate: bool = False,
        level_shown: bool = True,
    ) -> int:
        """About how many questions are left; 0 exactly when there is none.

        It supposes that the answers to come raise nothing, which is the longest of
        the ordinary ways through; arguments as in `next_item`.
        """
        supposed = dict(answers)
        while True:
            item = self.next_item(
                supposed, outpatient_for_moderate=outpatient_for_moderate, level_shown=level_shown
            )
            if item is None:
                return len(supposed) - len(answers)
            supposed[item.name] = valid_values(item.name)[0]


def _is_program(prospect: Prospect) -> bool:
    return not prospect.person_decides and prospect.at_least in (IOP, PHP)


def questionnaire_problems(path: Path = QUESTIONNAIRE_FILE) -> list[Problem]:
    """Every mistake in the questionnaire at `path`, with file and line."""
    try:
        document = Document(path)
        table = document.parse(QuestionnaireTable)
    except DataError as error:
        return error.problems
    return list(_problems(document, table))


def read_questionnaire(path: Path) -> QuestionnaireTable:
    """The questionnaire at `path`; raises `DataError` with every mistake in it."""
    problems = questionnaire_problems(path)
    if problems:
        raise DataError(problems)
    return Document(path).parse(QuestionnaireTable)


@functools.cache
def load_questionnaire() -> Questionnaire:
    """Handrail's own questionnaire over its own rules; raises `DataError`."""
    return Questionnaire(read_questionnaire(QUESTIONNAIRE_FILE), load_rules())


def _problems(document: Document, table: QuestionnaireTable) -> Iterator[Problem]:
    names = [item.name for item in table.items]
    for name in ITEMS:
        if names.count(name) != 1:
            yield document.problem(
                ("items",), f"{name} must have exactly one question, not {names.count(name)}"
            )
    for position, inference in enumerate(table.inferences):
        conditions = [(item, value) for item, values in inference.when.items() for value in values]
        for name, value in (*conditions, *inference.sets.items()):
            if name not in ITEMS or value not in valid_values(name):
                yield document.problem(
                    ("inferences", position), f"there is no answer {name} = {value}"
                )
    for index, item in enumerate(table.items):
        here = ("items", index)
        if item.name not in ITEMS:
            yield document.problem(
                (*here, "name"), f"there is no item {item.name!r}; use one of {', '.join(ITEMS)}"
            )
            continue
        values = tuple(choice.value for choice in item.choices)
        if sorted(values) != sorted(ITEMS[item.name]):
            yield document.problem(
                (*here, "choices"),
                f"{item.name} needs a choice for each of {', '.join(ITEMS[item.name]) or 'none'}",
            )
        if item.after is not None and item.after not in names[:index]:
            yield document.problem((*here, "after"), f"{item.after!r} must stand further up")
        meant = [*item.means.values(), *(c.denied for c in item.choices if c.denied is not None)]
        for value in meant:
            if value not in values:
                yield document.problem(here, f"{item.name} has no choice {value!r}")
