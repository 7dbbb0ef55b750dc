"""Character n-grams of a text's words, counted and weighed as scikit-learn does it.

The intent model's vote by words is trained on scikit-learn's `TfidfVectorizer`. For one
message at a time that is slow (two sparse matrices, checks of everything), and importing
it costs the brain half a second and some 50 MB. So a trained model counts here;
a test proves that both give the same features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from bot.accents import without_accents
from bot.character_ngrams import LONGEST, SHORTEST, ngrams_in

# How `TfidfVectorizer` must be set to give what `Ngrams` gives.
VECTORIZER = {
    "analyzer": "char_wb",
    "ngram_range": (SHORTEST, LONGEST),
    "sublinear_tf": True,
    "strip_accents": "unicode",
    "dtype": np.float32,
}


class Ngrams:
    """Counts known n-grams.

    Args:
        known: the n-grams, each at the number of its column.
        rarity: the inverse document frequency of each, float32.

    Raises:
        ValueError: there are not as many of both.
    """

    def __init__(self, known: Sequence[str], rarity: np.ndarray):
        self.known = known
        self.rarity = rarity
        self._column = {ngram: column for column, ngram in enumerate(known)}
        if len(self._column) != len(rarity):
            raise ValueError(f"{len(self._column)} n-grams but {len(rarity)} weights")

    def weigh(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """What `text` has of the known n-grams.

        Returns:
            Their columns, ascending, and what each weighs (float32, together of length 1).
        """
        counts = Counter(
            self._column[ngram]
            for ngram in ngrams_in(without_accents(text.lower()))
            if ngram in self._column
        )
        columns = np.fromiter(sorted(counts), dtype=np.intp, count=len(counts))
        times = np.array([counts[column] for column in columns.tolist()], dtype=np.float32)
        weights = (np.log(times) + 1) * self.rarity[columns]
        length = np.sqrt(weights @ weights)
        return columns, weights / length if len(weights) else weights
