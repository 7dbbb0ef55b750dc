"""Free text as answers to the questionnaire.

`understand` reads a reply to the question that is open; `volunteered` reads facts
that somebody tells unasked, and is stricter. Both only know the phrases of
`questionnaire.yml` and the small words of `words.yml`; what is not clear stays
None, because asking again costs less than a wrong answer. Where a reply says two
things about how bad it is, the worse one counts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator

from bot.care import words
from bot.care.ages import age_band_told, ages_in
from bot.care.places import state_in_reply, state_told
from bot.care.questionnaire import FOR_WHOM, REPLIES, Item, Reply, load_questionnaire
from bot.care.words import Clause, Match, Phrasebook
from bot.vocabulary import ITEMS, LANGUAGES, STATE, UNKNOWN

AGE = "age_band"
# "I think about it, but I'm safe": here a "but" takes nothing back.
_DANGER_ITEMS = ("safety_now", "withdrawal_risk", "needs_24h_care")
_MOST_READ = 2000  # characters; nobody answers a question of ours after that
_WORDS_OF_A_STATE = 3  # "Worcester, Massachusetts please"
_LEAST_BARE_AGE = 13  # years
_SHORT_REPLY = 8  # words: a longer reply is not a bare yes, no or "not sure"

_CHOICE_NUMBER = re.compile(
    r"(?:(?:option|number|choice|answer|the|opcion|numero|el|la) )?"
    r"(\S+)(?: (?:one|option|choice|opcion))?"
)


def understand(item: str, text: str, language: str) -> str | None:
    """The value of `item` that `text` gives as a reply to its question.

    Args:
        item: a key of `bot.vocabulary.ITEMS`.
        text: what the visitor wrote or pressed.
        language: "en" or "es", the language of the conversation; words of the other
            language are understood too.

    Returns:
        a value of the item, `unknown` for "not sure" and "skip", or None if unclear.

    Raises:
        KeyError: no such item or language.
    """
    question = load_questionnaire().items[item]
    other = {"en": "es", "es": "en"}[language]
    text = text[:_MOST_READ]
    pressed = question.value_of_label(text.strip())
    if pressed is not None:
        return pressed
    said = words.normalise(text)
    if not said:
        return None
    chosen = _choice(question, said)
    if chosen is not None:
        return chosen
    if _is_one_of(said, _not_saying()):
        return UNKNOWN
    parts = [clause for clause in words.clauses(text) if not clause.asks]
    if item == FOR_WHOM:
        parts = [_without_quoted(part) for part in parts]
    if item == STATE:
        found = state_in_reply(text)
    elif item == AGE:
        found = _age(question, parts)
    else:
        found = _phrased(question, parts, (language, other))
    if found is not None or not parts:
        return found
    return UNKNOWN if _cannot_say(parts) else None


def volunteered(text: str, *, asking: bool = False) -> dict[str, str]:
    """The answers that `text` gives to questions nobody asked; often none.

    Only phrases marked as clear by themselves count, never inside a question, after
    a denial or after "I don't know if".

    Args:
        text: what the visitor wrote.
        asking: for whom somebody asks counts inside a question too ("what can you do for
            him?"): so it is before the questionnaire, where nobody has said it otherwise.
    """
    text = text[:_MOST_READ]
    everything = words.clauses(text)
    parts = [clause for clause in everything if not clause.asks]
    found: dict[str, str] = {}
    for item in load_questionnaire().items.values():
        where = everything if asking and item.name == FOR_WHOM else parts
        value = _weightiest(item, _told(where, _told_phrases(item.name)))
        if value is not None:
            found[item.name] = value
    others_named = any(words.find(_relations(), part.words) for part in parts)
    if others_named and found.get(FOR_WHOM) == "self":
        del found[FOR_WHOM]
    age = age_band_told(parts, found.get(FOR_WHOM))
    if age is not None:
        found[AGE] = age
    state = state_told(text)
    if state is not None:
        found[STATE] = state
    return found


def bare_fact(text: str) -> dict[str, str]:
    """An age or a state that is the whole of a message, whatever was asked: "17", "NH"."""
    said = words.without_fillers(words.normalise(text))
    state = None if said in words.load_words().fillers.all() else state_in_reply(text)
    if state is not None and len(said.split()) <= _WORDS_OF_A_STATE:
        return {STATE: state}
    if (words.number_value(said) or 0) < _LEAST_BARE_AGE:
        return {}  # no number alone, or one that may be meant as a choice
    age = next(ages_in(said), None)
    return {AGE: age.band} if age else {}


def tells_of_need(text: str) -> bool:
    """Whether somebody tells, unasked, that they come out of a program or a hospital.

    "I just finished PHP and can't sleep" is no question about PHP; "my therapist
    mentioned PHP, what is it" is one.
    """
    return not _asks(text) and volunteered(text).get("recent_care") in ("iop", "php", "inpatient")


def tells_whom_and_age(text: str) -> bool:
    """Whether somebody says for whom they ask and how old that person is, and asks nothing.

    "I need help for my daughter, she is 15", not "do you take my daughter, she is 15".
    """
    return not _asks(text) and {FOR_WHOM, AGE} <= volunteered(text).keys()


def _asks(text: str) -> bool:
    parts = words.clauses(text[:_MOST_READ])
    return any(part.asks or words.asks_something(part.words) for part in parts)


def relation_told(text: str) -> str | None:
    """Whom the visitor asks for, as an id of `Questionnaire.relations`; None if unclear.

    "My wife" is clear; "my wife and our son" is not.
    """
    named = {
        match.value
        for part in words.clauses(text[:_MOST_READ])
        for match in words.find(_relation_names(), part.words)
    }
    return named.pop() if len(named) == 1 else None


# --- choices, yes and no, "not sure" ------------------------------------------------


def _choice(item: Item, said: str) -> str | None:
    """A label in other spelling, or the number of a choice, as the whole reply."""
    if said in (labels := _labels(item.name)):
        return labels[said]
    hit = _CHOICE_NUMBER.fullmatch(said)
    number = words.number_value(hit.group(1)) if hit else None
    if number is not None and 1 <= number <= len(item.choices):
        return item.choices[number - 1].value
    return None


def _is_one_of(said: str, phrases: frozenset[str]) -> bool:
    return said in phrases or words.without_fillers(said) in phrases


def _bare_reply(item: Item, parts: list[Clause]) -> str | None:
    """What a yes, no or "kind of" at the beginning says about `item`."""
    first = parts[0].words
    if item.name in _DANGER_ITEMS and _after_turning(parts):
        # "No, but ..." is no plain no; a yes stays one.
        return item.means.get("yes") if first.split()[0] in _replies("yes") else None
    for reply in REPLIES:
        if _is_one_of(first, _replies(reply)):
            return item.means.get(reply)
    told = words.without_fillers(first).split()
    plain = len(told) > 1 and told[1] in words.load_words().after_plain_no
    if sum(len(part.words.split()) for part in parts) <= _SHORT_REPLY or plain:
        for reply in REPLIES[:2]:
            if told[0] in _replies(reply) and " ".join(told[:2]) not in _not_saying():
                return item.means.get(reply)
    return None


def _cannot_say(parts: list[Clause]) -> bool:
    """Somebody says that they do not know, beside words that answer nothing."""
    return any(
        words.find(_not_saying_inside(), part.words)
        for part in parts
        if len(part.words.split()) <= 2 * _SHORT_REPLY
    )


def _without_quoted(part: Clause) -> Clause:
    """Without who is only quoted: "my mom says I'm dramatic" is not for the mother."""
    for match in words.find(_relation_names(), part.words):
        said = part.words[match.end :].split()
        if any(" ".join(said[:length]) in _reporting() for length in (1, 2, 3)):
            return Clause(" ".join((part.words[: match.start].strip(), *said)).strip(), part.asks)
    return part


# --- phrases ------------------------------------------------------------------------


def _phrased(item: Item, parts: list[Clause], languages: tuple[str, str]) -> str | None:
    """The value that phrases, the first language's before the other's, or a bare reply give."""
    if not parts:
        return None
    turned = [] if item.name in _DANGER_ITEMS else _after_turning(parts)
    values = next(
        (
            found
            for language in languages
            if (found := _affirmed(item, turned, language) or _affirmed(item, parts, language))
        ),
        [],
    )
    opens_with_phrase = any(
        match.start == 0 for match in words.find(_all_phrases(item.name), parts[0].words)
    )
    reply = None if opens_with_phrase else _bare_reply(item, parts)
    # "No, but last week" says more than "no"; "yes, but I'm safe" does not take it back.
    if reply is not None and not any(
        _is_well(item, value) == _is_well(item, reply) for value in values
    ):
        values = [*values, reply]
    return _weightiest(item, values or _said(item, parts, _hints(item.name)))


def _is_well(item: Item, value: str) -> bool:
    """Whether it is the value of somebody who is well: the first of the vocabulary."""
    return value == ITEMS[item.name][0]


def _affirmed(item: Item, parts: Iterable[Clause], language: str) -> list[str]:
    """The values that the phrases of one language say, where none of the other is longer."""
    values: list[str] = []
    for part in parts:
        own = set(words.find(_phrases(item.name, language), part.words))
        matches = [
            match for match in words.find(_all_phrases(item.name), part.words) if match in own
        ]
        values += _meant(item, part, matches)
    return values


def _said(item: Item, parts: Iterable[Clause], phrases: Phrasebook) -> list[str]:
    """The values that some phrases say."""
    return [
        value for part in parts for value in _meant(item, part, words.find(phrases, part.words))
    ]


def _meant(item: Item, part: Clause, matches: Iterable[Match]) -> Iterator[str]:
    """The values of matches, denials turned into what they mean, doubts left out."""
    denied = {choice.value: choice.denied for choice in item.choices}
    for match in matches:
        if words.is_doubted(part.words, match):
            continue
        value = denied[match.value] if words.is_denied(part.words, match) else match.value
        if value is not None:
            yield value


def _told(parts: Iterable[Clause], phrases: Phrasebook) -> list[str]:
    """The values that the phrases say outright: not denied, doubted or supposed."""
    return [
        match.value
        for part in parts
        for match in words.find(phrases, part.words)
        if not (
            words.is_denied(part.words, match)
            or words.is_doubted(part.words, match)
            or words.is_conditional(part.words, match)
        )
    ]


def _weightiest(item: Item, values: list[str]) -> str | None:
    """The one value, or of several the worst; None where none is worse than another."""
    if len(set(values)) == 1:
        return values[0]
    if values and item.role == "level":
        return max(values, key=ITEMS[item.name].index)
    if item.name == FOR_WHOM and values:
        return "someone_else"
    return None


def _after_turning(parts: list[Clause]) -> list[Clause]:
    """What follows the last "but"; nothing if there is none."""
    turning = words.load_words().turning
    for index in range(len(parts) - 1, -1, -1):
        said = parts[index].words.split()
        for position in range(len(said) - 1, -1, -1):
            if said[position] in turning and (said[position + 1 :] or parts[index + 1 :]):
                rest = " ".join(said[position + 1 :])
                return [*([Clause(rest, False)] if rest else []), *parts[index + 1 :]]
    return []


def _age(item: Item, parts: list[Clause]) -> str | None:
    """The age band as phrase, number or year of birth; of two people the other one."""
    others: set[str] = set()
    rest: set[str] = set()
    for part in parts:
        covered = words.find(_all_phrases(item.name), part.words)
        rest.update(_meant(item, part, covered))
        for age in ages_in(part.words):
            if not any(match.start <= age.start and age.end <= match.end for match in covered):
                (others if age.third_person else rest).add(age.band)
    values = others or rest
    if values:
        return values.pop() if len(values) == 1 else None
    return _bare_reply(item, parts) if parts else None


# --- the phrases, compiled once -------------------------------------------------------


def _compiled(phrases: Iterable[str], value: str = "") -> Phrasebook:
    return Phrasebook((words.compile_phrase(phrase), value) for phrase in phrases)


@functools.cache
def _phrases(item: str, language: str) -> Phrasebook:
    question = load_questionnaire().items[item]
    return Phrasebook(
        pair
        for choice in question.choices
        for phrases in (choice.says, choice.told)
        for pair in _compiled(getattr(phrases, language), choice.value)
    )


@functools.cache
def _all_phrases(item: str) -> Phrasebook:
    return Phrasebook(pair for language in LANGUAGES for pair in _phrases(item, language))


@functools.cache
def _hints(item: str) -> Phrasebook:
    return Phrasebook(
        pair
        for choice in load_questionnaire().items[item].choices
        for language in LANGUAGES
        for pair in _compiled(getattr(choice.hints, language), choice.value)
    )


@functools.cache
def _told_phrases(item: str) -> Phrasebook:
    question = load_questionnaire().items[item]
    return Phrasebook(
        pair
        for choice in question.choices
        for language in LANGUAGES
        for pair in _compiled(getattr(choice.told, language), choice.value)
    )


@functools.cache
def _relations() -> Phrasebook:
    return Phrasebook(
        pair
        for language in LANGUAGES
        for pair in _phrases(FOR_WHOM, language)
        if pair[1] == "someone_else"
    )


@functools.cache
def _relation_names() -> Phrasebook:
    return Phrasebook(
        (words.compile_phrase(f"{mine} {word}"), relation.id)
        for relation in load_questionnaire().relations.values()
        for mine, said in (
            ("my/our", relation.said.en),
            ("my/our # year old", relation.said.en),
            (
                "my/our adult/teenage/young/younger/youngest/older/oldest/little/best",
                relation.said.en,
            ),
            ("mi/nuestro/nuestra", relation.said.es),
        )
        for word in said
    )


@functools.cache
def _labels(item: str) -> dict[str, str]:
    """The values by the words on their buttons; of two with the same words the first."""
    choices = reversed(load_questionnaire().items[item].choices)
    return {
        words.normalise(label): choice.value
        for choice in choices
        for label in (choice.label.en, choice.label.es)
    }


@functools.cache
def _reporting() -> frozenset[str]:
    return frozenset(words.load_words().reporting.all())


@functools.cache
def _replies(reply: Reply) -> frozenset[str]:
    return frozenset(getattr(words.load_words(), reply).all())


@functools.cache
def _not_saying() -> frozenset[str]:
    lists = words.load_words()
    return frozenset([*lists.unsure.all(), *lists.skip.all()])


@functools.cache
def _not_saying_inside() -> Phrasebook:
    """The same among other words; "maybe", "next" and other single words do not count."""
    phrases = (*_not_saying(), *words.load_words().doubting.all())
    return _compiled(phrase for phrase in phrases if " " in phrase or phrase == "idk")
