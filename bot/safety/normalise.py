"""Fold a message into plain tokens that the lexicon can be written against.

People in danger type "I cant", "suiciiide", "k1ll myself", "kms" or send a pill
emoji; the lexicon is written once, in plain words. Every token remembers which
characters of the original message it came from. The lexicon's own patterns pass
through the same folding, so both sides always agree.

Nothing here raises for any Unicode text, and nothing is kept between messages.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

# How strongly a token is cut off from the one before it.
NO_BREAK = 0
CLAUSE_BREAK = 1
SENTENCE_BREAK = 2


@dataclasses.dataclass(frozen=True)
class Token:
    """One folded word or meaningful emoji.

    Attributes:
        word: lower case, without accents, apostrophes and stretched letters.
        start, end: the characters of the original text it came from.
        gap: the break before it: NO_BREAK, CLAUSE_BREAK (comma, dash, bracket)
            or SENTENCE_BREAK (full stop, question mark, new line, emoji).
        asked: a question mark ends the run of words right after this token.
        quoted: it stands between double quotation marks.
    """

    word: str
    start: int
    end: int
    gap: int = NO_BREAK
    asked: bool = False
    quoted: bool = False


@dataclasses.dataclass(frozen=True)
class Spelling:
    """Reviewed spellings; loaded by `bot.safety.lexicon`.

    Attributes:
        joined: two folded words that are one, e.g. "good bye".
        rewrites: a folded word to the words it stands for, e.g. "kms".
        emoji: emoji that carry a meaning and stay as tokens of their own.
        known: every word the lexicon knows.
        near: misspelt-able words of weight ("suicidal"): one slip of the finger
            in a word of seven letters or more still counts as the word.
        never_near: ordinary words that are one slip away from one in `near`.
    """

    rewrites: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    joined: Mapping[tuple[str, ...], str] = dataclasses.field(default_factory=dict)
    emoji: Collection[str] = ()
    known: Collection[str] = ()
    near: Mapping[str, str] = dataclasses.field(default_factory=dict)
    never_near: Collection[str] = ()


_APOSTROPHES = frozenset("'\u2019\u2018\u201b`\u00b4\u02bc\u02b9\u2032\uff07\u02bb\u02c8")
_DOUBLE_QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02')
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}
)
_LEET_INSIDE = frozenset("@$!*")
_SENTENCE_MARKS = frozenset(".!?\n\r;:\u00a1\u00bf\u2026\u3002\uff01\uff1f\u2028\u2029")
_STRETCHED = re.compile(r"(.)\1{2,}")
_AMOUNT = re.compile(r"(?P<number>[0-9]{1,7})(?P<unit>mg|mcg|ml|g|grams|pills|tablets)?")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_CONTRACTED = frozenset(("t", "m", "s", "re", "ve", "ll", "d"))
_SPELT_OUT = 4  # "s u i c i d e": so many single letters in a row may be one word
_NEAR_LENGTH = 7
_REPEATS = 3


def fold(text: str) -> tuple[str, list[int]]:
    """Case, accents, compatibility forms and apostrophes away.

    Returns:
        the folded text and, for each of its characters, the index of the
        original character it came from.
    """
    if text.isascii():
        kept = [index for index, char in enumerate(text) if char not in _APOSTROPHES]
        return "".join([text[index] for index in kept]).lower(), kept
    folded: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        if char in _APOSTROPHES:
            continue
        if char.isascii():
            folded.append(char.lower())
            origin.append(index)
            continue
        if char in _DOUBLE_QUOTES:
            folded.append('"')
            origin.append(index)
            continue
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold())
        for part in plain.casefold():
            if part in _APOSTROPHES or unicodedata.category(part) in ("Mn", "Me", "Cf", "Cs"):
                continue
            folded.append(part)
            origin.append(index)
    return "".join(folded), origin


def tokenise(text: str, spelling: Spelling) -> list[Token]:
    """The tokens of `text` in order; empty for a text without words."""
    folded, origin = fold(text)
    rough = _join_contractions(_join_spelt_out(_split(folded, spelling), spelling), spelling)
    tokens: list[Token] = []
    spelt: dict[str, tuple[str, ...]] = {}
    for number, (word, start, end, gap, asked, quoted) in enumerate(rough):
        if number >= _REPEATS and all(
            rough[before][0] == word for before in range(number - _REPEATS, number)
        ):
            continue  # a flood of one word or emoji says no more than a few of it
        if word not in spelt:
            spelt[word] = _spell(word, spelling)
        first, last = origin[start], origin[end - 1] + 1
        for piece, part in enumerate(spelt[word]):
            tokens.append(Token(part, first, last, gap if piece == 0 else NO_BREAK, asked, quoted))
    return tokens


_Rough = tuple[str, int, int, int, bool, bool]


def _split(folded: str, spelling: Spelling) -> list[_Rough]:
    """Words with their place, the break before them and whether they are quoted."""
    rough: list[_Rough] = []
    gap = NO_BREAK
    quoted = False
    position = 0
    length = len(folded)
    while position < length:
        char = folded[position]
        if char.isalnum() or (char in "@$" and _letter_at(folded, position + 1)):
            end = position + 1
            while end < length and (
                folded[end].isalnum()
                or (folded[end] in _LEET_INSIDE and _letter_at(folded, end + 1))
            ):
                end += 1
            rough.append((folded[position:end], position, end, gap, False, quoted))
            gap = NO_BREAK
            position = end
            continue
        if char == "," and rough and _between_digits(folded, position):  # "12,500"
            end = position + 1
            while end < length and folded[end].isalnum():
                end += 1
            before = rough.pop()
            rough.append((before[0] + folded[position + 1 : end], before[1], end, *before[3:]))
            position = end
            continue
        if char in spelling.emoji:
            rough.append((char, position, position + 1, max(gap, CLAUSE_BREAK), False, quoted))
            gap = CLAUSE_BREAK
        elif char == '"':
            quoted = not quoted
            gap = max(gap, CLAUSE_BREAK)
        elif char in _SENTENCE_MARKS:
            gap = SENTENCE_BREAK
            if char in "?\uff1f" and rough:
                rough[-1] = (*rough[-1][:4], True, rough[-1][5])
        elif char in ",()[]{}|/\u2014\u2013" or (char == "-" and _alone(folded, position)):
            gap = max(gap, CLAUSE_BREAK)
        elif unicodedata.category(char) == "So":
            gap = SENTENCE_BREAK
        position += 1
    return rough


def _letter_at(folded: str, position: int) -> bool:
    return position < len(folded) and folded[position].isalpha()


def _between_digits(folded: str, position: int) -> bool:
    return (
        folded[position - 1 : position].isdigit() and folded[position + 1 : position + 2].isdigit()
    )


def _alone(folded: str, position: int) -> bool:
    """A dash between spaces separates; one inside a word ("self-harm") does not."""
    return (
        folded[position - 1 : position].isspace() or folded[position + 1 : position + 2].isspace()
    )


def _join_spelt_out(rough: Sequence[_Rough], spelling: Spelling) -> list[_Rough]:
    """ "s u i c i d e" as one word, where the joined word is one we know."""
    joined: list[_Rough] = []
    position = 0
    while position < len(rough):
        end = position
        while end < len(rough) and len(rough[end][0]) == 1 and rough[end][0].isalpha():
            end += 1
        if end - position >= _SPELT_OUT:
            word = "".join(piece[0] for piece in rough[position:end])
            if word in spelling.known or word in spelling.rewrites:
                first, last = rough[position], rough[end - 1]
                joined.append((word, first[1], last[2], first[3], last[4], first[5]))
                position = end
                continue
        joined.extend(rough[position : max(end, position + 1)])
        position = max(end, position + 1)
    return joined


def _join_contractions(rough: Sequence[_Rough], spelling: Spelling) -> list[_Rough]:
    """ "don t", "i m" and "good bye": one word typed as two."""
    joined: list[_Rough] = []
    for piece in rough:
        if joined and piece[3] == NO_BREAK and (joined[-1][0], piece[0]) in spelling.joined:
            before = joined[-1]
            word = spelling.joined[before[0], piece[0]]
            joined[-1] = (word, before[1], piece[2], before[3], piece[4], before[5])
            continue
        if piece[0] in _CONTRACTED and joined and piece[3] == NO_BREAK:
            before = joined[-1]
            word = before[0] + piece[0]
            if word in spelling.rewrites or (word in ("its", "whos") and piece[0] == "s"):
                joined[-1] = (word, before[1], piece[2], before[3], piece[4], before[5])
                continue
        joined.append(piece)
    return joined


def _spell(word: str, spelling: Spelling) -> tuple[str, ...]:
    """The words that one typed word stands for."""
    amount = _AMOUNT.fullmatch(word)
    if amount:  # "400mg"; a dose of thousands gets a word of its own
        number = "thousands" if len(amount["number"]) > 3 else amount["number"]
        return (number, amount["unit"]) if amount["unit"] else (word,)
    for candidate in _readings(word, spelling):
        if candidate in spelling.rewrites:
            return spelling.rewrites[candidate]
        if candidate in spelling.known:
            return (candidate,)
    plain = _STRETCHED.sub(r"\1\1", word)
    if len(plain) >= _NEAR_LENGTH - 1 and plain not in spelling.never_near:
        for slip in (plain, *sorted(one_slip(plain))):
            if slip in spelling.near:
                return (spelling.near[slip],)
    return (plain,)


def _readings(word: str, spelling: Spelling) -> list[str]:
    """The word as typed, with stretched letters let go, and without leetspeak."""
    readings = [word]
    if _STRETCHED.search(word):
        readings += [_STRETCHED.sub(r"\1\1", word), _STRETCHED.sub(r"\1", word)]
    if "*" in word:
        readings += _unmasked(word, spelling)
    elif not word.isalpha() and _HAS_LETTER.search(word):
        readings.append(word.translate(_LEET))
        readings.append(word.replace("1", "l").replace("!", "l").translate(_LEET))
    return readings


def _unmasked(word: str, spelling: Spelling) -> list[str]:
    """ "su*cide": the weighty words that fit the mask."""
    mask = re.compile(re.sub(r"\\\*", "[a-z]", re.escape(word)))
    return sorted({full for full in spelling.near.values() if mask.fullmatch(full)})


def one_slip(word: str) -> set[str]:
    """`word` and every form of it with one letter left out.

    Two words one edit apart (a letter left out, added, changed or swapped with
    its neighbour) share such a form; that is how misspellings are looked up.
    """
    return {word} | {word[:cut] + word[cut + 1 :] for cut in range(len(word))}
