"""What a person answers to a crisis reply: that help is called, or what keeps them from calling.

Said anywhere else these words mean nothing, so this is no part of the screen: the
brain asks only while a crisis reply stands open.
"""

from __future__ import annotations

from pathlib import Path

import pydantic

from bot.reviewed import DataError, Document, Problem, ReviewedModel
from bot.safety.lexicon import load_lexicon
from bot.safety.normalise import Spelling, tokenise
from bot.safety.patterns import PatternError, Patterns
from bot.safety.replies import FOLLOW_UPS

BARRIERS = Path(__file__).with_name("barriers.yml")


class Barrier(ReviewedModel):
    """One barrier: `reply` is a member of `bot.safety.replies.FOLLOW_UPS`."""

    id: str
    reply: str
    patterns: pydantic.conlist(str, min_items=1)  # type: ignore[valid-type]
    examples: pydantic.conlist(str, min_items=1)  # type: ignore[valid-type]
    traps: tuple[str, ...] = ()


class _File(ReviewedModel):
    barriers: list[Barrier]


class Barriers:
    """Every barrier, in the order of the file; built by `load_barriers`."""

    def __init__(self, barriers: list[Barrier], patterns: Patterns, spelling: Spelling):
        self.barriers = barriers
        self._patterns = patterns
        self._spelling = spelling

    def reply_to(self, text: str) -> str | None:
        """The follow-up that meets the barrier named in `text`, if one is."""
        words = [token.word for token in tokenise(text, self._spelling)]
        parts = self._patterns.find_parts(words)
        named = {owner for owner, _ in self._patterns.find(parts, 0, len(words))}
        return next((each.reply for each in self.barriers if each.id in named), None)


def load_barriers(path: Path = BARRIERS, spelling: Spelling | None = None) -> Barriers:
    """Read and compile the barriers.

    Args:
        path: the file.
        spelling: the lexicon's, of a caller who has loaded it; it is loaded if not given.

    Raises:
        DataError: with every mistake found, by file and line.
    """
    document = Document(path)
    content = document.parse(_File)
    known = spelling or load_lexicon().spelling
    patterns = Patterns({}, lambda written: tuple(token.word for token in tokenise(written, known)))
    problems: list[Problem] = []
    for number, barrier in enumerate(content.barriers):
        if barrier.reply not in FOLLOW_UPS:
            problems.append(
                document.problem(("barriers", number), f"no follow-up is named {barrier.reply!r}")
            )
        for index, pattern in enumerate(barrier.patterns):
            try:
                patterns.add(pattern, barrier.id)
            except PatternError as error:
                problems.append(
                    document.problem(("barriers", number, "patterns", index), str(error))
                )
    if problems:
        raise DataError(problems)
    return Barriers(content.barriers, patterns, known)
