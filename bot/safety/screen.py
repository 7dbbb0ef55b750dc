"""The safety screen: one message in, what danger it signals out.

    screen = load_screen()
    screen.read("I am not ok and I want to kill myself").tier    # "crisis_self"

Two votes: the reviewed lexicon (`bot.safety.lexicon`) read clause by clause, and,
if given, a classifier trained on the project's own examples. Either can raise the
tier, neither can lower what the other saw.

Loading refuses on bad data. Reading never raises: if a part fails while running,
the result is at least `concern`, marked `failed`, logged without the text and counted.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from bot.safety.context import Context, Message
from bot.safety.lexicon import CATEGORIES, FOLDER, IDIOM, Lexicon, Placed, load_lexicon
from bot.safety.normalise import Spelling, Token, tokenise
from bot.safety.patterns import Match
from bot.safety.reading import Evidence, Reading
from bot.vocabulary import (
    TIER_CONCERN,
    TIER_CRISIS_OTHER,
    TIER_CRISIS_SELF,
    TIER_NONE,
    TIERS,
    higher_tier,
    tier_at_least,
)

logger = logging.getLogger(__name__)

# Categories of a reading with tier "none": a risk was named, but as past or denied.
# The brain acknowledges it in a line (`CrisisReplies.acknowledgement`).
PAST_RISK = "past_risk"
NEGATED_RISK = "negated_risk"

# Concern of two of these kinds in one message adds up to crisis.
_ADD_UP = frozenset(
    {"suicide_passive", "goodbye_and_burden", "plan_and_means", "self_harm", "suicide_active"}
)

# A feeling that calls for the direct question, but is no risk by itself: it does not add up
# with the classifier's doubt about the same words, and is nobody else's danger.
_FEELING = "hopelessness"


class Vote(Protocol):
    """A second opinion, e.g. `bot.safety.classifier.Classifier`."""

    def read(self, text: str, tokens: Sequence[Token] = ()) -> Reading:
        """The reading of `text`; `tokens` are its folded words, if the caller has them."""


@dataclasses.dataclass(frozen=True)
class _Hit:
    """An entry that was found, with what it means where it stands."""

    placed: Placed
    start: int  # characters of the original text
    end: int
    tier: str
    weakened: str | None  # PAST_RISK or NEGATED_RISK if that is why the tier is low
    other: bool


class Screen:
    """Reads messages; built by `load_screen`.

    Args:
        lexicon: the compiled lexicon.
        vote: the classifier; None for the lexicon alone.

    Attributes:
        failures: how often a part failed at run time since the start.
    """

    def __init__(self, lexicon: Lexicon, vote: Vote | None = None):
        self._lexicon = lexicon
        self._vote = vote
        self.failures = 0

    @property
    def spelling(self) -> Spelling:
        """The lexicon's, for whoever folds messages as the screen does."""
        return self._lexicon.spelling

    def read(self, text: str) -> Reading:
        """What danger `text`, one message, signals; never raises."""
        tokens: list[Token] = []  # folded once for both votes

        def by_lexicon() -> Reading:
            tokens.extend(tokenise(text, self._lexicon.spelling))
            return self._read_tokens(tokens)

        reading = self._guarded(by_lexicon, "lexicon")
        if self._vote is not None:
            vote = self._vote
            second = self._guarded(lambda: vote.read(text, tokens), "classifier")
            reading = _combine(reading, second)
        return reading

    def read_lexicon(self, text: str) -> Reading:
        """The lexicon's vote alone; may raise if the screen itself is broken."""
        return self._read_tokens(tokenise(text, self._lexicon.spelling))

    def _read_tokens(self, tokens: Sequence[Token]) -> Reading:
        lexicon = self._lexicon
        if not tokens:
            return Reading()
        parts = lexicon.patterns.find_parts([token.word for token in tokens])
        message = Message(tokens, parts, lexicon.cues)
        hits: list[_Hit] = []
        for sentence in message.sentences():
            found = list(lexicon.patterns.find(parts, *sentence))
            hits.extend(_weighed(message, sentence, found))
        return _reading(message, hits)

    def _guarded(self, part: Callable[[], Reading], name: str) -> Reading:
        try:
            return part()
        except Exception as error:  # the promise of this module: reading never raises
            self.failures += 1
            # The type only: a message of the exception could carry the visitor's words.
            logger.error("safety screen: %s failed with %s", name, type(error).__name__)
            return Reading(tier=TIER_CONCERN, failed=True)


def load_screen(
    classifier_path: Path | None = None,
    encode: Callable[[Sequence[str]], Any] | None = None,
    folder: Path = FOLDER,
) -> Screen:
    """The screen, ready to read.

    Args:
        classifier_path: weights written by `bot.safety.classifier.train`; None for
            the lexicon alone.
        encode: texts to sentence embeddings, float32 of shape (texts, 512), so that
            a caller who holds the encoder shares it; loaded here if not given.
        folder: the lexicon.

    Raises:
        DataError: the lexicon has mistakes.
        OSError, KeyError, ValueError: the classifier's weights are missing or do not fit.
    """
    lexicon = load_lexicon(folder)
    vote = None
    if classifier_path is not None:
        from bot.safety.classifier import load_classifier

        vote = load_classifier(classifier_path, lexicon.spelling, encode)
    return Screen(lexicon, vote)


