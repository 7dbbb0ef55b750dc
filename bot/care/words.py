"""Words and phrases of free text: brought to one spelling, then matched.

The reading of answers (`answers.py`) works on `Clause`s: parts of a sentence as
words in small letters without accents or apostrophes. Phrases come from reviewed
YAML in a small notation: `#` is a number, `#5` one of at least 5, `a/b` either word,
`word*` any ending, `...` up to three words. Which words deny or doubt is data too
(`words.yml`).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from bot.accents import without_accents
from bot.reviewed import Document, ReviewedModel

WORDS_FILE = Path(__file__).with_name("words.yml")

_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
# "My dad's" is "my dad"; "he's" stays one word.
_POSSESSIVE = re.compile(
    "\\b(?!(?:he|she|it|that|there|what|who|where|how|when|let|here)['\u2019])"
    "([a-z]+)['\u2019]s\\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"([^.!?\n]+)([.!?\n]*)")
_CLAUSE_MARKS = re.compile(r"[,;:()\u2013\u2014]+|\s-+\s")
_WORD = re.compile(r"\d+/\d+|\d+\+?|[a-z]+")
_JOINING = re.compile(r"^(?:and|but|so|y|pero) ")
_FOR_SOMEBODY = re.compile(r"es (?:para )?(?:mi|el|ella|otra|nuestr[oa])\b")  # no "es caro"
_GAP = "..."


class PerLanguage(ReviewedModel):
    """Words and phrases in each language."""

    en: list[str]
    es: list[str]

    def all(self) -> list[str]:
        """The words of all languages."""
        return [*self.en, *self.es]


class WordLists(ReviewedModel):
    """The whole of `words.yml`; the file's comments say what each list is for."""

    spellings: dict[str, str]
    fillers: PerLanguage
    yes: PerLanguage
    partly: PerLanguage
    no: PerLanguage
    unsure: PerLanguage
    skip: PerLanguage
    negators: PerLanguage
    not_denying: PerLanguage
    after_plain_no: list[str]
    doubting: PerLanguage
    conditional: PerLanguage
    question_starts: PerLanguage
    correcting: PerLanguage
    perhaps_correcting: PerLanguage
    denying: PerLanguage
    going_back: PerLanguage
    going_on: PerLanguage
    changing: PerLanguage
    times: list[str]
    reporting: PerLanguage
    turning: list[str]
    not_years: list[str]
    living_in: PerLanguage
    coming_from: PerLanguage
    code_is_word: list[str]
    numbers: dict[str, int]


@dataclasses.dataclass(frozen=True)
class Clause:
    """A part of a sentence.

    Attributes:
        words: its words in small letters, one space apart.
        asks: it belongs to a question put to us.
    """

    words: str
    asks: bool


@dataclasses.dataclass(frozen=True)
class Match:
    """A phrase found in a clause: `clause.words[start:end]`."""

    start: int
    end: int
    value: str


@dataclasses.dataclass(frozen=True)
class Phrase:
    """A phrase in the notation above, to be searched in a clause.

    Attributes:
        pattern: what matches it.
        opens: the words it can begin with; None if those are too many to list.
    """

    pattern: re.Pattern[str]
    opens: frozenset[str] | None


class Phrasebook(tuple[tuple[Phrase, str], ...]):
    """Phrases, each with its value."""

    @functools.cached_property
    def _by_first_word(self) -> dict[str | None, list[int]]:
        """Places of phrases by the words that they can begin with; None: by any."""
        places: dict[str | None, list[int]] = {}
        for place, (phrase, _) in enumerate(self):
            for word in phrase.opens or [None]:
                places.setdefault(word, []).append(place)
        return places

    def possible(self, words: str) -> Iterator[tuple[Phrase, str]]:
        """What could be in `words`, in order.

        Most phrases are in no clause, and looking up its words is many times faster than
        searching for each phrase.
        """
        found: set[int] = set()
        for word in (None, *words.split()):
            found.update(self._by_first_word.get(word, ()))
        return (self[place] for place in sorted(found))


@functools.cache
def load_words() -> WordLists:
    """The word lists; raises `bot.reviewed.DataError` with file and line."""
    return Document(WORDS_FILE).parse(WordLists)


def normalise(text: str) -> str:
    """`text` as words in small letters, without accents, apostrophes or other marks."""
    folded = without_accents(_APOSTROPHES.sub("", _POSSESSIVE.sub(r"\1", text))).lower()
    words = " ".join(_WORD.findall(folded))
    for long, pattern, short in _spellings():
        if long in words:
            words = pattern.sub(short, words)
    return words


