"""Which texts are keywords, and which words take consent back; reviewed in `keywords.yml`."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from bot.accents import without_accents
from bot.reviewed import DataError, Document, ReviewedModel

KEYWORDS = Path(__file__).with_name("keywords.yml")
OPT_OUT, OPT_IN, HELP = "opt_out", "opt_in", "help"

# What Twilio calls what it has dealt with itself (Advanced Opt-Out).
OF_PROVIDER = {"STOP": OPT_OUT, "START": OPT_IN, "HELP": HELP}

_NOT_WORDS = re.compile(r"[\W_]+")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")


class _Entry(ReviewedModel):
    id: str
    why: str
    source: str | None = None


class _Keyword(_Entry):
    words: tuple[str, ...]
    spanish: tuple[str, ...]


class _Revocation(_Entry):
    phrases: tuple[str, ...]


class _File(ReviewedModel):
    keywords: tuple[_Keyword, ...]
    revocations: tuple[_Revocation, ...]
    about_texts: tuple[str, ...]
    somebody_else: tuple[str, ...]


class Keywords:
    """The reviewed words.

    Args:
        words: plain words to one of OPT_OUT, OPT_IN, HELP.
        spanish: those of them that are Spanish.
        revocations: plain phrases that take consent back.
        about_texts: plain words that say that texts are meant.
        somebody_else: plain words; after one of them a phrase is about other texts.
    """

    def __init__(
        self,
        words: dict[str, str],
        spanish: frozenset[str],
        revocations: tuple[str, ...],
        about_texts: tuple[str, ...],
        somebody_else: frozenset[str],
    ):
        self._words = words
        self._spanish = spanish
        self._somebody_else = somebody_else
        self._revocations = _any_of(revocations)
        self._about_texts = _any_of(about_texts)

    def exact(self, text: str) -> str | None:
        """OPT_OUT, OPT_IN or HELP if the whole of `text` is such a word, else None."""
        said = plain(text)
        letters = said.split()
        if len(letters) > 1 and all(len(each) == 1 for each in letters):
            said = "".join(letters)  # "S T O P"
        return self._words.get(said)

    def language(self, text: str) -> str | None:
        """The language of a keyword, where the word is of one only: "es", else None."""
        return "es" if plain(text) in self._spanish else None

    def revokes(self, text: str) -> bool:
        """Whether `text` says in words of its own that no texts are wanted."""
        said = plain(text)
        found = self._revocations.search(said)
        return found is not None and self._somebody_else.isdisjoint(said[: found.start()].split())

    def means_texts(self, text: str) -> bool:
        """Whether a wish for no messages is about our texts, and not about something else."""
        said = plain(text)
        found = self._about_texts.search(said)
        return found is not None and self._somebody_else.isdisjoint(said[: found.start()].split())


def plain(text: str) -> str:
    """Small letters without accents, apostrophes and punctuation, one space between words."""
    letters = without_accents(_APOSTROPHES.sub("", text)).casefold()
    return _NOT_WORDS.sub(" ", letters).strip()


@functools.cache
def load_keywords(path: Path = KEYWORDS) -> Keywords:
    """Read and check the words; raises `DataError` with every mistake."""
    document = Document(path)
    content = document.parse(_File)
    problems = []
    words: dict[str, str] = {}
    for index, entry in enumerate(content.keywords):
        if entry.id not in (OPT_OUT, OPT_IN, HELP):
            problems.append(document.problem(("keywords", index), "opt_out, opt_in or help"))
        places = [("words", each) for each in range(len(entry.words))]
        places += [("spanish", each) for each in range(len(entry.spanish))]
        for word, where in zip((*entry.words, *entry.spanish), places, strict=True):
            place = ("keywords", index, *where)
            if word != plain(word) or not word:
                problems.append(
                    document.problem(place, f"{word!r} must be written {plain(word)!r}")
                )
            elif word in words:
                problems.append(document.problem(place, f"{word!r} stands twice"))
            words[word] = entry.id
    for index, revocation in enumerate(content.revocations):
        for position, phrase in enumerate(revocation.phrases):
            if phrase != plain(phrase) or " " not in phrase:
                place = ("revocations", index, "phrases", position)
                problems.append(document.problem(place, f"{phrase!r}: plain words, more than one"))
    for position, word in enumerate(content.about_texts):
        if word != plain(word) or not word:
            where = ("about_texts", position)
            problems.append(document.problem(where, f"{word!r} must be written {plain(word)!r}"))
    if problems:
        raise DataError(problems)
    phrases = tuple(phrase for each in content.revocations for phrase in each.phrases)
    spanish = frozenset(word for each in content.keywords for word in each.spanish)
    else_ = frozenset(content.somebody_else)
    return Keywords(words, spanish, phrases, content.about_texts, else_)


def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b")