def _weighed(
    message: Message, sentence: tuple[int, int], found: Iterable[tuple[Any, Match]]
) -> list[_Hit]:
    """The hits of one sentence, idioms taken out."""
    matches = list(found)
    idioms = [match for placed, match in matches if placed.category == IDIOM]
    hits: list[_Hit] = []
    for placed, match in matches:
        if placed.category == IDIOM:
            continue
        if any(idiom.start < match.end and match.start < idiom.end for idiom in idioms):
            continue
        context = message.context(match, sentence)
        tier, weakened, other = _meant(placed, context, message, match, sentence)
        hits.append(
            _Hit(
                placed,
                message.tokens[match.start].start,
                message.tokens[match.end - 1].end,
                tier,
                weakened,
                other,
            )
        )
    return hits


def _meant(
    placed: Placed, context: Context, message: Message, match: Match, sentence: tuple[int, int]
) -> tuple[str, str | None, bool]:
    """(tier, why it is lower than the entry's own, whether it is about somebody else)."""
    entry = placed.entry
    other = entry.who == "other" or (entry.who == "subject" and context.who == "other")
    if entry.who == "self" and message.reported_of_other(match, sentence):
        other = placed.category not in ("violence_and_abuse", "psychosis", "harm_to_others")
    if entry.who == "self" and message.told_of_other(match, sentence):
        if placed.category == _FEELING:
            return TIER_NONE, None, True
        other = other or placed.category == "self_harm"
    if context.fiction and entry.tier == TIER_CONCERN and context.who in ("nobody", "generic"):
        return TIER_NONE, None, other  # a word in the news, a class or a game
    if context.fiction and (other or context.quoted or placed.category == "harm_to_others"):
        return TIER_NONE, None, other
    if entry.who == "subject" and context.who == "addressee":
        return TIER_NONE, None, other
    if entry.who == "subject" and context.who == "generic":
        general = min(str(entry.tier), TIER_CONCERN, key=TIERS.index)
        return (TIER_NONE if context.negated else general), None, True
    if context.negated and "negated" not in entry.despite:
        return TIER_NONE, None if placed.category == _FEELING else NEGATED_RISK, other
    if context.past and "past" not in entry.despite:
        return TIER_NONE, None if placed.category == _FEELING else PAST_RISK, other
    tier: str = entry.tier
    if other and tier == TIER_CRISIS_SELF:
        tier = TIER_CRISIS_OTHER
    if other and tier == TIER_CONCERN and placed.category in _ADD_UP:
        tier = TIER_CRISIS_OTHER
    doubted = (context.hypothetical and "hypothetical" not in entry.despite) or (
        context.quoted and "quoted" not in entry.despite and len(message.tokens) > 3
    )
    if doubted and tier_at_least(tier, TIER_CONCERN):
        tier = TIER_CONCERN
    return tier, None, other


def _reading(message: Message, hits: Sequence[_Hit]) -> Reading:
    """All hits of a message as one reading."""
    if not hits:
        return Reading()
    tier = TIER_NONE
    for hit in hits:
        tier = higher_tier(tier, hit.tier)
    weakened = {hit.weakened for hit in hits if hit.weakened}
    if tier == TIER_NONE:
        if not weakened:
            return Reading()
        if message.has_cue("distress", 0, len(message.tokens)):
            tier = TIER_CONCERN
        counted = [hit for hit in hits if hit.weakened]
        return Reading(tier, tuple(sorted(weakened)), _evidence(counted))
    counted = [hit for hit in hits if hit.tier != TIER_NONE]
    kinds = {hit.placed.category for hit in counted if not hit.other}
    if tier == TIER_CONCERN and len(kinds & _ADD_UP) > 1:
        tier = TIER_CRISIS_SELF
    categories = {
        "third_person" if hit.other and hit.placed.category in _ADD_UP else hit.placed.category
        for hit in counted
    }
    ordered = tuple(category for category in CATEGORIES if category in categories)
    return Reading(tier, ordered, _evidence(counted))


def _evidence(hits: Sequence[_Hit]) -> tuple[Evidence, ...]:
    """Most serious first, each entry and place once."""
    ordered = sorted(hits, key=lambda hit: (-TIERS.index(hit.tier), hit.start, hit.end))
    seen: dict[tuple[int, int, str], Evidence] = {}
    for hit in ordered:
        key = (hit.start, hit.end, hit.placed.entry.id)
        seen.setdefault(key, Evidence(*key))
    return tuple(seen.values())


def _combine(one: Reading, other: Reading) -> Reading:
    """Both votes: the higher tier, the categories and evidence of both.

    Two independent concerns about the writer's own life add up to crisis.
    """
    tier = higher_tier(one.tier, other.tier)
    if one.tier == other.tier == TIER_CONCERN and all(
        reading.categories and reading.categories[0] in _ADD_UP for reading in (one, other)
    ):
        tier = TIER_CRISIS_SELF
    first, second = (
        (one, other) if TIERS.index(one.tier) >= TIERS.index(other.tier) else (other, one)
    )
    categories = tuple(dict.fromkeys(first.categories + second.categories))
    return Reading(
        tier=tier,
        categories=categories,
        evidence=first.evidence + second.evidence,
        failed=one.failed or other.failed,
    )
