"""What staff find under a reference code: plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class HandoffRecord:
    """One hand-off of one conversation; field names as in `bot.vocabulary`.

    Attributes:
        kind: phone, callback or crisis.
        tier, tier_rule: highest tier of the conversation and what set it.
        level, at_least: result of the level-of-care rules, if they ran.
        answers: questionnaire item to value.
        phone: E.164.
        consent: the wording to which the visitor said yes; none without contact details.
    """

    conversation: str
    clinic: str
    channel: str
    kind: str
    language: str
    tier: str
    tier_rule: str | None = None
    level: str | None = None
    at_least: str | None = None
    answers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    name: str | None = None
    phone: str | None = None
    best_time: str | None = None
    ok_voicemail: str | None = None
    consent: str | None = None


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A committed hand-off: its code, and whether it existed before."""

    reference: str
    updated: bool
