"""What the safety screen says about one message: plain values."""

from __future__ import annotations

import dataclasses
from typing import Tuple

from bot.vocabulary import TIER_NONE


@dataclasses.dataclass(frozen=True)
class Evidence:
    """A part of the message that set or raised the tier.

    Attributes:
        start, end: character offsets in the original text, `text[start:end]`.
        rule: id of the lexicon entry, or "classifier".
    """

    start: int
    end: int
    rule: str


@dataclasses.dataclass(frozen=True)
class Reading:
    """The screen's result for one message.

    Attributes:
        tier: a member of `bot.vocabulary.TIERS`.
        categories: what kind of danger, most serious first (lexicon categories).
        evidence: where it was seen.
        failed: a part of the screen failed at run time; the tier is then at
            least `concern`.
    """

    tier: str = TIER_NONE
    categories: Tuple[str, ...] = ()
    evidence: Tuple[Evidence, ...] = ()
    failed: bool = False
