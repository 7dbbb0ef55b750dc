"""What a hit means where it stands: negated? whose? when? supposed? quoted?

Rules for how people chat, after the idea of ConText (Harkema et al. 2009), whose
published rules are for clinical notes. Each question is answered from the words
around one hit, within its sentence, so a second hit in the same message is always
judged on its own: nothing said elsewhere can cancel it.

The words themselves are data (`lexicon/cues.yml`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

from bot.safety.normalise import CLAUSE_BREAK, SENTENCE_BREAK, Token
from bot.safety.patterns import Begun, Match

Who = Literal["self", "other", "generic", "addressee", "nobody"]

_NEGATION_REACH = 5  # words between "not" and what it denies
_LONGEST = 60  # words of a sentence that are read in one piece
_OVERLAP = 20
_LOOK_BACK = 6  # words before "not" in which a phrase that denies nothing may begin
_CHAIN_REACH = 12  # the same along a chain: "not hurt, cut or kill myself"


@dataclasses.dataclass(frozen=True)
class Context:
    """How one hit stands in its sentence.

    Attributes:
        who: whose danger; "generic" for people at large, "nobody" if the sentence
            names no subject.
        others: the same, as `Entry.despite` calls them.
    """

    who: Who
    negated: bool = False
    past: bool = False
    hypothetical: bool = False
    quoted: bool = False
    fiction: bool = False


class Message:
    """The tokens of one message with everything found in them.

    Args:
        tokens: from `normalise.tokenise`.
        parts: from `Patterns.find_parts`, for the same tokens.
        cues: cue name to part number.
    """

    def __init__(
        self,
        tokens: Sequence[Token],
        parts: Sequence[Begun],
        cues: Mapping[str, int],
    ):
        self.tokens = tokens
        self.parts = parts
        self._cues = cues

    def sentences(self) -> list[tuple[int, int]]:
        """First and past-the-last token of each sentence.

        Endless sentences are read in overlapping stretches, so that nothing is
        missed at a cut and the cost stays proportional to the length.
        """
        starts = [
            position
            for position, token in enumerate(self.tokens)
            if position == 0 or token.gap == SENTENCE_BREAK
        ]
        sentences = []
        for start, end in zip(starts, [*starts[1:], len(self.tokens)], strict=True):
            while end - start > _LONGEST:
                sentences.append((start, start + _LONGEST))
                start += _LONGEST - _OVERLAP
            sentences.append((start, end))
        return sentences

    def cue_ends(self, name: str, position: int) -> list[int]:
        """Where the cue's phrases that begin at `position` end."""
        lengths = self.parts[position].lengths.get(self._cues[name])
        return [position + length for length in lengths] if lengths else []

    def has_cue(self, name: str, start: int, end: int) -> bool:
        """Whether a phrase of the cue lies within tokens `start` to `end`."""
        return any(
            stop <= end for position in range(start, end) for stop in self.cue_ends(name, position)
        )

    def context(self, match: Match, sentence: tuple[int, int]) -> Context:
        """How `match`, found in `sentence`, is meant."""
        return Context(
            who=self._who(match, sentence),
            negated=self._negated(match, sentence),
            past=self._past(match, sentence),
            hypothetical=self._hypothetical(match, sentence),
            quoted=self._quoted(match, sentence),
            fiction=self.has_cue("fiction", *sentence),
        )

    # --- negation ---------------------------------------------------------------

    def _negated(self, match: Match, sentence: tuple[int, int]) -> bool:
        if any(self.cue_ends("negation", loose) for loose in match.loose):
            return True
        for position in range(match.start - 1, sentence[0] - 1, -1):
            if (
                self.tokens[position].word == "never"
                and match.end < sentence[1]
                and self.cue_ends("more_than_ever", match.end)
            ):
                continue  # "never wanted to die more than now"
            for stop in self.cue_ends("negation", position):
                if self._denies(position, min(stop, match.start), match.start):
                    return True
        return self._taken_back(match, sentence)

    def _denies(self, cue: int, after: int, target: int) -> bool:
        """Whether the negation at `cue` reaches the hit at `target`."""
        if any(
            stop > cue
            for position in range(max(0, cue - _LOOK_BACK), cue + 1)
            for stop in self.cue_ends("false_negation", position)
        ):
            return False
        chained = self.has_cue("or", after, target)
        if target - after > (_CHAIN_REACH if chained else _NEGATION_REACH):
            return False
        reach = after
        for stop in self.cue_ends("think_that", after) if after < len(self.tokens) else []:
            reach = max(reach, stop)  # "I do not think that I ..." denies past its subject
        for position in range(reach, target):
            if self.tokens[position].gap and not chained:
                return False
            if self.cue_ends("negation_stop", position):
                return False
            if self.cue_ends("self", position) or self.cue_ends("other", position):
                return False
        return not self.tokens[target].gap or chained

    def _taken_back(self, match: Match, sentence: tuple[int, int]) -> bool:
        """ "kill myself? no", "suicide is not an option"."""
        if match.end >= len(self.tokens):
            return False
        if self.tokens[match.end - 1].asked and self.cue_ends("answer_no", match.end):
            return True
        return any(stop <= sentence[1] for stop in self.cue_ends("denied_after", match.end))

    # --- who --------------------------------------------------------------------

    def _who(self, match: Match, sentence: tuple[int, int]) -> Who:
        """The nearest subject in the hit's own clause, else who the sentence began with."""
        clause = self._clause_start(match.start, sentence[0])
        if match.end < sentence[1] and self.cue_ends("reflexive_you", match.end):
            return "addressee"
        for position in range(min(match.end, len(self.tokens)) - 1, clause - 1, -1):
            who = self._subject_at(position)
            if who is not None and (position < match.start or who == "self"):
                return who
        while clause > sentence[0]:
            before = self._clause_start(clause - 1, sentence[0])
            for position in range(before, clause):
                who = self._subject_at(position)
                if who is not None:
                    return who
            clause = before
        return "nobody"

    def _subject_at(self, position: int) -> Who | None:
        if self.cue_ends("other", position):
            return "other"
        if self.cue_ends("self", position):
            return "self"
        if self.cue_ends("addressee", position):
            return "addressee"
        if self.cue_ends("generic", position):
            return "generic"
        return None

    def reported_of_other(self, match: Match, sentence: tuple[int, int]) -> bool:
        """Whether the words before the hit say that somebody else says it."""
        for position in range(match.start - 1, sentence[0] - 1, -1):
            if self.cue_ends("says", position):
                for back in range(position - 1, sentence[0] - 1, -1):
                    who = self._subject_at(back)
                    if who is not None:
                        return who == "other"
                return False
            if self.cue_ends("clause", position) or self.cue_ends("self", position):
                # "she says i want to die": the speaker's own "i" belongs to the hit
                if self.cue_ends("self", position) and position >= match.start - 3:
                    continue
                return False
        return False

    def told_of_other(self, match: Match, sentence: tuple[int, int]) -> bool:
        """Whether the hit's own clause names somebody else before it, and the writer nowhere.

        "He has been cutting again" is about him, though the words could be the writer's own.
        """
        clause = self._clause_start(match.start, sentence[0])
        told = False
        for position in range(clause, match.end):
            who = self._subject_at(position)
            if who == "self":
                return False
            told = told or (who == "other" and position < match.start)
        return told

    def _clause_start(self, position: int, sentence_start: int) -> int:
        """The first token of the clause in which token `position` stands."""
        while position > sentence_start:
            if self.tokens[position].gap == CLAUSE_BREAK or self.cue_ends("clause", position):
                return position
            position -= 1
        return position

    # --- when, and whether it is meant ---------------------------------------------

    def _past(self, match: Match, sentence: tuple[int, int]) -> bool:
        """Long ago or over, and nothing after that brings it back."""
        cue = None
        for position in range(sentence[0], sentence[1]):
            if self.cue_ends("past", position):
                cue = position
                if position >= match.start:
                    break
        if cue is None:
            cue = next(
                (
                    position
                    for position in range(match.start, match.end)
                    if self.cue_ends("past_verb", position)
                ),
                None,
            )
            if cue is None:
                return False
            return not self.has_cue("recent", *sentence)
        if cue < match.start:
            return not (
                self.has_cue("back_to_now", cue, match.start)
                or self.has_cue("recent", cue, sentence[1])
            )
        return not any(
            self.cue_ends("clause", position) or self.tokens[position].gap
            for position in range(match.end, cue)
        )

    def _hypothetical(self, match: Match, sentence: tuple[int, int]) -> bool:
        clause = self._clause_start(match.start, sentence[0])
        return self.has_cue("hypothetical", clause, match.end)

    def _quoted(self, match: Match, sentence: tuple[int, int]) -> bool:
        return all(token.quoted for token in self.tokens[match.start : match.end])
