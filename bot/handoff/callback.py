"""The callback form: its fields, their order, and how an answer is read. Pure."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import phonenumbers

from bot.care import words
from bot.care.answers import understand
from bot.care.places import state_in_reply
from bot.care.words import PerLanguage
from bot.reviewed import Document, ReviewedModel
from bot.vocabulary import CONFIRM, STATE, UNKNOWN

WORDS_FILE = Path(__file__).with_name("words.yml")

# In the order they are asked. `state` and `language` are asked only where they are not
# known or the visitor changes them; only the phone cannot be skipped.
FIELDS: tuple[str, ...] = (
    "name",
    "phone",
    STATE,
    "best_time",
    "ok_to_call",
    "ok_to_text",
    "ok_voicemail",
    "language",
    CONFIRM,
)
PHONE_OWNER = "phone_owner"  # asked under `phone`: whose number is it
VISITOR, PERSON = "visitor", "person"

_LONGEST_ANSWER = 120
_WORDS_OF_A_NAME = 2  # so few words are always taken for one
_MOST_WORDS_OF_A_NAME = 8
_YES, _NO = "yes", "no"
_WAYS = {
    "both": {"ok_to_call": _YES, "ok_to_text": _YES},
    "call": {"ok_to_call": _YES, "ok_to_text": _NO},
    "text": {"ok_to_call": _NO, "ok_to_text": _YES},
    "neither": {"ok_to_call": _NO, "ok_to_text": _NO},
    UNKNOWN: {"ok_to_call": UNKNOWN, "ok_to_text": UNKNOWN},
}

_NAME_LEAD = re.compile(
    r"^(?:(?:hi|hello|hola|ok|okay|oh|well|sure|fine|yes|s[ií]|bueno|pues)[,!. ]+)?"
    r"(?:my name is|my name's|name is|i am|i'm|im|this is|it's|its|"
    r"call me|you can call me|me llamo|mi nombre es|soy|ll[aá]meme|ll[aá]menme)\s+",
    re.IGNORECASE,
)
_NAME_TAIL = re.compile(r"(?:,? (?:please|thanks|thank you|por favor|gracias))+$", re.IGNORECASE)
_PARTS = re.compile(r"\s*[,.;!?\n]+\s*")
_SAID_NAME = re.compile(
    r"\b(?:my name is|my name's|name should be|spell(?:ed|t)|me llamo|mi nombre es|se escribe)"
    r"\s+(\S.*)",
    re.IGNORECASE,
)
_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "cero": "0", "uno": "1",
    "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7",
    "ocho": "8", "nueve": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "doble": 2}
_PHONE_PROBLEMS = {
    phonenumbers.ValidationResult.TOO_SHORT: "too_short",
    phonenumbers.ValidationResult.TOO_LONG: "too_long",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    phonenumbers.ValidationResult.INVALID_LENGTH: "too_short",
}


class FormWords(ReviewedModel):
    """The whole of `words.yml`; the file's comments say what each list is for."""

    fields: dict[str, PerLanguage]
    changing: PerLanguage
    becomes: PerLanguage
    going_back: PerLanguage
    cancelling: PerLanguage
    small_talk: PerLanguage
    no_names: PerLanguage
    limiting: PerLanguage
    confirming: PerLanguage
    ways: dict[str, PerLanguage]
    owners: dict[str, PerLanguage]
    languages: dict[str, PerLanguage]


@dataclasses.dataclass(frozen=True)
class PhoneProblem:
    """Why a text is no phone number: not_a_number, too_short, too_long, not_in_use."""

    reason: str


@dataclasses.dataclass(frozen=True)
class SeveralPhones:
    """More than one number in one message, E.164, in order."""

    numbers: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Change:
    """A field that the visitor wants to change; `value` is what is left of the message."""

    field: str
    value: str


@functools.cache
def load_form_words() -> FormWords:
    """The word lists; raises `bot.reviewed.DataError` with file and line."""
    return Document(WORDS_FILE).parse(FormWords)


def next_field(fields: Mapping[str, str | None], *, for_other: bool = False) -> str | None:
    """The field that is asked next; None when the form is complete.

    Args:
        fields: what is known, with `PHONE_OWNER`.
        for_other: the visitor asks for somebody else: whose number it is counts.
    """
    for name in FIELDS:
        if name == "phone" and fields.get(name) and for_other and not fields.get(PHONE_OWNER):
            return name
        if name == "ok_voicemail" and fields.get("ok_to_call") == _NO:
            continue
        if fields.get(name) is None:
            return name
    return None


