"""What is said by text and nowhere else; reviewed in `words.yml`."""

from __future__ import annotations

import functools
from pathlib import Path

from bot.texts.messages import Texts, load_texts

WORDS = Path(__file__).with_name("words.yml")


@functools.cache
def load_words() -> Texts:
    """The texts; raises `DataError` with every mistake."""
    return load_texts(WORDS)
