"""The character n-grams of a text's words, as scikit-learn's "char_wb" makes them.

Both who reads intents and who reads danger vote by them.
"""

from __future__ import annotations

SHORTEST, LONGEST = 2, 5  # characters of an n-gram


def ngrams_in(text: str) -> list[str]:
    """Every n-gram inside a word, word by word, the shorter ones first.

    A word's edges count as a space on either side; a word too short for an n-gram of some
    size counts as a whole, once.
    """
    found: list[str] = []
    for word in text.split():
        padded = f" {word} "
        length = len(padded)
        for size in range(SHORTEST, min(LONGEST, length) + 1):
            found += [padded[start : start + size] for start in range(length - size + 1)]
    return found
