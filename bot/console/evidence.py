"""Why the safety screen set a tier: the visitor's own words, marked, and the rule's reason."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Sequence

from bot.care.rules import load_table
from bot.reviewed import Document
from bot.safety.lexicon import FOLDER
from bot.safety.reading import Evidence

_OTHER_CAUSES = {
    "classifier": "The second vote of the safety screen: trained on the project's own examples.",
    "button": "The visitor pressed a button that says so.",
    "answer": "The visitor's answer to the direct question, or to the questionnaire.",
    "questionnaire": "The visitor's answers to the questionnaire.",
    "direct_question": "The visitor's answer to the direct question.",
}


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a message; `marked` if it is evidence."""

    text: str
    marked: bool


def pieces(text: str, evidence: Iterable[Evidence]) -> list[Piece]:
    """The whole of `text` in order, evidence marked; spans that overlap become one."""
    found: list[Piece] = []
    position = 0
    for part in sorted(evidence, key=lambda part: part.start):
        start, end = max(part.start, position), min(part.end, len(text))
        if start >= end:
            continue
        if start > position:
            found.append(Piece(text[position:start], False))
        found.append(Piece(text[start:end], True))
        position = end
    if position < len(text):
        found.append(Piece(text[position:], False))
    return found


def causes(rules: Sequence[str]) -> list[tuple[str, str]]:
    """(rule, its reviewed reason) for each rule id, each once, in order."""
    return [(rule, cause_of(rule)) for rule in dict.fromkeys(rules)]


def cause_of(rule: str) -> str:
    """The reviewed reason of a rule of the lexicon or of the level-of-care table."""
    name = rule.partition(":")[0]
    known = _OTHER_CAUSES.get(name) or _reviewed().get(rule)
    return known or "A rule of an earlier version; its reason is in that version's data."


@functools.lru_cache(maxsize=1)
def _reviewed() -> dict[str, str]:
    # The files alone: compiling the lexicon takes a second, and only reasons are wanted.
    files = (Document(path).data for path in sorted(FOLDER.glob("*.yml")))
    lexicon = {entry["id"]: entry["why"] for file in files for entry in file.get("entries", ())}
    return lexicon | {str(rule.id): str(rule.why) for rule in load_table().rules}
