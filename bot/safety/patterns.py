"""Patterns over tokens: the small language the lexicon is written in, and its matcher.

    {want} ..2 (die|be dead)     a part, up to two words in between, one of two phrases
    i (really)? {hate} myself    an optional element

A part is a named list of phrases (`lexicon/parts.yml`); so one line of the lexicon
stands for hundreds of ways to say the same thing. Parts are found with one trie
walk over the tokens; a pattern is then tried only in a sentence that contains
everything it needs. The cost therefore hardly grows with the size of the lexicon.

Why not spaCy's Matcher: importing spaCy beside Rasa imports TensorFlow (11 s, and
the gateway may not), its vocabulary keeps every new word it ever saw (here: a
visitor's words, for ever), and multi-word alternatives multiply its patterns.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Phrase = tuple[str, ...]
FoldPhrase = Callable[[str], Phrase]

_GAP = re.compile(r"\.\.(?P<width>\d)")
_BODY = re.compile(r"\{\w+\}|[^\s(){}?]+")
_COMPOSED = re.compile(r"[(){}?.]")
_MOST_PHRASES = 6000
_MOST_MATCHES = 4  # of one pattern in one sentence; a flood of repeats costs no more


class PatternError(ValueError):
    """A pattern or part that cannot be understood; the message says why."""


@dataclasses.dataclass(frozen=True)
class Element:
    """One step of a pattern: any phrase of a part, after at most `gap` other words."""

    part: int
    gap: int
    optional: bool


@dataclasses.dataclass(frozen=True)
class Match:
    """Tokens `start` up to `end` fit; `loose` are those skipped by gaps."""

    start: int
    end: int
    loose: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Begun:
    """The parts that begin at one token.

    Attributes:
        lengths: part number to the lengths of its phrases that fit, shortest first.
        present: the same part numbers as a bit mask.
    """

    lengths: Mapping[int, Sequence[int]]
    present: int


class _Node:
    """A node of the trie of phrases; parts whose phrases end here."""

    __slots__ = ("_begun", "children", "depth", "parent", "parts")

    def __init__(self, parent: _Node | None):
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.children: dict[str, _Node] = {}
        self.parts: list[int] = []
        self._begun: Begun | None = None

    def begun(self) -> Begun:
        """The parts on the way from the root to here; worked out once, after compiling."""
        if self._begun is None:
            lengths: dict[int, list[int]] = {}
            node: _Node | None = self
            while node is not None:
                for number in node.parts:
                    lengths.setdefault(number, []).insert(0, node.depth)
                node = node.parent
            present = 0
            for number in lengths:
                present |= 1 << number
            self._begun = Begun(lengths, present)
        return self._begun


class Patterns:
    """All parts and patterns, ready to be matched.

    Args:
        parts: part name to its phrases; a phrase may use `(a|b)`, `?` and `{part}`.
        fold: turns a written phrase into token words, exactly as messages are.

    Raises:
        PatternError: a part is empty, unknown, or refers to itself.
    """

    def __init__(self, parts: Mapping[str, Sequence[str]], fold: FoldPhrase):
        self._fold = fold
        self._written = parts
        self._phrases: dict[str, frozenset[Phrase]] = {}
        self._bodies: dict[str, frozenset[Phrase]] = {}  # the same few stand in many patterns
        self._ids: dict[frozenset[Phrase], int] = {}
        self._trie = _Node(None)
        self._compiled: list[tuple[int, tuple[Element, ...], object]] = []
        for name in parts:
            self.part(name)

    def part(self, name: str) -> int:
        """The number of part `name`, as it appears in `Begun.lengths`."""
        return self._number(self._part_phrases(name, ()))

    def add(self, pattern: str, owner: object) -> None:
        """Compile `pattern`; its matches are reported with `owner`."""
        elements: list[Element] = []
        gap = 0
        for body, optional, width in _elements(pattern):
            if body is None:
                gap = width
                continue
            elements.append(Element(self._number(self._body_phrases(body, ())), gap, optional))
            gap = 0
        if gap or not elements or elements[0].gap or all(each.optional for each in elements):
            raise PatternError(f"{pattern!r} must begin and end with words")
        needed = 0
        for element in elements:
            if not element.optional:
                needed |= 1 << element.part
        self._compiled.append((needed, tuple(elements), owner))

    def words(self) -> set[str]:
        """Every word that any part or pattern uses."""
        return {word for phrases in self._ids for phrase in phrases for word in phrase}

    def find_parts(self, words: Sequence[str]) -> list[Begun]:
        """For each position, the parts that begin there."""
        found: list[Begun] = []
        length = len(words)
        for start in range(length):
            node = self._trie
            for position in range(start, length):
                child = node.children.get(words[position])
                if child is None:
                    break
                node = child
            found.append(node.begun())
        return found

    def find(self, parts: Sequence[Begun], start: int, end: int) -> Iterable[tuple[object, Match]]:
        """Every pattern's matches within the sentence of tokens `start` to `end`.

        For each pattern and first token only the shortest match is reported, and of
        each pattern the first `_MOST_MATCHES`.
        """
        present = 0
        for position in range(start, end):
            present |= parts[position].present
        for needed, elements, owner in self._compiled:
            if needed & present != needed:
                continue
            first = elements[0]
            found = 0
            for position in range(start, end):
                if not first.optional and first.part not in parts[position].lengths:
                    continue
                match = _match(parts, elements, 0, position, end, ())
                if match is not None:
                    yield owner, Match(position, match[0], match[1])
                    found += 1
                    if found == _MOST_MATCHES:
                        break

    def _number(self, phrases: frozenset[Phrase]) -> int:
        if phrases not in self._ids:
            self._ids[phrases] = len(self._ids)
            for phrase in phrases:
                node = self._trie
                for word in phrase:
                    if word not in node.children:
                        node.children[word] = _Node(node)
                    node = node.children[word]
                node.parts.append(self._ids[phrases])
        return self._ids[phrases]

    def _part_phrases(self, name: str, within: tuple[str, ...]) -> frozenset[Phrase]:
        if name in within:
            raise PatternError(f"part {name!r} refers to itself")
        if name not in self._phrases:
            if name not in self._written:
                raise PatternError(f"there is no part {name!r}")
            phrases = frozenset(
                phrase
                for written in self._written[name]
                for phrase in self._expand(written, (*within, name))
            )
            if not phrases:
                raise PatternError(f"part {name!r} is empty")
            self._phrases[name] = phrases
        return self._phrases[name]

    def _expand(self, written: str, within: tuple[str, ...]) -> set[Phrase]:
        """Every plain phrase that a written phrase stands for."""
        if not _COMPOSED.search(written):  # most are: it stands for itself
            words = [self._body_phrases(word, within) for word in written.split()]
            return {tuple(itertools.chain.from_iterable(itertools.chain(*words)))} - {()}
        choices: list[set[Phrase]] = []
        count = 1
        for body, optional, _ in _elements(written):
            if body is None:
                raise PatternError(f"{written!r}: a part cannot have gaps")
            phrases = set(self._body_phrases(body, within))
            if optional:
                phrases.add(())
            choices.append(phrases)
            count *= len(phrases)
        if count > _MOST_PHRASES:
            raise PatternError(f"{written!r} stands for {count} phrases; make it a pattern")
        expanded = {
            tuple(itertools.chain.from_iterable(combination))
            for combination in itertools.product(*choices)
        }
        expanded.discard(())
        return expanded

    def _body_phrases(self, body: str, within: tuple[str, ...]) -> frozenset[Phrase]:
        if body.startswith("{"):
            return self._part_phrases(body[1:-1], within)
        if body not in self._bodies:
            if not body.startswith("("):
                phrases = {self._fold(body)} - {()}
            else:
                phrases = set()
                for written in _alternatives(body):
                    phrases |= self._expand(written, within)
            if not phrases:
                raise PatternError(f"{body!r} holds no word")
            self._bodies[body] = frozenset(phrases)
        return self._bodies[body]


def _elements(pattern: str) -> list[tuple[str | None, bool, int]]:
    """(body or None for a gap, optional, gap width) of each element."""
    elements: list[tuple[str | None, bool, int]] = []
    position = 0
    while position < len(pattern):
        if pattern[position].isspace():
            position += 1
            continue
        gap = _GAP.match(pattern, position)
        if gap:
            elements.append((None, False, int(gap["width"])))
            position = gap.end()
            continue
        if pattern[position] == "(":
            end = _closing(pattern, position) + 1
        else:
            found = _BODY.match(pattern, position)
            if found is None:
                raise PatternError(f"{pattern!r} cannot be read at {pattern[position:]!r}")
            end = found.end()
        optional = pattern[end : end + 1] == "?"
        elements.append((pattern[position:end], optional, 0))
        position = end + optional
    return elements


def _closing(pattern: str, opening: int) -> int:
    """Where the bracket opened at `opening` closes."""
    closing = pattern.find(")", opening)
    if closing >= 0 and pattern.find("(", opening + 1, closing) < 0:
        return closing  # nothing is nested in it
    depth = 0
    for position in range(opening, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[position], 0)
        if depth == 0:
            return position
    raise PatternError(f"{pattern!r}: a bracket is not closed")


def _alternatives(body: str) -> list[str]:
    """The alternatives of "(a|b (c|d))", split at its own bars only."""
    inside = body[1:-1]
    if "(" not in inside:
        return inside.split("|")
    alternatives = [""]
    depth = 0
    for char in inside:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += char
    return alternatives


def _match(
    parts: Sequence[Begun],
    elements: tuple[Element, ...],
    step: int,
    position: int,
    end: int,
    loose: tuple[int, ...],
) -> tuple[int, tuple[int, ...]] | None:
    """Where the elements from `step` on end, if they fit from `position` on."""
    if step == len(elements):
        return position, loose
    element = elements[step]
    for skipped in range(element.gap + 1):
        here = position + skipped
        if here >= end:
            break
        for length in parts[here].lengths.get(element.part, ()):
            stop = here + length
            if stop <= end:
                after = loose + tuple(range(position, here))
                rest = _match(parts, elements, step + 1, stop, end, after)
                if rest is not None:
                    return rest
    if element.optional:
        return _match(parts, elements, step + 1, position, end, loose)
    return None
