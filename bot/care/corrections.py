"""Corrections: "actually, I meant my mom", "change my answer about drugs".

Which earlier answer a message changes, and to what. A correction that names no new
answer asks the question again; a message that is none changes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from bot.care import words
from bot.care.answers import AGE, relation_told, understand, volunteered
from bot.care.questionnaire import FOR_WHOM, load_questionnaire
from bot.care.words import Phrasebook
from bot.vocabulary import LANGUAGES, STATE, UNKNOWN

_MOST_READ = 500  # characters; a correction is short
# What these answers say is said of nothing else, so they are known among all answers.
_UNMISTAKABLE = (FOR_WHOM, AGE, STATE)
# The answers that say when something was, the likelier one first.
_DATED = {"recent_care": ("iop", "php", "inpatient", "outpatient"), "safety_now": ("past", "now")}
_INTO = ("to", "is", "a", "es")  # "change my answer about drugs to no"


def corrections(
    text: str,
    language: str,
    given: Mapping[str, str],
    *,
    open_item: str | None = None,
    invited: bool = False,
) -> dict[str, str | None]:
    """What a message changes in the answers `given` so far.

    Args:
        text: what the visitor wrote.
        language: "en" or "es", the language of the conversation.
        given: item to value, in the order in which they were answered.
        open_item: the question that is open; what answers it corrects nothing else.
        invited: the visitor was just shown all answers, so that a new value needs
            no "I meant".

    Returns:
        item to its new value, None where the question is to be asked again; empty
        if this is no correction. `for_whom` comes back with its old value if
        somebody else is named ("my mother") than before.

    Raises:
        KeyError: no such item or language.
    """
    text = text[:_MOST_READ]
    parts = words.clauses(text)
    whole = " ".join(part.words for part in parts)
    said = " ".join(part.words for part in parts if not part.asks)
    asked_for = words.find(_changing(), whole)
    invited = invited and "?" not in text
    named = _named(whole if asked_for else said, given) if asked_for or invited else None
    if named is not None:
        return {named: _new_value(named, whole, language)}
    clear = words.find(_correcting(), said)
    denying = _at_start(_denying(), said)
    perhaps = [*denying, *_at_start(_perhaps(), said)]
    if not given or not (clear or perhaps or invited):
        return {}
    rest = _rest(said, [*perhaps, *clear])
    told = _told(text, rest, given)
    if told:
        return told
    dated = _dated(given, rest)
    if denying and dated and open_item not in _DATED:
        return dated
    if not clear and open_item and understand(open_item, text, language) is not None:
        return {}
    changes = _corrected(rest, language, given, clear=bool(clear))
    # "I meant my son, he's 22": what is told of another person is an answer too.
    return {**volunteered(text), **changes} if FOR_WHOM in changes else changes


def _told(text: str, rest: str, given: Mapping[str, str]) -> dict[str, str | None]:
    """The facts that the message tells outright, if one differs from what was given."""
    someone = relation_told(rest)
    facts = volunteered(text)
    if someone and AGE in facts:
        facts.setdefault(FOR_WHOM, "someone_else")
    differs = any(
        item in given and (value != given[item] or (item == FOR_WHOM and someone))
        for item, value in facts.items()
    )
    return dict(facts) if differs else {}


def _at_start(phrases: Phrasebook, said: str) -> list[words.Match]:
    return [match for match in words.find(phrases, said) if match.start == 0]


def _corrected(
    rest: str, language: str, given: Mapping[str, str], *, clear: bool
) -> dict[str, str | None]:
    """What `rest`, the words without "I meant", changes."""
    latest = list(given)[-1]
    if clear and rest:
        value = understand(latest, rest, language)
        if value not in (None, UNKNOWN, given[latest]):
            return {latest: value}
    rest = words.without_reply(rest)
    many_words = bool(rest) and not words.is_bare(rest)
    if many_words:
        for item in _UNMISTAKABLE:
            value = understand(item, rest, language) if item in given else None
            if value not in (None, UNKNOWN) and (
                value != given[item] or (item == FOR_WHOM and relation_told(rest))
            ):
                return {item: value}
    dated = _dated(given, rest)
    if dated:
        return dated
    if many_words:
        others = {
            item: value
            for item in given
            if item not in _UNMISTAKABLE
            and (value := understand(item, rest, language)) not in (None, UNKNOWN, given[item])
        }
        if len(others) == 1 and (clear or not _answers_another(rest, language, given)):
            return dict(others)
    return {latest: None} if clear else {}


def _answers_another(rest: str, language: str, given: Mapping[str, str]) -> bool:
    """Whether `rest` answers a question that was not asked: "evenings are fine" is no "mild"."""
    return any(
        understand(item, rest, language) not in (None, UNKNOWN)
        for item in load_questionnaire().items
        if item not in given
    )


def _dated(given: Mapping[str, str], rest: str) -> dict[str, str | None]:
    """The answer that a time ("in March") is said of; it is to be asked again."""
    if not words.find(_times(), rest):
        return {}
    return next(({item: None} for item in _DATED if given.get(item) in _DATED[item]), {})


def _named(said: str, given: Iterable[str]) -> str | None:
    """The answer that is called by its topic; None if none or several are."""
    named = {match.value for match in words.find(_topics(), said) if match.value in given}
    return named.pop() if len(named) == 1 else None


def _new_value(item: str, said: str, language: str) -> str | None:
    """The value in "... about drugs to no"; None: it is to be asked again."""
    clear = words.find(_correcting(), said)
    rest = _rest(said, clear) if clear else ""
    if not rest:
        topic = max(m.end for m in words.find(_topics(), said) if m.value == item)
        following = said[topic:].split()
        rest = " ".join(following[following[:1] != [] and following[0] in _INTO :])
    return understand(item, rest, language) if rest else None


def _rest(said: str, markers: list[words.Match]) -> str:
    """The words after the last marker, or before the first where none follow."""
    if not markers:
        return said
    after = said[max(marker.end for marker in markers) :].strip()
    return after or said[: min(marker.start for marker in markers)].strip()


def _compiled(phrases: Iterable[str], value: str = "") -> Phrasebook:
    return Phrasebook((words.compile_phrase(phrase), value) for phrase in phrases)


@functools.cache
def _correcting() -> Phrasebook:
    return _compiled(words.load_words().correcting.all())


@functools.cache
def _perhaps() -> Phrasebook:
    return _compiled(words.load_words().perhaps_correcting.all())


@functools.cache
def _denying() -> Phrasebook:
    return _compiled(words.load_words().denying.all())


@functools.cache
def _changing() -> Phrasebook:
    return _compiled(words.load_words().changing.all())


@functools.cache
def _times() -> Phrasebook:
    return _compiled(words.load_words().times)


@functools.cache
def _topics() -> Phrasebook:
    return Phrasebook(
        pair
        for item in load_questionnaire().items.values()
        for language in LANGUAGES
        for pair in _compiled(
            [words.normalise(item.topic.in_language(language)), *getattr(item.called, language)],
            item.name,
        )
    )
