"""Tunes the encoder's head on labelled examples: same intent nearer, others farther.

Two losses, for few examples and for many. Supervised contrastive learning: in each batch
an example's neighbours of its own intent should be the likeliest ones under a softmax over
cosines. Prototypes: each intent has one point, learnt beside the head, and an example's own
should be the likeliest. Plain numpy, Adam, a fixed number of steps; the same examples give
the same head. docs/understanding.md has what each gains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bot.nlu.sentence_encoder import Head

SCALE = 10.0  # cosines times this are log odds
_BATCH = 128
_PASSES = 20  # over the examples ...
_MOST_STEPS = 250  # ... but no more steps than this, however many examples there are
_LEARNING_RATE = 1e-3
_WARM_UP = 0.1  # share of the steps in which the learning rate rises; then it falls to 0
_DROPPED = 0.1  # share of a state's dimensions left out at each step
_MOMENTUM, _VARIANCE, _EPSILON = 0.9, 0.999, 1e-8
_PROTOTYPES = "prototypes"  # their name among the layers while they are learnt

Weights = dict[str, np.ndarray]
Slopes = Callable[[Weights, np.ndarray, np.ndarray], Weights]


def tune(head: Head, states: np.ndarray, labels: np.ndarray, seed: int = 0) -> Head:
    """A head that keeps examples of one intent together.

    Args:
        head: where to start; it stays as it is.
        states: what the encoder read of the examples, shape (examples, 1281).
        labels: number of each example's intent, shape (examples,).
        seed: of the order of the examples and of what is left out; another one gives
            another head, and two together are a little better than either.
    """
    return Head(_descend(head.weights, states, labels, _contrastive_slopes, seed))


def tune_with_prototypes(
    head: Head, states: np.ndarray, labels: np.ndarray
) -> tuple[Head, np.ndarray]:
    """A head that brings each example near the prototype of its intent.

    Args:
        head, states, labels: as for `tune`; every number up to the largest label occurs.

    Returns:
        The head and the prototypes, shape (intents, 512): the softmax over `SCALE` times
        an embedding's products with them is how likely each intent is.
    """
    embeddings = head(states)
    means = np.stack([embeddings[labels == n].mean(axis=0) for n in range(labels.max() + 1)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    start = {**head.weights, _PROTOTYPES: means}
    weights = _descend(start, states, labels, _prototype_slopes, seed=0)
    prototypes = weights.pop(_PROTOTYPES)
    return Head(weights), prototypes


def _descend(
    start: Mapping[str, np.ndarray],
    states: np.ndarray,
    labels: np.ndarray,
    slopes_of: Slopes,
    seed: int,
) -> Weights:
    """Adam from `start`, which stays as it is."""
    chance = np.random.default_rng(seed)
    weights = {name: layer.copy() for name, layer in start.items()}
    first = {name: np.zeros_like(layer) for name, layer in weights.items()}
    second = {name: np.zeros_like(layer) for name, layer in weights.items()}
    batches = max(1, len(labels) // _BATCH)
    steps = min(_PASSES * batches, _MOST_STEPS)
    for step in range(1, steps + 1):
        turn = (step - 1) % batches
        if turn == 0:
            order = chance.permutation(len(labels))
        chosen = order[turn::batches][:_BATCH]
        kept = chance.random((len(chosen), states.shape[1]), dtype=np.float32) >= _DROPPED
        kept[:, -1] = True  # the root of the length carries the bias
        part = states[chosen] * kept / np.float32(1 - _DROPPED)
        rate = _LEARNING_RATE * min(1.0, step / (_WARM_UP * steps)) * (1 - step / (steps + 1))
        rate *= (1 - _VARIANCE**step) ** 0.5 / (1 - _MOMENTUM**step)
        for name, slope in slopes_of(weights, part, labels[chosen]).items():
            # In place: the layers are large, and what is copied costs more than what is computed.
            square = np.square(slope)
            square *= 1 - _VARIANCE
            second[name] *= _VARIANCE
            second[name] += square
            slope *= 1 - _MOMENTUM
            first[name] *= _MOMENTUM
            first[name] += slope
            np.sqrt(second[name], out=square)
            square += _EPSILON
            np.divide(first[name], square, out=slope)
            slope *= rate
            weights[name] -= slope
    return weights


def _contrastive_slopes(weights: Weights, states: np.ndarray, labels: np.ndarray) -> Weights:
    """Gradient of the contrastive loss by each layer."""
    layers = Head(weights).layers(states)
    embedding = layers[-1]
    same = (labels[:, None] == labels[None]).astype(np.float32)
    np.fill_diagonal(same, 0)
    scores = SCALE * (embedding @ embedding.T)
    np.fill_diagonal(scores, -np.inf)
    odds = _softmax(scores)
    pairs = max(float(same.sum()), 1.0)
    by_score = (odds * same.sum(axis=1, keepdims=True) - same) / pairs
    return _through(weights, states, layers, SCALE * (by_score + by_score.T) @ embedding)


def _prototype_slopes(weights: Weights, states: np.ndarray, labels: np.ndarray) -> Weights:
    """Gradient of the loss over prototypes by each layer and by the prototypes."""
    layers = Head(weights).layers(states)
    embedding, prototypes = layers[-1], weights[_PROTOTYPES]
    by_score = _softmax(SCALE * (embedding @ prototypes.T))
    by_score[np.arange(len(labels)), labels] -= 1
    by_score *= SCALE / len(labels)
    slopes = _through(weights, states, layers, by_score @ prototypes)
    return {**slopes, _PROTOTYPES: by_score.T @ embedding}


def _softmax(scores: np.ndarray) -> np.ndarray:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _through(
    weights: Weights,
    states: np.ndarray,
    layers: tuple[np.ndarray, ...],
    by_embedding: np.ndarray,
) -> Weights:
    """The gradient by each layer of the head, given that by its embeddings."""
    mean, y0, y1, y2, outermost, length, embedding = layers
    along = (by_embedding * embedding).sum(axis=1, keepdims=True)
    by_outermost = (by_embedding - along * embedding) / length * (1 - outermost**2)
    by_y2 = (by_outermost @ weights["d3"].T) * (y2 > 0)
    by_y1 = (by_outermost @ weights["p3"].T + by_y2 @ weights["d2"].T) * (y1 > 0)
    by_y0 = (by_y1 @ weights["d1"].T) * (y0 > 0)
    by_mean = by_y1 @ weights["p1"].T + by_y0 @ weights["d0"].T
    return {
        "project": states.T @ by_mean,
        "d0": mean.T @ by_y0,
        "d1": y0.T @ by_y1,
        "p1": mean.T @ by_y1,
        "d2": y1.T @ by_y2,
        "p3": y1.T @ by_outermost,
        "d3": y2.T @ by_outermost,
    }
