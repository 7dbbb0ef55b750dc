"""While a process loads: no search for garbage, and nothing that it will never use.

Loading makes some hundred thousand objects that stay. Python's collector would walk over all
of them again and again to find a thousand that do not: a tenth of the time to load.
"""

from __future__ import annotations

import ctypes
import gc
import sys


def begin() -> None:
    """Call it before the process imports anything of weight."""
    gc.disable()
    # structlog would have it draw tracebacks for developers; with it come Pygments and
    # Markdown, 60 ms and 8 MB. Without it structlog draws plain ones.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]


def give_back() -> None:
    """Call it after something that needs much memory only while it is loaded.

    The C library would keep the rest for later; the language models leave 40 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
    if trim is not None:
        trim(0)


def done() -> None:
    """Call it when all is loaded: what is there now is never walked over again."""
    give_back()
    gc.freeze()
    gc.enable()
