"""The gate of the law: where a visitor may be told a level of care.

Some states keep therapeutic recommendations for licensed people, and a clinic is
licensed in some states only. Behind a closed gate the visitor gets answers to
questions, crisis help and the hand-off; staff get the level all the same.
`jurisdictions.yml` has the laws with source and date.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Collection
from pathlib import Path
from typing import Literal, NamedTuple

from bot.care.rules import Sentence
from bot.care.states import STATE_CODES
from bot.reviewed import DataError, Document, Problem, ReviewedModel
from bot.vocabulary import UNKNOWN

JURISDICTIONS_FILE = Path(__file__).with_name("jurisdictions.yml")

# Why the gate stands as it does.
LICENSED = "licensed"
RESERVED_BY_LAW = "reserved_by_law"
OUTSIDE_LICENSED_STATES = "outside_licensed_states"
STATE_UNKNOWN = "state_unknown"


class Jurisdiction(ReviewedModel):
    """What was found about one state.

    Attributes:
        rule: "reserved" closes the gate; "open" leaves it to the clinic's licence.
        law: its name, or "none found".
        effective: since when it holds, or None.
        why: one plain sentence for staff.
        source: the document; verified_on: when it was last read.
    """

    rule: Literal["reserved", "open"]
    law: Sentence
    effective: datetime.date | None = None
    why: Sentence
    source: Sentence
    verified_on: datetime.date


class JurisdictionTable(ReviewedModel):
    """The whole of `jurisdictions.yml`: two-letter code to what was found."""

    states: dict[str, Jurisdiction]


class Gate(NamedTuple):
    """Whether the visitor may be told a level.

    Attributes:
        allowed: True if so.
        reason: LICENSED, RESERVED_BY_LAW, OUTSIDE_LICENSED_STATES or STATE_UNKNOWN.
        why: one plain sentence for staff.
        source: where it is written; None if the clinic's profile decides.
        verified_on: when the source was last read, or None.
    """

    allowed: bool
    reason: str
    why: str
    source: str | None = None
    verified_on: datetime.date | None = None


def level_may_be_shown(state: str | None, licensed_states: Collection[str]) -> Gate:
    """Whether a visitor in `state` may be told a level of care.

    A state that is not known closes the gate: the law that counts is that of the
    place where the visitor is, so without it nobody can say that a suggestion is
    lawful, and a coordinator on the phone asks first. A law that reserves the matter
    closes it even where the clinic is licensed.

    Args:
        state: two-letter code, or `unknown`; None if it was not asked.
        licensed_states: two-letter codes from the clinic's profile.

    Raises:
        ValueError: no such state.
    """
    if state is None or state == UNKNOWN:
        return Gate(False, STATE_UNKNOWN, "The visitor's state is not known, so no level is shown.")
    if state not in STATE_CODES:
        raise ValueError(f"state does not take {state!r}; it takes {', '.join(STATE_CODES)}")
    found = load_jurisdictions().states.get(state)
    if found and found.rule == "reserved":
        why = f"{found.law}: {found.why}"
        return Gate(False, RESERVED_BY_LAW, why, found.source, found.verified_on)
    if state not in licensed_states:
        why = f"The clinic is not licensed in {state}, so no level is shown there."
        return Gate(False, OUTSIDE_LICENSED_STATES, why)
    if found:
        return Gate(True, LICENSED, found.why, found.source, found.verified_on)
    return Gate(True, LICENSED, f"The clinic is licensed in {state}; no other law was found.")


@functools.cache
def load_jurisdictions() -> JurisdictionTable:
    """What was found about the states; raises `DataError` with file and line."""
    problems = jurisdiction_problems(JURISDICTIONS_FILE)
    if problems:
        raise DataError(problems)
    return Document(JURISDICTIONS_FILE).parse(JurisdictionTable)


def jurisdiction_problems(path: Path = JURISDICTIONS_FILE) -> list[Problem]:
    """Every mistake in the table at `path`, with file and line."""
    try:
        document = Document(path)
        table = document.parse(JurisdictionTable)
    except DataError as error:
        return error.problems
    return [
        document.problem(("states", code), f"{code!r} is not a state's two-letter code")
        for code in table.states
        if code not in STATE_CODES
    ]
