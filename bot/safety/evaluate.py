"""How well the screen reads other people's words: recall and false alarms, with intervals.

Reads JSON lines of {"text", "label", "subtype", "own_words"}; the labels are "crisis"
(the text carries its writer's own current risk), "mh_negative", "everyday_negative"
and "ambiguous". A plain keyword list is measured in the same run, so that every
figure has something beside it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bot.safety.screen import Screen
from bot.vocabulary import TIER_CONCERN, TIER_CRISIS_OTHER, TIER_NONE, TIERS, tier_at_least

# What a first attempt at a safety net looks like; measured beside the screen.
KEYWORDS: tuple[str, ...] = (
    "suicide",
    "suicidal",
    "kill myself",
    "end my life",
    "want to die",
    "hurt myself",
    "overdose",
)

CRISIS = "crisis"
AMBIGUOUS = "ambiguous"
ACTIVE = (
    "active_si",
    "plan_intent_imminent",
    "attempt_recent_or_in_progress",
    "self_harm",
    "overdose",
    "method_seeking",
)
THIRD_PARTY = "third_party"


@dataclasses.dataclass(frozen=True)
class Target:
    """A figure to reach, on one group of messages.

    Attributes:
        name: what it says.
        holds: whether a message (label, subtype) belongs to the group.
        tier: the share of messages read as this tier or higher is measured.
        bound: the share to reach (recall) or not to exceed (false alarms).
        at_least: recall if true, false alarms if not.
    """

    name: str
    holds: Callable[[str, str], bool]
    tier: str
    bound: float
    at_least: bool


TARGETS: tuple[Target, ...] = (
    Target(
        "active risk",
        lambda label, kind: kind in ACTIVE and label == CRISIS,
        TIER_CONCERN,
        0.95,
        True,
    ),
    Target(
        "passive thoughts",
        lambda label, kind: kind == "passive_si" and label == CRISIS,
        TIER_CONCERN,
        0.85,
        True,
    ),
    Target(
        "active risk",
        lambda label, kind: kind in ACTIVE and label == CRISIS,
        TIER_CRISIS_OTHER,
        0.90,
        True,
    ),
    Target("third party", lambda _, kind: kind == THIRD_PARTY, TIER_CRISIS_OTHER, 0.70, True),
    Target("everyday", lambda _, kind: kind == "everyday", TIER_CRISIS_OTHER, 0.01, False),
    Target("hard idioms", lambda _, kind: kind == "idiom_hard", TIER_CRISIS_OTHER, 0.08, False),
    Target(
        "mental health without risk",
        lambda label, kind: label == "mh_negative" and kind != THIRD_PARTY,
        TIER_CRISIS_OTHER,
        0.03,
        False,
    ),
    Target("everyday", lambda _, kind: kind == "everyday", TIER_CONCERN, 0.03, False),
    Target(
        "mental health without risk",
        lambda label, kind: label == "mh_negative" and kind != THIRD_PARTY,
        TIER_CONCERN,
        0.12,
        False,
    ),
)


@dataclasses.dataclass(frozen=True)
class Judged:
    """One message with what screen and keyword list said."""

    text: str
    label: str
    subtype: str
    own: bool
    tier: str
    rules: tuple[str, ...]
    keyword: bool


@dataclasses.dataclass(frozen=True)
class Report:
    """The judged messages; `render` prints the tables."""

    judged: tuple[Judged, ...]

    def share(self, holds: Callable[[str, str], bool], tier: str) -> tuple[int, int]:
        """(messages read as `tier` or higher, messages) of a group.

        Made-up messages of danger are easier than people's own words: they never count.
        """
        group = [
            each
            for each in self.judged
            if holds(each.label, each.subtype) and (each.own or each.label != CRISIS)
        ]
        return sum(tier_at_least(each.tier, tier) for each in group), len(group)

    def render(self, worst: int = 0) -> str:
        """The tables as plain text.

        Args:
            worst: how many misses and false alarms to print per subtype. They are
                other people's words: for looking at, not for copying.
        """
        lines = [
            f"{'label':<18}{'subtype':<31}{'n':>5}   {'>= concern':<22}{'>= crisis':<22}keywords"
        ]
        kinds = sorted({(each.label, each.subtype) for each in self.judged})
        for label, subtype in kinds:
            group = [each for each in self.judged if (each.label, each.subtype) == (label, subtype)]
            lines.append(
                f"{label:<18}{subtype + '*' * (not group[0].own):<31}{len(group):>5}   "
                f"{_share(sum(each.tier != TIER_NONE for each in group), len(group)):<22}"
                + f"{_share(_crises(group), len(group)):<22}"
                + _share(sum(each.keyword for each in group), len(group))
            )
        lines.append("* made up by developers; of danger, not counted below")
        lines += ["", f"{'target':<30}{'tier':<16}{'bound':<10}{'reached':<24}"]
        for target in TARGETS:
            count, total = self.share(target.holds, target.tier)
            if total:
                met = (count / total >= target.bound) == target.at_least or (
                    count / total == target.bound
                )
                lines.append(
                    f"{target.name:<30}{'>= ' + target.tier:<16}"
                    f"{('>= ' if target.at_least else '<= ') + format(target.bound, '.2f'):<10}"
                    f"{_share(count, total):<24}{'met' if met else 'NOT MET'}"
                )
        if worst:
            lines += ["", *self._worst(kinds, worst)]
        return "\n".join(lines)

    def _worst(self, kinds: Iterable[tuple[str, str]], worst: int) -> list[str]:
        lines = []
        for label, subtype in kinds:
            if label == AMBIGUOUS:
                continue
            wrong = [
                each
                for each in self.judged
                if (each.label, each.subtype) == (label, subtype)
                and (each.tier == TIER_NONE) == (label == CRISIS)
            ]
            wrong.sort(key=lambda each: (-TIERS.index(each.tier), each.text))
            for each in wrong[:worst]:
                text = " ".join(each.text.split())[:160]
                lines.append(f"{subtype:<30}{each.tier:<14}{','.join(each.rules):<30}{text}")
        return lines


def evaluate(data_dir: Path, screen: Screen, own_words_only: bool = True) -> Report:
    """Read every `*.jsonl` of a folder with the screen.

    Args:
        data_dir: the folder.
        screen: with or without the classifier.
        own_words_only: leave out developers' made-up fixtures, which are easier; a
            subtype of which there is nothing else is kept whole.

    Raises:
        ValueError: a line is not JSON of the expected shape, or there is none.
    """
    messages = []
    for path in sorted(data_dir.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                message = json.loads(line)
                if {"text", "label", "subtype"} <= set(message):
                    messages.append(message)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{path}:{number}: not a JSON object") from error
    if not messages:
        raise ValueError(f"no labelled messages in {data_dir}")
    own = {
        (message["label"], message["subtype"])
        for message in messages
        if message.get("own_words", True)
    }
    judged = []
    for message in messages:
        kind = (message["label"], message["subtype"])
        if own_words_only and kind in own and not message.get("own_words", True):
            continue
        reading = screen.read(message["text"])
        judged.append(
            Judged(
                text=message["text"],
                label=message["label"],
                subtype=message["subtype"],
                own=message.get("own_words", True),
                tier=reading.tier,
                rules=tuple(dict.fromkeys(evidence.rule for evidence in reading.evidence)),
                keyword=any(keyword in message["text"].lower() for keyword in KEYWORDS),
            )
        )
    return Report(tuple(judged))


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson interval of a share (95 % for z = 1.96); `total` > 0."""
    share = count / total
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    middle = share + z * z / (2 * total)
    scale = 1 + z * z / total
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _share(count: int, total: int) -> str:
    low, high = wilson(count, total)
    return f"{count / total:.3f} ({low:.3f}-{high:.3f})"


def _crises(group: Sequence[Judged]) -> int:
    return sum(tier_at_least(each.tier, TIER_CRISIS_OTHER) for each in group)
