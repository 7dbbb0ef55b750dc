"""Texts without accents, for whoever compares what people typed: many leave them out."""

from __future__ import annotations

import unicodedata


def without_accents(text: str) -> str:
    """`text` without accents and other combining marks; "ﬁ" and the like become plain letters.

    Capitals stay capitals, and some styled ones are known as such only afterwards.
    """
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join([char for char in apart if not unicodedata.combining(char)])
