"""One thread for the arithmetic of one message.

NumPy's libraries start a thread for each core and let them wait in a loop for the next
product of matrices. For vectors as short as ours that gains nothing, and with gateway and
brain side by side it doubled the CPU time of a turn.
"""

from __future__ import annotations

import os

_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def install() -> None:
    """Call it before the first import of NumPy; what the operator has set stays."""
    for name in _SETTINGS:
        os.environ.setdefault(name, "1")
