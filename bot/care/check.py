"""Everything that can be wrong with the reviewed data of this room, with file and line.

Beyond what the loaders refuse: what would reach a visitor badly (a question too long
for one SMS, a choice too long for a button, a wording that diagnoses) and phrases
that could never match or that mean two things.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path

from bot.care.jurisdictions import JURISDICTIONS_FILE, JurisdictionTable, jurisdiction_problems
from bot.care.questionnaire import (
    QUESTIONNAIRE_FILE,
    Item,
    QuestionnaireTable,
    questionnaire_problems,
)
from bot.care.rules import RULES_FILE, RuleTable, rule_problems
from bot.care.states import STATES_FILE, States
from bot.care.words import WORDS_FILE, WordLists, normalise
from bot.clinic.gsm7 import outside
from bot.reviewed import DataError, Document, Location, Problem, ReviewedModel
from bot.vocabulary import LANGUAGES

SMS_LENGTH = 160  # characters of the GSM-7 alphabet in one message
LABEL_LENGTH = 40
STALE_AFTER = datetime.timedelta(days=180)

# Long names for somebody else, so that no real one makes a question too long.
_LONGEST_PERSON = {"en": "your daughter", "es": "su hijo o hija"}

# What a visitor must never read here: a diagnosis, an order, a licensed instrument.
_NEVER_SAID = re.compile(
    r"you need|you must|you have (?:depression|anxiety|bipolar|ptsd)|diagnos|usted necesita"
    r"|necesita (?:un|una|el|la) programa|usted debe|\b(?:LOCUS|CALOCUS|ASAM|PHQ|GAD|C-SSRS)\b",
    re.IGNORECASE,
)
# Tokens of the phrase notation that are not plain words, and what stands in for them.
_MARKED_TOKEN = re.compile(r"\.\.\.|#\d*|[a-z]+\*|[a-z]+\*?(?:/[a-z]+\*?)+")
_STAND_IN = "xxxx"


def problems(today: datetime.date | None = None) -> list[Problem]:
    """Every mistake in rules, questionnaire, jurisdictions, states and words.

    Args:
        today: if given, jurisdictions not verified for 180 days are warned about.
    """
    found = [
        *_schema_problems(WORDS_FILE, WordLists),
        *_schema_problems(STATES_FILE, States),
        *rule_problems(),
        *questionnaire_problems(),
        *jurisdiction_problems(),
    ]
    if found:
        return found
    return [
        *wording_problems(RULES_FILE),
        *question_problems(QUESTIONNAIRE_FILE),
        *_stale_jurisdictions(today),
    ]


def wording_problems(path: Path) -> list[Problem]:
    """Visitors' wordings of the rules at `path` that say what must not be said."""
    document = Document(path)
    table = document.parse(RuleTable)
    texts: list[tuple[Location, str]] = [
        (("rules", index, "visitor", language), rule.visitor.in_language(language))
        for index, rule in enumerate(table.rules)
        if rule.visitor
        for language in LANGUAGES
    ]
    texts += [
        (("outcomes", name, "visitor", language), outcome.visitor.in_language(language))
        for name, outcome in table.outcomes.items()
        for language in LANGUAGES
    ]
    return [
        document.problem(location, f"visitors must not read {hit.group()!r}")
        for location, text in texts
        if (hit := _NEVER_SAID.search(text))
    ]


def question_problems(path: Path) -> list[Problem]:
    """Texts and phrases of the questionnaire at `path` that would not serve."""
    document = Document(path)
    table = document.parse(QuestionnaireTable)
    found: list[Problem] = []
    for index, item in enumerate(table.items):
        here = ("items", index)
        found += (document.problem(location, text) for location, text in _bad_texts(here, item))
        found += (document.problem(location, text) for location, text in _bad_phrases(here, item))
    return found


def _bad_texts(here: Location, item: Item) -> Iterator[tuple[Location, str]]:
    for form in ("question", "short"):
        for person in ("self", "someone_else"):
            for language in LANGUAGES:
                called = _LONGEST_PERSON[language]
                text = item.question(language, person, form == "short", called)
                yield from _bad_text((*here, form, person, language), text, language)
    for form in ("why", "help"):
        for language in LANGUAGES:
            text = getattr(item, form).in_language(language)
            yield from _bad_text((*here, form, language), text, language)
    for position, choice in enumerate(item.choices):
        for language in LANGUAGES:
            label = choice.label.in_language(language)
            if len(label) > LABEL_LENGTH:
                yield (
                    (*here, "choices", position, "label", language),
                    f"{len(label)} characters; a choice has at most {LABEL_LENGTH}",
                )


def _bad_text(location: Location, text: str, language: str) -> Iterator[tuple[Location, str]]:
    if len(text) > SMS_LENGTH:
        yield location, f"{len(text)} characters; one SMS holds {SMS_LENGTH}"
    strange = outside(text)
    if language == "en" and strange:
        yield location, f"not in the SMS alphabet: {' '.join(strange)}"
    hit = _NEVER_SAID.search(text)
    if hit and "do you need" not in text.lower():
        yield location, f"visitors must not read {hit.group()!r}"


def _bad_phrases(here: Location, item: Item) -> Iterator[tuple[Location, str]]:
    for language in LANGUAGES:
        meanings: dict[str, str] = {}
        for position, choice in enumerate(item.choices):
            for kind in ("says", "hints", "told"):
                phrases = getattr(getattr(choice, kind), language)
                for number, phrase in enumerate(phrases):
                    place = (*here, "choices", position, kind, language, number)
                    if phrase != _as_read(phrase):
                        yield place, f"{phrase!r} never matches; write {_as_read(phrase)!r}"
                    if meanings.setdefault(phrase, choice.value) != choice.value:
                        yield place, f"{phrase!r} also means {meanings[phrase]!r}"


def _as_read(phrase: str) -> str:
    """The phrase with its words in the form in which `words.normalise` reads them."""
    marked = [token for token in phrase.split() if _MARKED_TOKEN.fullmatch(token)]
    plain = " ".join(
        _STAND_IN if _MARKED_TOKEN.fullmatch(token) else token for token in phrase.split()
    )
    return re.sub(_STAND_IN, lambda _: marked.pop(0), normalise(plain))


def _stale_jurisdictions(today: datetime.date | None) -> Iterator[Problem]:
    if today is None:
        return
    document = Document(JURISDICTIONS_FILE)
    for code, found in document.parse(JurisdictionTable).states.items():
        if today - found.verified_on > STALE_AFTER:
            yield document.problem(
                ("states", code, "verified_on"),
                f"{code}: last verified on {found.verified_on}; read the source again",
                warning=True,
            )


def _schema_problems(path: Path, model: type[ReviewedModel]) -> list[Problem]:
    try:
        Document(path).parse(model)
    except DataError as error:
        return error.problems
    return []
