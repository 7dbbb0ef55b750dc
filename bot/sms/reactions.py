"""Reactions that arrive as texts: Liked “We open at 9 am.”; reviewed in `reactions.yml`.

The words in quotes are somebody's earlier message, mostly ours: they ask nothing, answer
nothing, and say nothing about the visitor.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable
from pathlib import Path

from bot.reviewed import Document, ReviewedModel
from bot.sms.keywords import plain

REACTIONS = Path(__file__).with_name("reactions.yml")
_SIGN = r"[^\w\s\"“”«»]{1,12}"
_FEWEST_WORDS = 3  # of a quote; one or two words could be anybody's


class _Entry(ReviewedModel):
    id: str
    why: str
    source: str
    openings: tuple[str, ...]


class _File(ReviewedModel):
    reactions: tuple[_Entry, ...]
    no_words: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Reaction:
    """A reaction to an earlier message.

    Attributes:
        quoted: the words of that message, maybe cut short; empty if it had none.
        unquoted: the reaction without them.
    """

    quoted: str
    unquoted: str

    def is_to(self, said: Iterable[str]) -> bool:
        """Whether the message is one of ours.

        Args:
            said: our messages, in order; a text may have carried several of them.
        """
        quote, ours = plain(self.quoted), plain(" ".join(said))
        if len(quote.split()) < _FEWEST_WORDS:
            return False
        # A long message is cut short, maybe in the middle of a word.
        cut = self.quoted.rstrip().endswith(("…", "..."))
        return (f" {quote}" if cut else f" {quote} ") in f" {ours} "


def reaction_in(text: str) -> Reaction | None:
    """The reaction that `text` is, as a whole; None: it is a text of the visitor's own."""
    found = load_reactions().fullmatch(text.strip())
    if found is None:
        return None
    return Reaction(found["quoted"] or "", f"{found['opening']} “…”")


@functools.cache
def load_reactions(path: Path = REACTIONS) -> re.Pattern[str]:
    """The reviewed openings as one pattern; raises `DataError` with every mistake."""
    content = Document(path).parse(_File)
    openings = (
        re.escape(opening).replace(re.escape("{sign}"), _SIGN)
        for entry in content.reactions
        for opening in entry.openings
    )
    return re.compile(
        rf"(?P<opening>{'|'.join(sorted(openings, key=len, reverse=True))})\s+"
        rf"(?:[“\"«](?P<quoted>.*)[”\"»]|(?:{'|'.join(map(re.escape, content.no_words))}))\.?",
        re.IGNORECASE | re.DOTALL,
    )