def clauses(text: str) -> list[Clause]:
    """The parts of `text` in order; empty ones are left out."""
    found = []
    for sentence, end in _SENTENCE.findall(text):
        asks = False
        for part in _CLAUSE_MARKS.split(sentence):
            words = normalise(part)
            if "?" not in end or asks:
                found += [Clause(words, asks)] if words else []
                continue
            # "I'm 34 and can I work?": from where the question starts, it is one.
            said, asked = _before_question(words)
            asks = bool(asked)
            found += [Clause(said, False)] if said else []
            found += [Clause(asked, True)] if asked else []
    return found


def compile_phrase(phrase: str) -> Phrase:
    """Make a phrase of its notation."""
    tokens = phrase.split()
    pattern = ""
    for token in tokens:
        if token == _GAP:
            pattern += r"(?: \S+){0,3}"
            continue
        pattern += " " if pattern else ""
        if token[0] == "#":
            pattern += _number_pattern(int(token[1:] or 0))
        else:
            pattern += f"(?:{'|'.join(map(_word, _alternatives(token)))})"
    first = _alternatives(tokens[0])
    listed = all(word[0] != "#" and word != _GAP and not word.endswith("*") for word in first)
    return Phrase(re.compile(rf"(?<!\S){pattern}(?!\S)"), frozenset(first) if listed else None)


def find(phrases: Phrasebook, words: str) -> list[Match]:
    """All phrases in `words`; a match inside a longer one does not count."""
    found = [
        Match(hit.start(), hit.end(), value)
        for phrase, value in phrases.possible(words)
        for hit in phrase.pattern.finditer(words)
    ]
    if len(found) < 2:
        return found
    return [
        match
        for match in found
        if not any(
            other.start <= match.start
            and match.end <= other.end
            and (other.end - other.start) > (match.end - match.start)
            for other in found
        )
    ]


def is_denied(words: str, match: Match) -> bool:
    """Whether a word shortly before the match denies it."""
    lists = load_words()
    before = words[: match.start].split()[-5:]
    for position in range(len(before) - 1, -1, -1):
        word = before[position]
        if word in lists.not_denying.all() and word not in lists.negators.all():
            return False
        if word in lists.negators.all():
            following = (*before, *words[match.start : match.end].split())[position + 1]
            return not (word == "no" and following in lists.after_plain_no)
    return False


def is_doubted(words: str, match: Match) -> bool:
    """Whether the writer says that they do not know about the match."""
    return any(hit.end() <= match.start for hit in _doubting().finditer(words))


def is_conditional(words: str, match: Match) -> bool:
    """Whether the match is only supposed: "if", "when", "before" stand before it."""
    return any(hit.end() <= match.start for hit in _conditional().finditer(words))


def asks_something(words: str) -> bool:
    """Whether a question starts in `words`, with or without its question mark."""
    return bool(_before_question(words)[1] or _asks_inside().search(words))


def tells_where(words: str) -> bool:
    """Whether somebody says where they live, be it a town that we do not know."""
    return bool(_any_of(load_words().living_in.all()).search(words))


def goes_back(words: str) -> bool:
    """Whether somebody wants the question before."""
    return bool(_any_of(load_words().going_back.all()).search(words))


def only_goes_on(text: str) -> bool:
    """Whether "keep going" or "continue" is the whole of a message."""
    said = without_reply(without_fillers(normalise(text))).removesuffix(" here")
    return said.removesuffix(" aqui") in load_words().going_on.all()


def skips(text: str) -> bool:
    """Whether somebody leaves a question open, in words."""
    lists = load_words()
    said = without_fillers(normalise(text))
    return said in (*lists.skip.all(), *lists.unsure.all())


def goes_on(words: str) -> bool:
    """Whether somebody who paused wants to go on."""
    return bool(_any_of(load_words().going_on.all()).search(words)) and not any(
        word in load_words().negators.all() for word in words.split()
    )


def is_yes(words: str) -> bool:
    """Whether `words` are only a yes."""
    return without_fillers(words) in load_words().yes.all()


def is_not_no(text: str) -> bool:
    """Whether the whole of a message is a yes, "not sure" or "a little", whatever it sounds like.

    "No sé" is not "no"; nor is "maybe", where a life may hang on it.
    """
    lists = load_words()
    said = normalise(text)
    told = (*lists.yes.all(), *lists.unsure.all(), *lists.partly.all())
    return said in told or without_fillers(said) in told


