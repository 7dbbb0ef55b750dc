"""Which intent a text has: two votes, one by meaning and one by the very words.

By meaning: kernel ridge regression over sentence embeddings (what is meant, in English
and Spanish alike). Each example speaks for its own neighbourhood, which suits intents
that are a bundle of different questions; the weights are one linear solve. Averaged with
it is what heads tuned on the examples say: with few of them the same regression over the
embeddings of two such heads; with many one head and a prototype for each intent.
By words: logistic regression over character n-grams (abbreviations, names, typos).
The answer is the weighted geometric mean of both. docs/understanding.md has what was
measured, and what else was tried.

Pure: knows nothing of Rasa, so that it can be trained and measured on any data.
Deterministic: the same examples give the same weights.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bot.few_rows import times
from bot.nlu.ngrams import VECTORIZER, Ngrams
from bot.nlu.sentence_encoder import (
    HEAD_LAYERS,
    Encode,
    Head,
    embeddings,
    original_head,
    states,
)
from bot.nlu.tuning import SCALE, tune, tune_with_prototypes

if TYPE_CHECKING:
    from scipy import sparse

# SciPy and scikit-learn are imported where something is trained: who only reads a model
# needs neither.

# How each was chosen: docs/understanding.md.
_DIMENSIONS = 256  # of the encoder's 512
_KERNEL_WIDTH = 2.0  # similarity of two embeddings is exp(width x (cosine - 1))
_RIDGE = 0.1
_RIDGE_SHARPNESS = 1 / 0.06  # ridge scores, about 0 to 1, times this are log odds
_WORDS_WEIGHT = 0.35  # of the n-grams' vote beside 1 for the meaning
_WORDS_WEIGHT_FEW = 0.2  # with few examples n-grams know less
_CONFIDENCE = 0.9  # exponent that makes the probabilities honest

# Names of arrays in the file.
_OWN, _AXES, _POINTS = "own_", "axes", "points"

_MINIMUM_DOCUMENTS = 2
# The solve needs memory and time by the square and cube of the examples. Above this
# many the vote by meaning reads an even selection; the vote by words reads all.
_MOST_EXAMPLES = 10000
_SEEDS = (0, 1)  # of the heads that are tuned on few examples
# An intent with fewer examples than this has its name as one more; if all together
# have fewer on average, the examples speak for themselves under the tuned head too.
_FEW_EXAMPLES = 20


class Guess(NamedTuple):
    """An intent and the model's probability for it, 0 to 1."""

    intent: str
    confidence: float


@dataclasses.dataclass(frozen=True)
class _Axes:
    """The encoder's own embeddings, along the principal axes of the examples.

    Half as many numbers to compare say as much.

    Attributes:
        matrix: shape (512, dimensions).
    """

    matrix: np.ndarray

    @classmethod
    def fit(cls, read: np.ndarray) -> _Axes:
        examples = embeddings(read).astype(np.float64)
        _, axes = np.linalg.eigh(examples.T @ examples)  # the smallest first
        return cls(_halved(axes[:, -_DIMENSIONS:]))

    def __call__(self, read: np.ndarray) -> np.ndarray:
        return times(embeddings(read), self.matrix)

    def arrays(self) -> dict[str, np.ndarray]:
        return {_AXES: self.matrix.astype(np.float16)}


@dataclasses.dataclass(frozen=True)
class _Tuned:
    """The embeddings of a head that was tuned on the examples."""

    head: Head

    @classmethod
    def of(cls, head: Head) -> _Tuned:
        return cls(Head({name: _halved(layer) for name, layer in head.weights.items()}))

    def __call__(self, read: np.ndarray) -> np.ndarray:
        return self.head(states(read))

    def arrays(self) -> dict[str, np.ndarray]:
        return {name: layer.astype(np.float16) for name, layer in self.head.weights.items()}


