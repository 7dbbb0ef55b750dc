"""What `handrail check` says about the safety screen's reviewed data."""

from __future__ import annotations

import datetime
from pathlib import Path

from bot.reviewed import DataError, Problem
from bot.safety.lexicon import FOLDER, IDIOM, Lexicon, Placed, load_lexicon
from bot.safety.replies import CONTACTS, REPLIES, load_replies, stale_contacts
from bot.safety.screen import Screen
from bot.vocabulary import TIER_NONE, tier_at_least


def problems(today: datetime.date, folder: Path = FOLDER) -> list[Problem]:
    """Every mistake in lexicon, replies and contacts; warnings for stale contacts.

    Args:
        today: the date against which `verified_on` is held.
        folder: the lexicon.
    """
    found = lexicon_problems(folder)
    try:
        load_replies(REPLIES, CONTACTS)
    except DataError as error:
        return found + error.problems
    return found + stale_contacts(today)


def lexicon_problems(folder: Path = FOLDER) -> list[Problem]:
    """Every entry that misses one of its examples or falls into one of its traps."""
    try:
        lexicon = load_lexicon(folder)
    except DataError as error:
        return error.problems
    return [problem for placed in lexicon.entries for problem in entry_problems(lexicon, placed)]


def entry_problems(lexicon: Lexicon, placed: Placed) -> list[Problem]:
    """What one entry gets wrong on its own examples and traps."""
    screen = Screen(lexicon)
    entry = placed.entry
    problems: list[Problem] = []
    for example in entry.examples:
        reading = screen.read_lexicon(example)
        if placed.category == IDIOM:
            if reading.tier != TIER_NONE:
                problems.append(_problem(placed, f"the idiom does not excuse {example!r}"))
        elif not any(evidence.rule == entry.id for evidence in reading.evidence):
            problems.append(_problem(placed, f"{entry.id} misses its example {example!r}"))
        elif reading.tier == TIER_NONE:
            problems.append(_problem(placed, f"its example {example!r} comes out as none"))
    for trap in entry.traps:
        reading = screen.read_lexicon(trap)
        if entry.tier != TIER_NONE and tier_at_least(reading.tier, entry.tier):
            problems.append(_problem(placed, f"{entry.id} falls into its trap {trap!r}"))
    return problems


def _problem(placed: Placed, message: str) -> Problem:
    return Problem(placed.path, placed.line, message)
