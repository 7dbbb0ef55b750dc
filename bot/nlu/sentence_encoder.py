"""One sentence encoder per process: Google USE multilingual v3, in numpy.

English and Spanish share one space, so that examples in one language help the
other. The weights come inside the package; nothing is downloaded.

It works in two stages. Its body reads the words and gives one state per text; its head,
six dense layers, makes the embedding of that (`Head`). `read` gives both, one beside the
other; the intent model tunes a head of its own on the examples and takes the state. The
package offers only both stages together, so the stages are here, over its tokenizer and
weights; a test proves that they agree with it.

Most of the time goes into fetching the weights from memory, once per call: two texts read
together cost a third more than one, not twice as much.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.lib.stride_tricks import as_strided

from bot.few_rows import times
from bot.nlu.encoder_body import Body, load
from bot.settings import Settings

DIMENSIONS = 512
STATE = 1281  # of one text after the body: 1280 and the root of its number of tokens
READ = STATE + DIMENSIONS
_REMEMBERED = 512  # texts, 7 KB each
_EPSILON = 1e-12
_HANDED = "<f4"  # numbers as they go to another process

Encode = Callable[[Sequence[str]], np.ndarray]

# (n-gram order, tokens to the left of the present one) of the body's three branches.
_BRANCHES = ((2, 0), (3, 1), (5, 2))
_BRANCH = 256  # dimensions of each
_GAP = 2  # words on either side that a branch looks at, at most
_BATCH = 64  # texts whose words are multiplied at once
_FEW = 8  # texts of one message: several readers ask for them, so they are remembered


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
        mean = times(states, w["project"])
        y0 = np.maximum(times(mean, w["d0"]), 0)
        y1 = np.maximum(times(mean, w["p1"]) + times(y0, w["d1"]), 0)
        y2 = np.maximum(times(y1, w["d2"]), 0)
        outermost = np.tanh(times(y1, w["p3"]) + times(y2, w["d3"]))
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
    return embeddings(read(texts))


def read(texts: Sequence[str]) -> np.ndarray:
    """What the encoder makes of texts: the body's state of each, and its embedding.

    Args:
        texts: any strings; an empty one is read too.

    Returns:
        float32 array of shape (len(texts), 1793), see `states` and `embeddings`.
    """
    if not texts:
        return np.zeros((0, READ), dtype=np.float32)
    if len(texts) > _FEW:
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        return np.vstack([_read_together(batch) for batch in batches])
    known = {text: _memory_of(text) for text in texts}
    new = [text for text, row in known.items() if not row]
    if new:
        for text, row in zip(new, _read_together(new), strict=True):
            known[text].append(row)
    return np.stack([known[text][0] for text in texts])


def states(rows: np.ndarray) -> np.ndarray:
    """The body's states in what `read` gave, shape (texts, 1281); a `Head` takes them."""
    return rows[:, :STATE]


def embeddings(rows: np.ndarray) -> np.ndarray:
    """The encoder's own embeddings in what `read` gave, shape (texts, 512)."""
    return rows[:, STATE:]


def hand_over(text: str) -> str | None:
    """What was read of `text` lately, for `take_over` in another process; None: it was not."""
    rows = _memory_of(text)
    return base64.b64encode(rows[0].astype(_HANDED).tobytes()).decode() if rows else None


def take_over(text: str, handed: str) -> None:
    """Count what another process has read of `text` as read.

    Raises:
        ValueError: it is not of this encoder.
    """
    raw = base64.b64decode(handed, validate=True)
    if len(raw) != READ * np.dtype(_HANDED).itemsize:
        raise ValueError(f"not of this sentence encoder: {len(raw)} bytes")
    rows = _memory_of(text)
    if not rows:  # the same words come again and again
        rows.append(np.frombuffer(raw, dtype=_HANDED).astype(np.float32))


@functools.lru_cache(maxsize=_REMEMBERED)
def _memory_of(text: str) -> list[np.ndarray]:
    """Where what is read of `text` is kept: empty until somebody has read it."""
    return []


@functools.lru_cache(maxsize=1)
def original_head() -> Head:
    """The head as it came with the encoder."""
    body = _body()
    weights = {name: getattr(body, name) for name in HEAD_LAYERS if name != "project"}
    return Head({"project": np.vstack([body.cnn_W, body.cnn_b]), **weights})


@functools.lru_cache(maxsize=1)
def _body() -> Body:
    return load(Settings.from_environment().prepared)


def _read_together(texts: Sequence[str]) -> np.ndarray:
    """What `read` gives: the words of all texts in one matrix, zeros between texts."""
    body = _body()
    pieces = [body.pieces.encode(_not_shouted(text) or " ") for text in texts]
    counts = np.array([len(tokens) for tokens in pieces])
    # Texts that are read together mostly share their words.
    place = {token: number for number, token in enumerate(dict.fromkeys(chain(*pieces)))}
    tokens = np.fromiter(place, dtype=np.int64)
    which = [place[token] for tokens_of_text in pieces for token in tokens_of_text]
    block = tokens % len(body.scale)  # the table is quantized in blocks
    words = body.table[tokens] * body.scale[block, None] + body.lo[block, None]
    inner = _normalized((body.proj_W @ words.T).T + body.proj_b, body.eps)
    inner *= body.ln_g_all
    inner += body.ln_b_all
    words, inner = words[which], inner[which]
    # Where each word stands once the zeros that end a text are put between them.
    places = np.arange(len(words)) + _GAP * np.repeat(np.arange(len(texts)), counts)
    parts = [words]
    for branch, (order, left) in enumerate(_BRANCHES):
        tail = inner[:, branch * _BRANCH : (branch + 1) * _BRANCH]
        spread, windows = _windows(places[-1] + 1, order)
        for weights, bias in ((body.w1, body.b1), (body.w2, body.b2)):
            spread[places + left] = tail
            wide = (weights[branch] @ windows[places].T).T + bias[branch]
            tail = np.maximum(wide, 0) + tail
        parts.append(tail)
    features = _normalized(np.concatenate(parts, axis=1), body.eps)
    features *= body.ln_g
    features += body.ln_b
    roots = np.sqrt(counts)[:, None]
    sums = np.add.reduceat(features, np.cumsum(counts) - counts, axis=0)
    state = np.hstack([sums / roots, roots]).astype(np.float32)
    return np.hstack([state, original_head()(state)])


def _not_shouted(text: str) -> str:
    """In small letters if all of several words are in capitals, which the encoder knows little of.

    One word stays as it is: "MA", "PHP".
    """
    return text.lower() if text.isupper() and len(text.split()) > 1 else text


def _windows(places: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Zeros to write words into, and a view of them: each place with its neighbours beside it.

    Returns:
        Shapes (places + order - 1, 256) and (places, order * 256).
    """
    spread = np.zeros((places + order - 1, _BRANCH), dtype=np.float32)
    view = as_strided(spread, (places, order * _BRANCH), spread.strides, writeable=False)
    return spread, view


def _normalized(rows: np.ndarray, epsilon: float) -> np.ndarray:
    """Rows of mean 0 and variance 1; a new array."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows /= np.sqrt(variance + epsilon)[:, None]
    return rows