@dataclasses.dataclass(frozen=True)
class _Meaning:
    """Kernel ridge regression.

    Attributes:
        embed: what the encoder read as vectors.
        examples: embeddings, shape (examples, dimensions).
        weights: what each example says for each intent, shape (examples, intents).
    """

    embed: _Axes | _Tuned
    examples: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(
        cls, embed: _Axes | _Tuned, read: np.ndarray, labels: np.ndarray, intents: int
    ) -> _Meaning:
        from scipy import linalg

        kept = _even_selection(labels, _MOST_EXAMPLES)
        # Half precision is what is stored, so it is what is learnt with.
        examples, labels = _halved(embed(read[kept])), labels[kept]
        sizes = np.bincount(labels, minlength=intents)
        # Halfway between counting examples and counting intents: a large intent may
        # weigh more, though not by its whole size.
        trust = np.sqrt(len(labels) / intents / sizes[labels])
        kernel = _similarity(examples, examples)
        kernel[np.diag_indices_from(kernel)] += (_RIDGE / trust).astype(np.float32)
        factor = linalg.cho_factor(kernel, lower=True, overwrite_a=True, check_finite=False)
        targets = np.eye(intents, dtype=np.float32)[labels]
        weights = linalg.cho_solve(factor, targets, check_finite=False)
        return cls(embed, examples, np.ascontiguousarray(weights))

    def log_probabilities(self, read: np.ndarray) -> np.ndarray:
        scores = _similarity(self.embed(read), self.examples) @ self.weights
        return _log_softmax(scores * _RIDGE_SHARPNESS)


@dataclasses.dataclass(frozen=True)
class _Prototypes:
    """The point of each intent in the space of a tuned head, shape (intents, 512)."""

    embed: _Tuned
    points: np.ndarray

    @classmethod
    def fit(cls, read: np.ndarray, labels: np.ndarray) -> _Prototypes:
        head, points = tune_with_prototypes(original_head(), states(read), labels)
        return cls(_Tuned.of(head), _halved(points))

    def log_probabilities(self, read: np.ndarray) -> np.ndarray:
        return _log_softmax(SCALE * (self.embed(read) @ self.points.T))