def is_bare(words: str) -> bool:
    """Whether `words` are only a yes, a no or a number, which could answer any question."""
    lists = load_words()
    left = without_fillers(words)
    return left in (*lists.yes.all(), *lists.no.all(), *lists.partly.all()) or (
        " " not in left and (number_value(left) or 10) < 10
    )


def without_reply(words: str) -> str:
    """`words` without a yes or no, or several, at the beginning."""
    replies = _single_replies()
    left = words.split()
    while left and left[0] in replies:
        left = left[1:]
    return " ".join(left)


def without_fillers(words: str) -> str:
    """`words` without what is said around an answer; all of it if nothing were left."""
    fillers = _fillers()
    return " ".join(word for word in words.split() if word not in fillers) or words


def number_value(word: str) -> int | None:
    """The number that one word stands for, or None."""
    if word.rstrip("+").isdigit():
        return int(word.rstrip("+")) if len(word) < 6 else None
    return load_words().numbers.get(word)


def numbers_in(words: str) -> Iterator[tuple[int, int, int]]:
    """The numbers in `words` as (start, end, value); "thirty four" is one number."""
    spans = [
        (hit.start(), hit.end(), number_value(hit.group())) for hit in re.finditer(r"\S+", words)
    ]
    position = 0
    while position < len(spans):
        start, end, value = spans[position]
        position += 1
        if value is None:
            continue
        if value >= 20 and value % 10 == 0 and position < len(spans):
            _, next_end, unit = spans[position]
            if unit is not None and 0 < unit < 10 and not words[start:end].isdigit():
                value, end = value + unit, next_end
                position += 1
        yield start, end, value


def _before_question(words: str) -> tuple[str, str]:
    """What is said in front of a question, and the question; either may be empty."""
    if _FOR_SOMEBODY.match(words):
        return words, ""
    if _question_start().match(_JOINING.sub("", words)):
        return "", words
    hit = _joined_question().search(words)
    return (words[: hit.start()], words[hit.end() :]) if hit else (words, "")


def _alternatives(token: str) -> list[str]:
    """The words of "a/b"; a fraction such as 24/7 is one word."""
    return token.split("/") if "/" in token and not token[0].isdigit() else [token]


def _word(token: str) -> str:
    if token.endswith("*"):
        return re.escape(token[:-1]) + r"\S*"
    return re.escape(token)


@functools.cache
def _number_pattern(least: int) -> str:
    """A number of at least `least`, below 1000."""
    words = [word for word, value in load_words().numbers.items() if value >= least]
    digits = [str(value) for value in range(least, 1000)] if least else [r"\d+"]
    return rf"(?:(?:{'|'.join(digits)})\+?|{'|'.join(words)})"


@functools.cache
def _spellings() -> list[tuple[str, re.Pattern[str], str]]:
    return [
        (long, re.compile(rf"(?<!\S){re.escape(long)}(?!\S)"), short)
        for long, short in load_words().spellings.items()
    ]


@functools.cache
def _fillers() -> frozenset[str]:
    return frozenset(load_words().fillers.all())


@functools.cache
def _single_replies() -> frozenset[str]:
    lists = load_words()
    return frozenset([*lists.yes.all(), *lists.no.all(), *lists.fillers.all()])


@functools.cache
def _doubting() -> re.Pattern[str]:
    return _any_of(load_words().doubting.all())


@functools.cache
def _conditional() -> re.Pattern[str]:
    return _any_of(load_words().conditional.all())


@functools.cache
def _question_start() -> re.Pattern[str]:
    return _any_of(load_words().question_starts.all())


@functools.cache
def _asks_inside() -> re.Pattern[str]:
    """Starts of questions that stand for nothing else inside a sentence."""
    starts = [phrase for phrase in load_words().question_starts.en if " " in phrase]
    return _any_of([phrase for phrase in starts if not phrase.endswith((" i", "this", "that"))])


@functools.cache
def _joined_question() -> re.Pattern[str]:
    starts = "|".join(map(re.escape, load_words().question_starts.en))
    inicios = "|".join(map(re.escape, load_words().question_starts.es))
    english = rf"(?:and|but|so) (?=(?:{starts})(?!\S))"
    spanish = rf"(?:y|pero) (?=(?:{inicios})(?!\S))"
    return re.compile(f" (?:{english}|{spanish})")


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, phrases))})(?!\S)")
