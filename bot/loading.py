"""While a process loads: no search for garbage, and nothing that it will never use.

Loading makes some hundred thousand objects that stay. Python's collector would walk over all
of them again and again to find a thousand that do not: a tenth of the time to load.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import pkgutil
import sys
import types
from collections.abc import Iterator


def begin() -> None:
    """Call it before the process imports anything of weight."""
    gc.disable()
    # structlog would have it draw tracebacks for developers; with it come Pygments and
    # Markdown, 60 ms and 8 MB. Without it structlog draws plain ones.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]


@contextlib.contextmanager
def without_pkg_resources() -> Iterator[None]:
    """While something is imported that needs of pkg_resources only to read a file of its own.

    It takes 0.07 s to load, before the first visitor is answered.
    """
    if "pkg_resources" in sys.modules:
        yield
        return
    light = types.ModuleType("pkg_resources")
    light.resource_string = pkgutil.get_data  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = light
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]


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
