"""A small page of figures: what is counted, from plain rows. Pure.

Nothing here says who somebody is; what visitors asked is counted by the name of the
answer they got, never by their words.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from bot.console.queue import Waiting
from bot.vocabulary import HANDOFFS, TIERS


@dataclasses.dataclass(frozen=True)
class Talk:
    """A conversation: when it began, its highest tier, and whether the rules gave a level."""

    created: datetime
    tier: str
    level: str | None
    handoff: str


@dataclasses.dataclass(frozen=True)
class Called:
    """A record, and when somebody first tried to reach the visitor."""

    record: Waiting
    first_attempt: datetime | None


@dataclasses.dataclass(frozen=True)
class Series:
    """Numbers with their names, for one plot and its table."""

    title: str
    names: tuple[str, ...]
    values: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Figures:
    """The page's content.

    Attributes:
        conversations: how many there were.
        finished: how many ended in a level or a hand-off.
        minutes_to_call: median minutes from request to first attempt; None without calls.
        series: the plots.
    """

    conversations: int
    finished: int
    minutes_to_call: int | None
    series: tuple[Series, ...]

    @property
    def completion(self) -> str:
        """Share of conversations that ended in a level or a hand-off."""
        if not self.conversations:
            return "no conversations"
        return f"{round(100 * self.finished / self.conversations)} %"


def figures(
    talks: Sequence[Talk],
    called: Sequence[Called],
    unanswered: Iterable[tuple[str, int]],
    zone: tzinfo,
) -> Figures:
    """Count it all.

    Args:
        talks, called: of the clinics and the time that are looked at.
        unanswered: (name of the answer, how often) for messages that got no real answer.
        zone: hours of the day are those of this zone.
    """
    waits = [
        (one.first_attempt - one.record.created).total_seconds() / 60
        for one in called
        if one.first_attempt is not None
    ]
    hours = Counter(one.record.created.astimezone(zone).hour for one in called)
    kinds = Counter(one.record.kind for one in called)
    tiers = Counter(talk.tier for talk in talks)
    asked = list(unanswered)
    used = [kind for kind in HANDOFFS if kind != "none"]
    return Figures(
        conversations=len(talks),
        finished=sum(talk.level is not None or talk.handoff != "none" for talk in talks),
        minutes_to_call=round(statistics.median(waits)) if waits else None,
        series=(
            Series("Hand-offs by kind", tuple(used), tuple(kinds[kind] for kind in used)),
            Series(
                "Hand-offs by hour of the day",
                tuple(f"{hour}:00" for hour in range(24)),
                tuple(hours[hour] for hour in range(24)),
            ),
            Series(
                "Conversations by highest tier",
                tuple(tier.replace("_", " ") for tier in TIERS),
                tuple(tiers[tier] for tier in TIERS),
            ),
            Series(
                "Messages that got no real answer",
                tuple(name.replace("_", " ") for name, _ in asked),
                tuple(count for _, count in asked),
            ),
        ),
    )
