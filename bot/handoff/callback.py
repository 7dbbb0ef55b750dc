"""The callback form: its fields, and how an answer is read. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import phonenumbers

from bot.vocabulary import CONFIRM, UNKNOWN

# In the order they are asked; only the phone cannot be skipped.
FIELDS: tuple[str, ...] = ("name", "phone", "best_time", "ok_voicemail", CONFIRM)
REQUIRED = frozenset({"phone", CONFIRM})
_LONGEST_ANSWER = 120

_NAME_LEAD = re.compile(
    r"^(?:(?:hi|hello|hola)[,!. ]+)?(?:my name is|my name's|name is|i am|i'm|im|this is|it's|its|"
    r"call me|you can call me|me llamo|mi nombre es|soy|ll[aá]meme)\s+",
    re.IGNORECASE,
)
_DIGIT_WORDS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "cero": "0", "uno": "1", "dos": "2",
    "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7", "ocho": "8",
    "nueve": "9",
}  # fmt: skip
_PHONE_PROBLEMS = {
    phonenumbers.ValidationResult.TOO_SHORT: "too_short",
    phonenumbers.ValidationResult.TOO_LONG: "too_long",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too_short",
    phonenumbers.ValidationResult.INVALID_LENGTH: "too_short",
}


@dataclasses.dataclass(frozen=True)
class PhoneProblem:
    """Why a text is no phone number: not_a_number, too_short, too_long, not_in_use."""

    reason: str


def next_field(fields: Mapping[str, str | None]) -> str | None:
    """The first field without an answer; None when the form is complete."""
    return next((name for name in FIELDS if fields.get(name) is None), None)


def read_name(text: str) -> str | None:
    """The name as given, without "my name is"; None if there is no letter in it."""
    name = _NAME_LEAD.sub("", " ".join(text.split())).strip(" .,!\"'")[:_LONGEST_ANSWER]
    return name if any(c.isalpha() for c in name) else None


def read_phone(text: str) -> str | PhoneProblem:
    """A phone number in E.164 form, or what is wrong with it.

    Args:
        text: as typed: "617-555-0142", "six one seven ...", "+44 20 ...", or a
            number inside a sentence. Numbers without a country code are read as US.
    """
    words = re.findall(r"[a-záéíóúñ]+|[^a-záéíóúñ]+", text.lower())
    spoken = "".join(_DIGIT_WORDS.get(word.strip(), word) for word in words)
    for match in phonenumbers.PhoneNumberMatcher(spoken, "US"):
        return phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
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


def display_phone(e164: str) -> str:
    """A stored number as people write it: national for US numbers, else international."""
    number = phonenumbers.parse(e164, None)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == 1
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style)


def read_best_time(text: str) -> str | None:
    """The time in the visitor's own words, at most 120 characters; None if empty."""
    return " ".join(text.split())[:_LONGEST_ANSWER] or None


def read_yes_no(intent: str | None) -> str | None:
    """A yes/no field from the intent of the answer: "yes", "no", "unknown" or None."""
    return {"affirm": "yes", "deny": "no", "unsure": UNKNOWN}.get(intent or "")