def field_before(field: str, fields: Mapping[str, str | None]) -> str | None:
    """The field that "go back" leads to: the latest one before `field` with an answer."""
    if field == "phone" and fields.get("phone"):
        return "phone"  # whose number it is was open
    asked = FIELDS[: FIELDS.index(field)] if field in FIELDS else FIELDS
    answered = [name for name in asked if fields.get(name) is not None and name != "language"]
    before = answered[-1] if answered else None
    return "ok_to_call" if before == "ok_to_text" else before


def cleared(field: str) -> dict[str, str | None]:
    """What is forgotten when `field` is to be asked again."""
    also = {"phone": (PHONE_OWNER,), "ok_to_call": ("ok_to_text", "ok_voicemail")}
    return {name: None for name in (field, *also.get(field, ()), CONFIRM)}


def can_be_reached(fields: Mapping[str, str | None]) -> bool:
    """Whether a way is left: a number that may be called or texted."""
    return not (fields.get("ok_to_call") == fields.get("ok_to_text") == _NO)


# --- what a message says about the form ------------------------------------------------


def goes_back(text: str) -> bool:
    """Whether somebody wants the question before."""
    said = words.without_fillers(words.normalise(text))
    return said in load_form_words().going_back.all()


def cancels(text: str) -> bool:
    """Whether somebody wants no call any more: "no forget it, don't call"."""
    cancelling = load_form_words().cancelling.all()
    said = words.without_fillers(words.normalise(text))
    parts = [_after_hesitation(words.without_fillers(p.words)) for p in words.clauses(text)]
    told = [part for part in parts if part]
    return said in cancelling or (bool(told) and all(part in cancelling for part in told))


def is_small_talk(text: str) -> bool:
    """Whether a message only greets, thanks or says goodbye."""
    return words.normalise(text) in load_form_words().small_talk.all()


def change_in(text: str, *, any_field: bool = False) -> Change | None:
    """The field that `text` wants to change: "the number is wrong", "change my name to Bo".

    Args:
        any_field: naming the field is enough: the visitor was asked what to change.
    """
    lists = load_form_words()
    said = words.normalise(text)
    named = words.find(_phrases(lists.fields), said)
    if not named or not (any_field or words.find(_compiled(lists.changing.all()), said)):
        return None
    field = named[0].value
    becomes = words.find(_compiled(lists.becomes.all()), said)
    behind = [hit for hit in becomes if hit.start >= named[0].end]
    if not behind:
        return Change(field, "")
    value = said[behind[-1].end :].strip()
    is_no_value = not value or words.find(_compiled(lists.changing.all()), value)
    return Change(field, "" if is_no_value else _original(text, value))


def confirms(text: str) -> bool:
    """Whether somebody agrees to the recap: "looks good"."""
    said = words.normalise(text)
    confirming = load_form_words().confirming.all()
    return said in confirming or words.without_fillers(said) in confirming


def parts_of(text: str) -> list[str]:
    """The parts of a message between commas and the like, without the number in it."""
    inside = phone_inside(text)
    return [part for part in _PARTS.split(inside[1] if inside else text) if part]


def told_at_once(text: str) -> dict[str, str]:
    """What the wish for a call tells beside: "call me, I'm Dana, 617 555 0144, MA"."""
    inside = phone_inside(text)
    told: dict[str, str] = {"phone": inside[0]} if inside else {}
    for part in parts_of(text):
        state = names_a_state(part)
        if state:
            told[STATE] = state
        lead = _NAME_LEAD.match(part)
        name = read_name(part) if lead else None
        # "I'm a mom" is no name, "I'm Dana" is one.
        if name and lead and (name_told(part) or name.istitle()):
            told["name"] = name
    return told


def name_told(text: str) -> str | None:
    """A name that a message gives by itself: "my name is Bo"."""
    told = _SAID_NAME.search(" ".join(text.split()))
    return read_name(told[1]) if told else None


# --- how an answer is read --------------------------------------------------------------


def read_name(text: str) -> str | None:
    """The name as given, without "my name is"; None if it has no letter, or is a sentence."""
    name = _NAME_TAIL.sub("", _NAME_LEAD.sub("", " ".join(text.split())))
    name = name.strip(" .,!\"'")[:_LONGEST_ANSWER]
    return name if any(c.isalpha() for c in name) and not _is_sentence(name) else None


