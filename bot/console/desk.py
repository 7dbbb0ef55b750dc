"""What coordinators choose from: urgencies, outcomes of calls, dispositions (desk.yml)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pydantic

from bot.reviewed import DataError, Document, Problem, ReviewedModel
from bot.safety.lexicon import CATEGORIES

DESK_FILE = Path(__file__).parent / "desk.yml"
URGENCIES = ("emergency", "crisis", "concern", "request", "expected")


class _Words(pydantic.ConstrainedStr):
    strip_whitespace = True
    min_length = 1


class Urgency(ReviewedModel):
    """How soon somebody should call.

    Attributes:
        id: a member of `URGENCIES`.
        minutes: opening time that may pass until the first attempt.
    """

    id: Literal[URGENCIES]  # type: ignore[valid-type]
    label: _Words
    minutes: pydantic.PositiveInt
    why: _Words
    source: _Words


class Outcome(ReviewedModel):
    """How a call went; `reached`: the visitor was spoken to."""

    id: _Words
    label: _Words
    reached: bool
    why: _Words


class Disposition(ReviewedModel):
    """How a record ends; `fhir`: the status of FHIR R4's Task that says the same."""

    id: _Words
    label: _Words
    fhir: Literal["completed", "rejected", "failed", "cancelled", "entered-in-error"]
    why: _Words


class Desk(ReviewedModel):
    """The whole of `desk.yml`; `dangers` gives words to the safety lexicon's categories."""

    urgencies: list[Urgency]
    dangers: dict[str, _Words]
    outcomes: list[Outcome]
    dispositions: list[Disposition]

    def urgency(self, name: str) -> Urgency:
        """The urgency with this id; raises KeyError."""
        return _named(self.urgencies, name)

    def outcome(self, name: str) -> Outcome:
        """The outcome with this id; raises KeyError."""
        return _named(self.outcomes, name)

    def disposition(self, name: str) -> Disposition:
        """The disposition with this id; raises KeyError."""
        return _named(self.dispositions, name)


def desk_problems(path: Path = DESK_FILE) -> list[Problem]:
    """Every mistake in the file at `path`, with file and line."""
    try:
        read_desk(path)
    except DataError as error:
        return error.problems
    return []


def read_desk(path: Path) -> Desk:
    """The checked content of the file at `path`; raises DataError."""
    document = Document(path)
    desk = document.parse(Desk)
    problems = list(_problems(document, desk))
    if problems:
        raise DataError(problems)
    return desk


@functools.lru_cache(maxsize=1)
def load_desk() -> Desk:
    """The project's own `desk.yml`."""
    return read_desk(DESK_FILE)


def _problems(document: Document, desk: Desk) -> Iterator[Problem]:
    if [urgency.id for urgency in desk.urgencies] != list(URGENCIES):
        yield document.problem(("urgencies",), f"these are needed, in order: {URGENCIES}")
    if list(desk.dangers) != list(CATEGORIES):
        yield document.problem(("dangers",), f"these are needed, in order: {CATEGORIES}")
    for section, entries in (("outcomes", desk.outcomes), ("dispositions", desk.dispositions)):
        names = [entry.id for entry in entries]
        for position, name in enumerate(names):
            if name in names[:position]:
                yield document.problem((section, position), f"{name!r} stands twice; keep one")
    if {outcome.reached for outcome in desk.outcomes} != {True, False}:
        yield document.problem(("outcomes",), "some outcome must reach the visitor, some not")


def _named(entries: list, name: str):  # type: ignore[no-untyped-def,type-arg]
    for entry in entries:
        if entry.id == name:
            return entry
    raise KeyError(name)
