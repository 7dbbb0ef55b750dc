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
from bot.care.questionnaire import Item, Reply, load_questionnaire
from bot.care.states import load_states
from bot.care.words import Clause, Match
from bot.vocabulary import ITEMS, LANGUAGES, STATE, UNKNOWN

AGE = "age_band"
FOR_WHOM = "for_whom"
_ADULT_FROM = 18
_OLDEST = 115
_SHORT_REPLY = 8  # words: a longer reply is not a bare yes, no or "not sure"

_CHOICE_NUMBER = re.compile(
    r"(?:option|number|choice|answer|the|opcion|numero|el|la)? ?(\S+)(?: (?:one|option|choice|opcion))?"
)
_THIRD_PERSON = re.compile(
    r"(?<!\S)(?:hes|shes|theyre|he|she|they|is|turned|who|su edad|tiene|el|ella|cumplio)"
    r"(?: (?:is|are|only|just|about|almost|now|like|turned|turning|solo|casi))* $"
)
_FIRST_PERSON = re.compile(
    r"(?<!\S)(?:im|i turned|i just turned|my age is|tengo|yo tengo|cumpli)(?: (?:only|just|about|almost|now|like|a|an|solo|casi))* $"
)
_YEARS_OLD = re.compile(r" (?:(?:years?|yrs?|yr) old|yo|y o|anos)(?!\S)")
_ALMOST = re.compile(r"(?<!\S)(?:almost|nearly|turning|turns|will be|about to be|casi|va a cumplir|voy a cumplir|por cumplir) $")
_BORN = re.compile(r"(?<!\S)(?:born|nacio|naci|nacida|nacido|nac) (?:\S+ ){0,2}(\d{4})(?!\S)")
_CODE = re.compile(r"(?<![A-Za-z])([A-Za-z]{2})(?![A-Za-z'\u2019])")


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
    if item == STATE:
        found = _state(text, said)
    elif item == AGE:
        found = _age(question, parts, language) or _age(question, parts, other)
    else:
        found = _phrased(question, parts, language) or _phrased(question, parts, other)
    if found is not None or not parts:
        return found
    return UNKNOWN if _cannot_say(parts) else None


def volunteered(text: str) -> dict[str, str]:
    """The answers that `text` gives to questions nobody asked; often none.

    Only phrases marked as clear by themselves count, never inside a question, after
    a denial or after "I don't know if".
    """
    parts = [clause for clause in words.clauses(text) if not clause.asks]
    found: dict[str, str] = {}
    for item in load_questionnaire().items.values():
        values = _affirmed(item, parts, _told_phrases(item.name))
        value = _weightiest(item, values)
        if value is not None:
            found[item.name] = value
    if any(words.find(_relations(), part.words) for part in parts):
        if found.get(FOR_WHOM) == "self":
            del found[FOR_WHOM]
    age = _told_age(parts, found.get(FOR_WHOM))
    if age is not None:
        found[AGE] = age
    state = _told_state(text, parts)
    if state is not None:
        found[STATE] = state
    return found


# --- choices, yes and no, "not sure" ------------------------------------------------


def _choice(item: Item, said: str) -> str | None:
    """A label in other spelling, or the number of a choice, as the whole reply."""
    for choice in item.choices:
        if said in (words.normalise(choice.label.en), words.normalise(choice.label.es)):
            return choice.value
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
    for reply in ("yes", "no", "partly"):
        if _is_one_of(first, _replies(reply)):
            return item.means.get(reply)
    told = words.without_fillers(first).split()
    plain = len(told) > 1 and told[1] in words.load_words().after_plain_no
    if sum(len(part.words.split()) for part in parts) <= _SHORT_REPLY or plain:
        for reply in ("yes", "no"):
            if told[0] in _replies(reply) and " ".join(told[:2]) not in _not_saying():
                return item.means.get(reply)
    return None


def _cannot_say(parts: list[Clause]) -> bool:
    """Somebody says that they do not know, beside words that answer nothing."""
    lists = words.load_words()
    phrases = _compiled([*lists.unsure.all(), *lists.skip.all(), *lists.doubting.all()])
    return any(
        words.find(phrases, part.words) and len(part.words.split()) <= 2 * _SHORT_REPLY
        for part in parts
        if not _only_maybe(part.words)
    )