@dataclasses.dataclass(frozen=True)
class _Words:
    """Logistic regression: coefficients (n-grams, intents), intercepts (intents,)."""

    coefficients: np.ndarray
    intercepts: np.ndarray

    @classmethod
    def fit(cls, features: sparse.csr_matrix, labels: np.ndarray) -> _Words:
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(
            C=30.0,
            solver="saga",  # many times faster than the others on wide sparse features
            max_iter=100,
            tol=1e-2,
            multi_class="multinomial",
            class_weight="balanced",
            random_state=0,
        )
        regression.fit(features, labels)
        coefficients, intercepts = regression.coef_, regression.intercept_
        if len(coefficients) == 1:  # two intents: sklearn keeps one row, for the second
            coefficients = np.vstack([-coefficients, coefficients])
            intercepts = np.concatenate([-intercepts, intercepts])
        # Rows lie together in memory: one message touches few n-grams.
        by_ngram = np.ascontiguousarray(coefficients.T, dtype=np.float32)
        return cls(by_ngram, intercepts.astype(np.float32))

    def log_probabilities(self, weighed: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Of texts whose n-grams `Ngrams.weigh` has weighed."""
        scores = [weights @ self.coefficients[columns] for columns, weights in weighed]
        return _log_softmax(np.stack(scores) + self.intercepts)


class IntentModel:
    """A trained model; make one with `train` or `load`."""

    def __init__(
        self,
        intents: Sequence[str],
        own: _Meaning | _Prototypes,
        tuned: Sequence[_Meaning | _Prototypes],
        words: _Words,
        ngrams: Ngrams,
    ):
        self.intents = list(intents)
        self._own = own
        self._tuned = tuned
        self._words = words
        self._ngrams = ngrams

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str], read: Encode) -> IntentModel:
        """Fit on examples.

        Args:
            texts: the examples.
            intents: their intents, as many as texts; at least two different ones.
            read: the sentence encoder's, `bot.nlu.sentence_encoder.read`.

        Raises:
            ValueError: fewer than two intents, or another number of texts than intents.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        if len(texts) != len(intents):
            raise ValueError(f"{len(texts)} texts but {len(intents)} intents")
        sizes = Counter(intents)
        if len(sizes) < 2:
            raise ValueError("the intent model needs examples of at least two intents")
        names = sorted(sizes)
        few = [name for name in names if sizes[name] < _FEW_EXAMPLES]
        texts = [*texts, *(_as_words(name) for name in few)]
        index = {name: number for number, name in enumerate(names)}
        labels = np.array([index[intent] for intent in (*intents, *few)])
        vectorizer = TfidfVectorizer(min_df=_MINIMUM_DOCUMENTS, **VECTORIZER)
        words = _Words.fit(vectorizer.fit_transform(texts), labels)
        known = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
        rows = read(texts)
        own = _Meaning.fit(_Axes.fit(rows), rows, labels, len(names))
        tuned: list[_Meaning | _Prototypes]
        if len(labels) < _FEW_EXAMPLES * len(names):
            heads = [tune(original_head(), states(rows), labels, seed) for seed in _SEEDS]
            tuned = [_Meaning.fit(_Tuned.of(head), rows, labels, len(names)) for head in heads]
        else:
            tuned = [_Prototypes.fit(rows, labels)]
        return cls(names, own, tuned, words, Ngrams(known, vectorizer.idf_))

    def rank(self, texts: Sequence[str], read: np.ndarray) -> list[list[Guess]]:
        """All intents for each text, most likely first.

        Args:
            texts: the texts.
            read: what the encoder read of them, shape (len(texts), 1793).
        """
        own = self._own.log_probabilities(read)
        tuned = np.mean([vote.log_probabilities(read) for vote in self._tuned], axis=0)
        votes = (own + tuned) / 2
        many = isinstance(self._tuned[0], _Prototypes)
        weight = _WORDS_WEIGHT if many else _WORDS_WEIGHT_FEW
        votes += weight * self._words.log_probabilities(list(map(self._ngrams.weigh, texts)))
        probabilities = np.exp(_log_softmax(_CONFIDENCE * votes))
        return [
            [Guess(self.intents[i], float(row[i])) for i in np.argsort(-row, kind="stable")]
            for row in probabilities
        ]

    def save(self, folder: Path) -> None:
        """Write the model into `folder` (arrays and JSON, nothing executable)."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {
            "words_coefficients": self._words.coefficients,
            "words_intercepts": self._words.intercepts,
            "idf": self._ngrams.rarity,
            **_arrays_of(_OWN, self._own),
        }
        for number, vote in enumerate(self._tuned):
            arrays |= _arrays_of(_tuned(number), vote)
        np.savez_compressed(folder / "intent_model.npz", **arrays)
        described = {
            "intents": self.intents,
            "ngrams": list(self._ngrams.known),
            "tuned": len(self._tuned),
        }
        (folder / "intent_model.json").write_text(
            json.dumps(described, ensure_ascii=False), encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> IntentModel:
        """Read what `save` wrote; raises OSError, KeyError or ValueError if it is damaged."""
        described = json.loads((folder / "intent_model.json").read_text(encoding="utf-8"))
        with np.load(folder / "intent_model.npz", allow_pickle=False) as arrays:
            own = _stored(arrays, _OWN)
            tuned = [_stored(arrays, _tuned(number)) for number in range(described["tuned"])]
            words = _Words(arrays["words_coefficients"], arrays["words_intercepts"])
            ngrams = Ngrams(described["ngrams"], arrays["idf"])
        return cls(described["intents"], own, tuned, words, ngrams)


def _tuned(number: int) -> str:
    """What stands before the names of a tuned vote's arrays in the file."""
    return f"tuned{number}_"


def _arrays_of(prefix: str, vote: _Meaning | _Prototypes) -> dict[str, np.ndarray]:
    arrays = vote.embed.arrays()
    if isinstance(vote, _Prototypes):
        arrays[_POINTS] = vote.points.astype(np.float16)
    else:
        arrays |= {"examples": vote.examples.astype(np.float16), "weights": vote.weights}
    return {prefix + name: array for name, array in arrays.items()}


def _stored(arrays: Mapping[str, np.ndarray], prefix: str) -> _Meaning | _Prototypes:
    embed: _Axes | _Tuned
    if prefix + _AXES in arrays:
        embed = _Axes(arrays[prefix + _AXES].astype(np.float32))
    else:
        embed = _Tuned(Head({n: arrays[prefix + n].astype(np.float32) for n in HEAD_LAYERS}))
        if prefix + _POINTS in arrays:
            return _Prototypes(embed, arrays[prefix + _POINTS].astype(np.float32))
    # Column by column in memory: a product with one message is more than twice as fast.
    examples = np.asfortranarray(arrays[prefix + "examples"].astype(np.float32))
    return _Meaning(embed, examples, arrays[prefix + "weights"])


def _halved(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).astype(np.float32)


def _similarity(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    similarity = times(left, right.T)
    similarity -= 1
    similarity *= _KERNEL_WIDTH
    return np.asarray(np.exp(similarity, out=similarity))


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def _even_selection(labels: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most `most` examples, in order, the same share of every intent."""
    if len(labels) <= most:
        return np.arange(len(labels))
    by_intent = np.argsort(labels, kind="stable")
    steps = np.linspace(0, len(labels) - 1, most).round().astype(int)
    return np.sort(by_intent[steps])


def _as_words(intent: str) -> str:
    """`card_arrival` as "card arrival"."""
    return re.sub(r"[\W_]+", " ", intent).strip()