def read_phone(text: str) -> str | PhoneProblem | SeveralPhones:
    """A phone number in E.164 form, or what is wrong with it.

    Args:
        text: as typed: "617-555-0142", "six one seven ...", "+44 20 ...", or a
            number inside a sentence. Numbers without a country code are read as US.
    """
    spoken = _spoken_digits(text)
    found = [
        phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        for match in phonenumbers.PhoneNumberMatcher(spoken, "US")
    ]
    if found:
        different = tuple(dict.fromkeys(found))
        return different[0] if len(different) == 1 else SeveralPhones(different)
    digits = re.sub(r"[^\d+]", "", spoken)
    if sum(c.isdigit() for c in digits) < 5:
        return PhoneProblem("not_a_number")
    try:
        number = phonenumbers.parse(digits, "US")
    except phonenumbers.NumberParseException:
        return PhoneProblem("too_long" if len(digits) > 15 else "not_a_number")
    if phonenumbers.is_valid_number(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    possible = phonenumbers.is_possible_number_with_reason(number)
    return PhoneProblem(_PHONE_PROBLEMS.get(possible, "not_in_use"))


def phone_inside(text: str) -> tuple[str, str] | None:
    """A number that is told beside other words: in E.164 form, and the words without it.

    None unless there is exactly one number.
    """
    found = list(phonenumbers.PhoneNumberMatcher(text, "US"))
    if len(found) != 1:
        return None
    number = phonenumbers.format_number(found[0].number, phonenumbers.PhoneNumberFormat.E164)
    return number, f"{text[: found[0].start]} {text[found[0].end :]}".strip(" ,;:.-")


def display_phone(e164: str) -> str:
    """A stored number as people write it: national for US numbers, else international."""
    number = phonenumbers.parse(e164, None)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == 1
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)


def read_owner(text: str) -> str | None:
    """Whose number it is: `VISITOR`, `PERSON`, or None if unclear."""
    said = words.normalise(text)
    owners = load_form_words().owners
    found = {match.value for match in words.find(_phrases(owners), said)}
    if found:
        return found.pop() if len(found) == 1 else None
    # "my son's": somebody else is named.
    return PERSON if re.search(r"\b(?:my|mi|de mi|our) \w+", said) else None


def read_state(text: str, language: str) -> str | None:
    """The two-letter code of a state, `unknown`, or None; see `bot.care.answers`."""
    return understand(STATE, text, language)


def read_best_time(text: str) -> str | None:
    """The time in the visitor's own words, at most 120 characters.

    None if there are none, or only a yes.
    """
    said = words.normalise(text)
    if not said or words.is_yes(said) or said in words.load_words().fillers.all():
        return None
    return " ".join(text.split())[:_LONGEST_ANSWER]


def read_ways(text: str, intent: str | None) -> dict[str, str] | None:
    """What may be done with the number: `ok_to_call` and `ok_to_text`; None if unclear.

    "Is it safe to call or text?" - "yes" means both, "no" neither.
    """
    said = words.without_fillers(words.normalise(text))
    lists = load_form_words().ways
    exact = [way for way, phrases in lists.items() if said in phrases.all()]
    if exact:
        return dict(_WAYS[exact[0]])
    found = {match.value for match in words.find(_phrases(lists), said)}
    if len(found) == 1:
        return dict(_WAYS[found.pop()])
    if found == {"call", "text"} and not words.find(_compiled(_NEGATORS), said):
        return dict(_WAYS["both"])
    meant = {_YES: "both", _NO: "neither", UNKNOWN: UNKNOWN}
    bare = None if found else read_yes_no(intent, text)
    return dict(_WAYS[meant[bare]]) if bare else None


def ways_told(text: str) -> dict[str, str] | None:
    """The same where nobody asked: only "text only" and the like, not "call me"."""
    said = words.normalise(text)
    limited = bool(words.find(_compiled(load_form_words().limiting.all()), said))
    return read_ways(text, None) if limited and read_yes_no(None, text) is None else None


def ways_of(choice: str) -> dict[str, str]:
    """The same for a pressed choice: both, call, text, neither, unknown."""
    return dict(_WAYS[choice])


def read_language(text: str) -> str | None:
    """A language that we speak, by its name; None if it is none."""
    found = words.find(_phrases(load_form_words().languages), words.normalise(text))
    return found[0].value if found else None


