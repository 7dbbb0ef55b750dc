"""Which intent a text has: sentence embeddings and character n-grams, one linear model.

Pure: knows nothing of Rasa, so that `handrail eval intents` can train and measure
it on any data. Deterministic: the same examples give the same weights.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bot.nlu.sentence_encoder import Encode

_NGRAMS = (2, 5)
_MINIMUM_DOCUMENTS = 2
_DENSE_WEIGHT = 3.0  # chosen by cross-validation on data/nlu, see bench/intents.py
_INVERSE_REGULARISATION = 20.0


@dataclasses.dataclass(frozen=True)
class Guess:
    """An intent and the model's probability for it, 0 to 1."""

    intent: str
    confidence: float


class IntentModel:
    """A trained model; make one with `train` or `load`."""

    def __init__(
        self,
        intents: Sequence[str],
        coefficients: np.ndarray,
        intercepts: np.ndarray,
        ngrams: TfidfVectorizer,
    ):
        self.intents = list(intents)
        self._coefficients = coefficients
        self._intercepts = intercepts
        self._ngrams = ngrams

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str], encode: Encode) -> IntentModel:
        """Fit on examples.

        Args:
            texts: the examples.
            intents: their intents, as many as texts; at least two different ones.
            encode: the sentence encoder.

        Raises:
            ValueError: fewer than two intents.
        """
        if len(set(intents)) < 2:
            raise ValueError("the intent model needs examples of at least two intents")
        ngrams = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=_NGRAMS,
            min_df=_MINIMUM_DOCUMENTS,
            sublinear_tf=True,
            strip_accents="unicode",
            dtype=np.float32,
        )
        features = _features(encode(texts), ngrams.fit_transform(texts))
        regression = LogisticRegression(
            C=_INVERSE_REGULARISATION, max_iter=400, class_weight="balanced", random_state=0
        )
        regression.fit(features, list(intents))
        return cls(
            [str(intent) for intent in regression.classes_],
            regression.coef_.astype(np.float32),
            regression.intercept_.astype(np.float32),
            ngrams,
        )

    def rank(self, texts: Sequence[str], embeddings: np.ndarray) -> list[list[Guess]]:
        """All intents for each text, most likely first.

        Args:
            texts: the texts.
            embeddings: their sentence embeddings, shape (len(texts), 512).
        """
        features = _features(embeddings, self._ngrams.transform(texts))
        scores = features @ self._coefficients.T + self._intercepts
        if scores.shape[1] == 1:  # two intents: one score for the second
            scores = np.hstack([-scores / 2, scores / 2])
        scores = np.asarray(scores)
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities = exponents / exponents.sum(axis=1, keepdims=True)
        return [
            [Guess(self.intents[i], float(row[i])) for i in np.argsort(-row, kind="stable")]
            for row in probabilities
        ]

    def save(self, folder: Path) -> None:
        """Write the model into `folder` (arrays and JSON, nothing executable)."""
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            folder / "intent_model.npz",
            coefficients=self._coefficients,
            intercepts=self._intercepts,
            idf=self._ngrams.idf_,
        )
        vocabulary = sorted(self._ngrams.vocabulary_, key=self._ngrams.vocabulary_.get)
        (folder / "intent_model.json").write_text(
            json.dumps({"intents": self.intents, "ngrams": vocabulary}, ensure_ascii=False),
            encoding="utf-8",
        )

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote; raises OSError, KeyError or ValueError if it is damaged."""
        described = json.loads((folder / "intent_model.json").read_text(encoding="utf-8"))
        with np.load(folder / "intent_model.npz", allow_pickle=False) as arrays:
            coefficients, intercepts = arrays["coefficients"], arrays["intercepts"]
            idf = arrays["idf"]
        ngrams = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=_NGRAMS,
            sublinear_tf=True,
            strip_accents="unicode",
            dtype=np.float32,
            vocabulary={ngram: index for index, ngram in enumerate(described["ngrams"])},
        )
        ngrams.idf_ = idf
        return cls(described["intents"], coefficients, intercepts, ngrams)


def _features(embeddings: np.ndarray, ngrams: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.hstack([sparse.csr_matrix(embeddings * _DENSE_WEIGHT), ngrams], format="csr")
