"""How many SMS segments a text takes: the GSM 7-bit default alphabet.

Source: 3GPP TS 23.038, section 6.2.1 (default alphabet and its extension table);
3GPP TS 23.040, section 9.2.3.24.1 (six octets of header in each part of a long text).
A text with one character outside the alphabet is sent as UCS-2, at 70 characters a
segment instead of 160: curly quotes, long dashes and á í ó ú do that, ñ é ¿ ¡ do not.
"""

from __future__ import annotations

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters that take one septet (the 128th place is the escape)."""

EXTENSION = "\f^{}\\[~]|€"
"""The characters that take two septets: an escape and their own."""

_SEPTETS = {**dict.fromkeys(BASIC, 1), **dict.fromkeys(EXTENSION, 2)}
_ONE_PART = {"gsm7": 160, "ucs2": 70}
_EACH_OF_SEVERAL = {"gsm7": 153, "ucs2": 67}


def outside(text: str) -> tuple[str, ...]:
    """The characters of `text` that GSM 7-bit cannot carry, each once, in order."""
    return tuple(dict.fromkeys(character for character in text if character not in _SEPTETS))


def septets(text: str) -> int:
    """The length of `text` in septets; raises ValueError if GSM 7-bit cannot carry it."""
    strangers = outside(text)
    if strangers:
        raise ValueError(f"not in the GSM 7-bit alphabet: {' '.join(strangers)}")
    return sum(_SEPTETS[character] for character in text)


def segments(text: str) -> int:
    """The number of SMS that `text` is sent and billed as; 0 for an empty text.

    Neither an escaped character nor a surrogate pair is split between two parts.
    """
    if outside(text):
        encoding = "ucs2"
        sizes = [len(character.encode("utf-16-be")) // 2 for character in text]
    else:
        encoding = "gsm7"
        sizes = [_SEPTETS[character] for character in text]
    if sum(sizes) <= _ONE_PART[encoding]:
        return 1 if sizes else 0
    room = _EACH_OF_SEVERAL[encoding]
    count, used = 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count