def read_yes_no(intent: str | None, text: str = "") -> str | None:
    """A yes/no field from the answer: "yes", "no", "unknown" or None.

    Args:
        intent: of the message.
        text: short words are read as they stand, whatever the intent.
    """
    lists = words.load_words()
    said = words.without_fillers(words.normalise(text))
    if said in lists.yes.all():
        return _YES
    if said in lists.no.all():
        return _NO
    if said and words.skips(text):
        return UNKNOWN
    if names_a_state(text):
        return None  # two letters sound like a yes
    return {"affirm": _YES, "deny": _NO, "unsure": UNKNOWN}.get(intent or "")


def names_a_state(text: str) -> str | None:
    """The state that a message names and nothing else; "ok" is a word here, not Oklahoma."""
    is_word = words.normalise(text) in words.load_words().fillers.all()
    return None if is_word else state_in_reply(text)


def read_voicemail(intent: str | None, text: str) -> str | None:
    """Whether a voicemail is safe: as `read_yes_no`, also with a reason ("no, my wife listens").

    Only here: to consent, or where a number or a name is asked, such words say something else.
    """
    return read_yes_no(None, text) or _said_among_others(text) or read_yes_no(intent, text)


def refuses_voicemail(text: str) -> bool:
    """Whether a message says by itself that no voicemail is wanted: "no voicemail please"."""
    said = words.normalise(text)
    named = [hit.value for hit in words.find(_phrases(load_form_words().fields), said)]
    return "ok_voicemail" in named and bool(_REFUSING.intersection(said.split()))


# --- inside ---------------------------------------------------------------------------

_REFUSING = frozenset(["no", "not", "dont", "never", "nunca", "sin"])

_CONDITIONS = frozenset(["but", "only", "unless", "except", "pero", "solo", "excepto", "salvo"])
_SO = ("so", "then", "que")  # "it's my work phone so yes", "así que sí"


def _said_among_others(text: str) -> str | None:
    """A yes or no with which a message begins, or ends ("so yes"); None with a condition."""
    said = words.normalise(text).split()
    if len(said) < 2 or _CONDITIONS.intersection(said):
        return None
    lists = words.load_words()
    replies = {word: _YES for word in lists.yes.all()} | {word: _NO for word in lists.no.all()}
    if said[0] in replies and not words.find(_compiled(lists.unsure.all()), " ".join(said[:3])):
        return replies[said[0]]
    return replies.get(said[-1]) if said[-2] in _SO else None


def _after_hesitation(said: str) -> str:
    """What stands behind "no", "wait" and the like."""
    hesitating = words.load_words().perhaps_correcting.all()
    left = words.without_reply(said)
    while left.split()[:1] and left.split()[0] in hesitating:
        left = words.without_reply(left.partition(" ")[2])
    return left


def _is_sentence(name: str) -> bool:
    """Whether it is no name but something said: "ok they are on the way, what now"."""
    said = words.normalise(name).split()
    if len(said) <= _WORDS_OF_A_NAME:
        return False
    no_names = load_form_words().no_names.all()
    return len(said) > _MOST_WORDS_OF_A_NAME or any(word in no_names for word in said)


_NEGATORS = ("no", "not", "dont", "never", "sin", "nunca")


def _spoken_digits(text: str) -> str:
    """Digits for digit words: "six one seven", "double five"; other words stay."""
    parts = re.findall(r"[a-záéíóúñ]+|[^a-záéíóúñ]+", text.lower())
    spoken: list[str] = []
    times = 1
    for part in parts:
        word = part.strip()
        if word in _REPEATS:
            times = _REPEATS[word]
        elif word in _DIGIT_WORDS:
            spoken.append(_DIGIT_WORDS[word] * times)
            times = 1
        elif word or not _between_digits(spoken):
            spoken.append(part)
    return "".join(spoken)


def _between_digits(spoken: list[str]) -> bool:
    """Whether a space stands behind a digit that was a word; it separates nothing."""
    return bool(spoken) and spoken[-1].isdigit()


def _original(text: str, value: str) -> str:
    """The end of `text` that was normalised to `value`, as it was typed."""
    parts = text.split()
    for start in range(len(parts)):
        tail = " ".join(parts[start:])
        if words.normalise(tail) == value:
            return tail
    return value


@functools.cache
def _phrase(phrase: str) -> words.Phrase:
    return words.compile_phrase(phrase)


def _compiled(phrases: Iterable[str]) -> words.Phrasebook:
    return words.Phrasebook((_phrase(phrase), phrase) for phrase in phrases)


def _phrases(lists: Mapping[str, PerLanguage]) -> words.Phrasebook:
    return words.Phrasebook(
        (_phrase(phrase), name) for name, phrases in lists.items() for phrase in phrases.all()
    )
