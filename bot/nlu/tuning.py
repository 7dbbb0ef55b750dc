"""Tunes the encoder's head on labelled examples: same intent nearer, others farther.

Supervised contrastive learning: in each batch an example's neighbours of its own intent
should be the likeliest ones under a softmax over cosines. Plain numpy, Adam, a fixed
number of steps; the same examples give the same head. docs/understanding.md has what it
gains.
"""

from __future__ import annotations

import numpy as np

from bot.nlu.sentence_encoder import Head

_BATCH = 128
_PASSES = 20  # over the examples ...
_MOST_STEPS = 250  # ... but no more steps than this, however many examples there are
_SCALE = 10.0  # cosines times this are log odds
_LEARNING_RATE = 1e-3
_WARM_UP = 0.1  # share of the steps in which the learning rate rises; then it falls to 0
_DROPPED = 0.1  # share of a state's dimensions left out at each step
_MOMENTUM, _VARIANCE, _EPSILON = 0.9, 0.999, 1e-8


def tune(head: Head, states: np.ndarray, labels: np.ndarray) -> Head:
    """A head that keeps examples of one intent together.

    Args:
        head: where to start; it stays as it is.
        states: what the encoder read of the examples, shape (examples, 1281).
        labels: number of each example's intent, shape (examples,).
    """
    chance = np.random.default_rng(0)
    weights = {name: layer.copy() for name, layer in head.weights.items()}
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
        slopes = _slopes(weights, states[chosen] * kept / np.float32(1 - _DROPPED), labels[chosen])
        rate = _LEARNING_RATE * min(1.0, step / (_WARM_UP * steps)) * (1 - step / (steps + 1))
        for name, slope in slopes.items():
            first[name] += (1 - _MOMENTUM) * (slope - first[name])
            second[name] += (1 - _VARIANCE) * (slope**2 - second[name])
            mean = first[name] / (1 - _MOMENTUM**step)
            spread = np.sqrt(second[name] / (1 - _VARIANCE**step))
            weights[name] -= rate * mean / (spread + _EPSILON)
    return Head(weights)


def _slopes(
    weights: dict[str, np.ndarray], states: np.ndarray, labels: np.ndarray
) -> dict[str, np.ndarray]:
    """Gradient of the loss by each layer."""
    mean, y0, y1, y2, outermost, length, embedding = Head(weights).layers(states)
    same = (labels[:, None] == labels[None]).astype(np.float32)
    np.fill_diagonal(same, 0)
    scores = _SCALE * (embedding @ embedding.T)
    np.fill_diagonal(scores, -np.inf)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    pairs = max(float(same.sum()), 1.0)
    by_score = (odds * same.sum(axis=1, keepdims=True) - same) / pairs
    by_embedding = _SCALE * (by_score + by_score.T) @ embedding
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
