"""Reference codes: short, read out on the phone without mistakes.

Six characters from an alphabet without look-alikes; the last one is a check
character (Luhn mod N), which finds every single wrong character and nearly all
swapped neighbours.
"""

from __future__ import annotations

from random import Random

ALPHABET = "23456789ABCDEFGHJKMNPQRTUVWXYZ"  # no 0/O, 1/I/L, S (heard as F)
LENGTH = 6


def new_reference(random: Random) -> str:
    """A new code such as "K7M-4QX"; pass `random.SystemRandom()` in production."""
    body = [random.choice(ALPHABET) for _ in range(LENGTH - 1)]
    code = "".join(body) + _check_character(body)
    return f"{code[:3]}-{code[3:]}"


def normalise(spoken: str) -> str | None:
    """The code as stored, from what somebody typed; None if it cannot be a code."""
    code = "".join(c for c in spoken.upper() if c.isalnum())
    if len(code) != LENGTH or any(c not in ALPHABET for c in code):
        return None
    if _check_character(list(code[:-1])) != code[-1]:
        return None
    return f"{code[:3]}-{code[3:]}"


def _check_character(body: list[str]) -> str:
    size = len(ALPHABET)
    total = 0
    factor = 2
    for character in reversed(body):
        addend = factor * ALPHABET.index(character)
        total += addend // size + addend % size
        factor = 3 - factor
    return ALPHABET[-total % size]