def _only_maybe(said: str) -> bool:
    """A "maybe" or "depends" among other words is no refusal."""
    return len(said.split()) > 4 and not re.search(r"(?<!\S)(?:know|sure|clue|idk|say|se|decir)(?!\S)", said)


# --- phrases ------------------------------------------------------------------------


def _phrased(item: Item, parts: list[Clause], language: str) -> str | None:
    """The value that the phrases of one language, or a bare reply, give."""
    if not parts:
        return None
    phrases = _phrases(item.name, language)
    values = _affirmed(item, parts, phrases)
    if item.name not in _danger_items():
        turned = _after_turning(parts)
        values = _affirmed(item, turned, phrases) or values
    reply = None if words.find(phrases, parts[0].words[:4]) else _bare_reply(item, parts)
    if reply is not None and (not values or item.role == "level"):
        values = [*values, reply]
    return _weightiest(item, values)


def _affirmed(
    item: Item, parts: Iterable[Clause], phrases: list[tuple[re.Pattern[str], str]]
) -> list[str]:
    """The values that the phrases say, denials turned into what they mean."""
    denied = {choice.value: choice.denied for choice in item.choices}
    values = []
    for part in parts:
        for match in words.find(phrases, part.words):
            if words.is_doubted(part.words, match):
                continue
            value = denied[match.value] if words.is_denied(part.words, match) else match.value
            if value is not None:
                values.append(value)
    return values


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


# --- ages ---------------------------------------------------------------------------


def _age(item: Item, parts: list[Clause], language: str) -> str | None:
    """The age band as phrase, number or year of birth; of two people the other one."""
    phrases = _phrases(item.name, language)
    third, rest = [], []
    for part in parts:
        covered = words.find(phrases, part.words)
        rest += _affirmed(item, [part], phrases)
        for start, end, age in _ages(part.words):
            if any(match.start <= start and end <= match.end for match in covered):
                continue
            (third if _THIRD_PERSON.search(part.words[:start]) else rest).append(
                _band(part.words[:start], age)
            )
        for hit in _BORN.finditer(part.words):
            if int(hit.group(1)) <= 2005:  # an adult whatever today's date is
                rest.append("adult")
    values = set(third) or set(rest)
    if len(values) == 1:
        return values.pop()
    if values or not parts:
        return None
    return _bare_reply(item, parts)


def _ages(said: str) -> Iterator[tuple[int, int, int]]:
    for start, end, number in words.numbers_in(said):
        following = said[end:].split()
        is_age = not following or following[0] not in words.load_words().not_years
        if is_age and 2 < number <= _OLDEST:
            yield start, end, number


def _band(before: str, age: int) -> str:
    if _ALMOST.search(before):
        age -= 1
    return "adult" if age >= _ADULT_FROM else "under_18"


def _told_age(parts: list[Clause], for_whom: str | None) -> str | None:
    """An age that is clearly somebody's age, of the person this is about."""
    third, first = set(), set()
    for part in parts:
        for start, end, age in _ages(part.words):
            before, after = part.words[:start], part.words[end:]
            band = _band(before, age)
            ends = not after or after.startswith((" and ", " with ", " y ", " con "))
            years = bool(_YEARS_OLD.match(after))
            if _FIRST_PERSON.search(before) and (ends or years):
                first.add(band)
            elif (_THIRD_PERSON.search(before) and (ends or years)) or years:
                third.add(band)
    if for_whom == "someone_else":
        known = third
    elif for_whom == "self":
        known = first or third
    else:
        known = first | third
    return known.pop() if len(known) == 1 else None


# --- states -------------------------------------------------------------------------


def _state(text: str, said: str) -> str | None:
    """The state in a reply to "which state?"."""
    bare = text.strip(" .,!")
    if len(bare) == 2 and bare.isalpha():
        known = bare.upper() in load_states().states
        clear = bare.isupper() or bare not in words.load_words().code_is_word or bare in ("ma", "pa")
        return bare.upper() if known and clear else None
    named = {
        match.value
        for match in words.find(_state_names(), said)
        if match.value != UNKNOWN and not words.is_denied(said, match)
    }
    if len(named) > 1:
        lived = {match.value for match in words.find(_living_names(), said)}
        named = {code for code in lived if code.isupper()}
    if len(named) == 1:
        return named.pop()
    codes = _codes_in(text)
    return codes.pop() if not named and len(codes) == 1 else None


