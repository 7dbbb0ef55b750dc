"""US states in free text: names, two-letter codes, and words that only look like one.

"In", "or", "me", "ok", "hi" and "oh" are words first: as a code they count only in
capitals, or where a state must stand.
"""

from __future__ import annotations

import functools
import re

from bot.care.states import load_states
from bot.care.words import (
    Match,
    Phrase,
    Phrasebook,
    clauses,
    compile_phrase,
    find,
    is_denied,
    load_words,
    normalise,
)

_DOTTED = re.compile(r"(?<!\w)([A-Za-z])\.([A-Za-z])\.?(?!\w)")  # N.H.
_CODE = re.compile(r"(?<![A-Za-z])([A-Za-z]{2})(?![A-Za-z'\u2019])")


def state_in_reply(text: str) -> str | None:
    """The two-letter code of the state in a reply to "which state?", or None."""
    text = _DOTTED.sub(r"\1\2", text)
    said = normalise(text)
    bare = text.strip(" .,!")
    if len(bare) == 2 and bare.isalpha():
        known = bare.upper() in load_states().states
        clear = bare.isupper() or bare.lower() not in load_words().code_is_word
        return bare.upper() if known and clear else None
    named = _named([said], _state_names()) | _codes(text, strict=False)
    if len(named) > 1:  # "I live in New Hampshire but work in Massachusetts"
        named = _named([said], _living_names()) | _codes(text, strict=True)
    return named.pop() if len(named) == 1 else None


def state_told(text: str) -> str | None:
    """The code of the one state that somebody says they live in, unasked, or None."""
    parts = [part.words for part in clauses(text) if not part.asks]
    named = _named(parts, _living_names()) or _named(parts, _coming_names())
    if parts and not named:
        named = _codes(text, strict=True)
    return named.pop() if len(named) == 1 else None


def states_named(words: str) -> list[Match]:
    """The names of states in `words` (small letters, no accents); the value is the code."""
    return [match for match in find(_state_names(), words) if match.value]


def _named(parts: list[str], names: Phrasebook) -> set[str]:
    return {
        match.value
        for part in parts
        for match in find(names, part)
        if match.value and not is_denied(part, match)
    }


def _codes(text: str, *, strict: bool) -> set[str]:
    """Two-letter codes where a state stands: "Boston, MA", "I live in GA".

    Args:
        text: as written; capitals matter, because "ok", "in" and "me" are words.
        strict: only after "live in" and the like, or after a comma if no word.
    """
    lists = load_words()
    placing = [*lists.living_in.all(), *lists.coming_from.all()]
    found = set()
    for hit in _CODE.finditer(text):
        code = hit.group(1)
        if code.upper() not in load_states().states:
            continue
        before = normalise(text[: hit.start()])
        comma = text[: hit.start()].rstrip().endswith(",")
        lived = any(f" {before}".endswith(f" {phrase}") for phrase in placing)
        ends = not text[hit.end() :].strip(" .!")
        loose = not strict and (comma or ends or before.split()[-1:] in (["in"], ["en"]))
        is_word = code.lower() in lists.code_is_word
        if code.isupper():
            placed = lived or loose or (comma and not is_word)
            if placed and not (is_word and text.isupper()):
                found.add(code)
        elif (lived or loose or comma) and ends and not is_word:
            found.add(code.upper())
    return found


@functools.cache
def _state_names() -> Phrasebook:
    """Names of states; the value of a name that only looks like one is empty."""
    states = load_states()
    names = [
        (normalise(name), code)
        for code, place in states.states.items()
        for name in (place.name.en, place.name.es, *place.also)
    ]
    names += [(name, "") for name in states.not_states]
    return Phrasebook((compile_phrase(name), code) for name, code in names)


@functools.cache
def _living_names() -> Phrasebook:
    """The same names after "I live in" and the like, with or without a city."""
    return _after(load_words().living_in.all())


@functools.cache
def _coming_names() -> Phrasebook:
    """The same names after "from"."""
    return _after(load_words().coming_from.all())


def _after(placing: list[str]) -> Phrasebook:
    before = rf"(?<!\S)(?:{'|'.join(placing)}) (?:[a-z]+ )?"
    return Phrasebook(
        # The name's first word is in every clause that has the whole.
        (Phrase(re.compile(rf"{before}{name.pattern.pattern}"), name.opens), code)
        for name, code in _state_names()
    )
