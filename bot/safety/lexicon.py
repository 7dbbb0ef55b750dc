"""The reviewed lexicon: what danger sounds like, entry by entry.

`lexicon/*.yml` hold the entries, one file per category; `parts.yml` the word
lists they are composed of, `cues.yml` the words of context (negation, past,
other people), `spelling.yml` misspellings, slang and emoji. Everything is read,
checked and compiled once; a mistake refuses to load, with file and line.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

import pydantic

from bot.reviewed import DataError, Document, Problem, ReviewedModel
from bot.safety.normalise import Spelling, fold, one_slip, tokenise
from bot.safety.patterns import PatternError, Patterns, Phrase

FOLDER = Path(__file__).parent / "lexicon"

# Kinds of danger, most serious first; one file each. "idiom" explains matches away.
CATEGORIES: tuple[str, ...] = (
    "overdose_and_poison",
    "attempt",
    "medical_emergency_and_withdrawal",
    "violence_and_abuse",
    "suicide_active",
    "plan_and_means",
    "harm_to_others",
    "self_harm",
    "psychosis",
    "third_person",
    "suicide_passive",
    "goodbye_and_burden",
    "hopelessness",
)
IDIOM = "idiom"

# What may be said about a hit; `despite` lists those that do not weaken an entry.
CONTEXTS: tuple[str, ...] = ("negated", "past", "hypothetical", "quoted", "fiction")


class Entry(ReviewedModel):
    """One entry of the lexicon.

    Attributes:
        id: unique name, reported as evidence.
        tier: what it means said by the person concerned, now.
        who: "self" if the words themselves speak of the writer ("kill myself"),
            "other" if they speak of somebody else ("kill himself"), "subject" if
            the subject of the clause decides ("wants to die").
        patterns: see `bot.safety.patterns`.
        despite: contexts that do not weaken it (members of `CONTEXTS`).
        why, source: the reason it is here and the document it rests on.
        examples: messages in which it must hit; `traps`: in which it must not
            raise the tier to `tier`.
    """

    id: pydantic.constr(regex=r"^[a-z0-9_]+$")  # type: ignore[valid-type]
    language: Literal["en", "es"]
    tier: Literal["none", "concern", "crisis_other", "crisis_self", "emergency"]
    who: Literal["self", "other", "subject"] = "subject"
    patterns: pydantic.conlist(str, min_items=1)  # type: ignore[valid-type]
    despite: tuple[Literal["negated", "past", "hypothetical", "quoted", "fiction"], ...] = ()
    why: pydantic.constr(min_length=1)  # type: ignore[valid-type]
    source: pydantic.constr(min_length=1)  # type: ignore[valid-type]
    examples: pydantic.conlist(str, min_items=1)  # type: ignore[valid-type]
    traps: tuple[str, ...] = ()


class _EntryFile(ReviewedModel):
    category: str
    entries: list[Entry]


class _PartsFile(ReviewedModel):
    parts: dict[str, list[str]]


class _CuesFile(ReviewedModel):
    cues: dict[str, list[str]]


class _SpellingFile(ReviewedModel):
    rewrites: dict[str, str]
    joined: dict[str, str]
    run_on: list[str]
    emoji: list[str]
    weighty: list[str]
    ordinary: list[str]


@dataclasses.dataclass(frozen=True)
class Placed:
    """An entry with its category and where it stands, for reports."""

    entry: Entry
    category: str
    path: Path
    line: int


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """The compiled lexicon.

    Attributes:
        entries: every entry, also the idioms.
        patterns: the matcher; owners of patterns are `Placed` entries.
        cues: name of a context cue to its part number.
        spelling: what `tokenise` needs.
    """

    entries: tuple[Placed, ...]
    patterns: Patterns
    cues: dict[str, int]
    spelling: Spelling


def load_lexicon(folder: Path = FOLDER) -> Lexicon:
    """Read and compile the lexicon.

    Raises:
        DataError: with every mistake found, by file and line.
    """
    spelling_document = Document(folder / "spelling.yml")
    spelling_file = spelling_document.parse(_SpellingFile)
    spelling = _spelling(spelling_file)

    def fold_phrase(written: str) -> Phrase:
        return tuple(token.word for token in tokenise(written, spelling))

    parts_document = Document(folder / "parts.yml")
    parts = parts_document.parse(_PartsFile).parts
    cues_document = Document(folder / "cues.yml")
    cues = cues_document.parse(_CuesFile).cues
    try:
        patterns = Patterns(
            {**parts, **{f"cue_{name}": phrases for name, phrases in cues.items()}}, fold_phrase
        )
    except PatternError as error:
        raise DataError([Problem(parts_document.path, 1, str(error))]) from error

    problems: list[Problem] = []
    placed: list[Placed] = []
    seen: dict[str, Placed] = {}
    for category in (*CATEGORIES, IDIOM):
        document = Document(folder / f"{category}.yml")
        file = document.parse(_EntryFile)
        if file.category != category:
            problems.append(document.problem(("category",), f"must be {category!r}"))
        for number, entry in enumerate(file.entries):
            here = Placed(entry, category, document.path, document.line(("entries", number)))
            if entry.id in seen:
                problems.append(
                    document.problem(("entries", number), f"the id {entry.id!r} stands twice")
                )
            if (entry.tier == "none") != (category == IDIOM):
                problems.append(
                    document.problem(("entries", number), "tier none is for idioms, and only them")
                )
            seen[entry.id] = here
            placed.append(here)
            for index, pattern in enumerate(entry.patterns):
                try:
                    patterns.add(pattern, here)
                except PatternError as error:
                    problems.append(
                        document.problem(("entries", number, "patterns", index), str(error))
                    )
    if problems:
        raise DataError(problems)
    complete = dataclasses.replace(
        spelling, known=frozenset(patterns.words()) | frozenset(spelling_file.ordinary)
    )
    return Lexicon(
        entries=tuple(placed),
        patterns=patterns,
        cues={name: patterns.part(f"cue_{name}") for name in cues},
        spelling=complete,
    )


def _spelling(file: _SpellingFile) -> Spelling:
    near: dict[str, str] = {}
    for word in file.weighty:
        for form in one_slip(word):
            near[form] = word
    near.update({word: word for word in file.weighty})  # the word itself is never a slip
    rewrites = {
        fold(typed)[0]: tuple(fold(meant)[0].split()) for typed, meant in file.rewrites.items()
    }
    for word in file.run_on:
        for prefix in ("im", "iam", "am"):
            rewrites[prefix + word] = ("i", "am", *rewrites.get(word, (word,)))
    return Spelling(
        rewrites=rewrites,
        joined={tuple(typed.split()): meant for typed, meant in file.joined.items()},
        emoji=frozenset(file.emoji),
        near=near,
        never_near=frozenset(file.ordinary),
    )