def _told_state(text: str, parts: list[Clause]) -> str | None:
    """A state that somebody says they live in."""
    named = set()
    for part in parts:
        for match in words.find(_living_names(), part.words):
            if not words.is_denied(part.words, match) and match.value != UNKNOWN:
                named.add(match.value)
    if parts and not named:
        named = _codes_in(text)
    return named.pop() if len(named) == 1 else None


def _codes_in(text: str) -> set[str]:
    """Two-letter codes where a state stands: "Boston, MA", "I live in GA"."""
    lists = words.load_words()
    living = [phrase.split()[-1] for phrase in lists.living_in.all()]
    found = set()
    for hit in _CODE.finditer(text):
        code = hit.group(1)
        if code.upper() not in load_states().states:
            continue
        before = text[: hit.start()].rstrip(" ")
        word_before = words.normalise(before).split()[-1:]
        placed = before.endswith(",") or (word_before and word_before[0] in living)
        shouted = text.isupper()
        if placed and code.isupper() and not (shouted and code.lower() in lists.code_is_word):
            found.add(code)
        elif placed and text[hit.end() :].strip(" .!") == "" and (
            code.lower() not in lists.code_is_word or code.lower() in ("ma", "pa")
        ):
            found.add(code.upper())
    return found


# --- the phrases, compiled once -------------------------------------------------------


def _compiled(phrases: Iterable[str], value: str = "") -> list[tuple[re.Pattern[str], str]]:
    return [(words.compile_phrase(phrase), value) for phrase in phrases]


@functools.lru_cache(maxsize=None)
def _phrases(item: str, language: str) -> list[tuple[re.Pattern[str], str]]:
    question = load_questionnaire().items[item]
    return [
        pair
        for choice in question.choices
        for phrases in (choice.says, choice.told)
        for pair in _compiled(getattr(phrases, language), choice.value)
    ]


@functools.lru_cache(maxsize=None)
def _told_phrases(item: str) -> list[tuple[re.Pattern[str], str]]:
    question = load_questionnaire().items[item]
    return [
        pair
        for choice in question.choices
        for language in LANGUAGES
        for pair in _compiled(getattr(choice.told, language), choice.value)
    ]


@functools.lru_cache(maxsize=1)
def _relations() -> list[tuple[re.Pattern[str], str]]:
    return [
        pair
        for language in LANGUAGES
        for pair in _phrases(FOR_WHOM, language)
        if pair[1] == "someone_else"
    ]


@functools.lru_cache(maxsize=None)
def _replies(reply: Reply) -> frozenset[str]:
    return frozenset(getattr(words.load_words(), reply).all())


@functools.lru_cache(maxsize=1)
def _not_saying() -> frozenset[str]:
    lists = words.load_words()
    return frozenset([*lists.unsure.all(), *lists.skip.all()])


@functools.lru_cache(maxsize=1)
def _danger_items() -> frozenset[str]:
    return frozenset(("safety_now", "withdrawal_risk", "needs_24h_care"))


@functools.lru_cache(maxsize=1)
def _state_names() -> list[tuple[re.Pattern[str], str]]:
    """Names of states; the value of a name that only looks like one is `unknown`."""
    states = load_states()
    return [
        *(
            pair
            for code, place in states.states.items()
            for name in (place.name.en, place.name.es, *place.also)
            for pair in _compiled([words.normalise(name)], code)
        ),
        *_compiled(states.not_states, UNKNOWN),
    ]


@functools.lru_cache(maxsize=1)
def _living_names() -> list[tuple[re.Pattern[str], str]]:
    """The same names after "I live in", "from" and the like, city first or not."""
    places = "|".join(words.load_words().living_in.all())
    return [
        (re.compile(rf"(?<!\S)(?:{places}) (?:[a-z]+ )?{pattern.pattern}"), code)
        for pattern, code in _state_names()
    ]
