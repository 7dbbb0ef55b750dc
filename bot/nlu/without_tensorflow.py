"""Import Rasa without TensorFlow, and without what else it imports and we do not use.

Rasa 3.6 imports TensorFlow for components that this project does not use; the
import alone costs about ten seconds and half of the memory. The clients of other
channels, tracker stores and brokers cost two or three seconds more. Our own
processes (`handrail ...`, the brain, the tests) put an empty shell in their place.
Nothing computes with it: using anything of it raises. The stock `rasa` command is
not touched and keeps the real ones. A brain only reads what has been trained, and leaves
out what only training needs as well: another second and 60 MB.

Call `install()` before the first import of Rasa.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

_REPLACED = frozenset(
    {"tensorflow", "tensorflow_text", "tensorflow_hub", "tensorflow_addons", "keras"}
    # Rasa's channels: the gateway is ours.
    | {"aiogram", "fbmessenger", "mattermostwrapper", "rocketchat_API", "slack_sdk", "socketio"}
    | {"webexteamssdk"}
    # Its tracker stores, lock stores, event brokers and model stores: the database is ours.
    | {"aio_pika", "boto3", "botocore", "pymongo", "redis"}
    # Its web server and timers, its questions and chat in a terminal.
    | {"apscheduler", "prompt_toolkit", "questionary", "sanic", "sanic_cors"}
)
# What only training, plots and Rasa's own graph runner compute with.
_TRAINING = frozenset({"dask", "joblib", "matplotlib", "scipy", "sklearn"})


class _ShellType(type):
    """Class-level attribute access, so that `class X(tf.keras.Model)` can be read."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Shell

    def __getitem__(cls, _: Any) -> Any:
        return cls


class _Shell(metaclass=_ShellType):
    """Stands for any class or decorator that Rasa's modules name while they load."""

    def __init_subclass__(cls, **_: Any) -> None:
        super().__init_subclass__()

    def __new__(cls, *arguments: Any, **_: Any) -> Any:
        if cls is _Shell:
            if len(arguments) == 1 and callable(arguments[0]):
                return arguments[0]  # used as a decorator
            return super().__new__(cls)
        raise RuntimeError(
            f"{cls.__name__} needs a package that Handrail's processes leave out "
            "(TensorFlow, or another of bot/nlu/without_tensorflow.py). "
            "Use a component without it in config.yml."
        )

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        if len(arguments) == 1 and callable(arguments[0]):
            return arguments[0]
        return self


class _ShellModule(types.ModuleType):
    def __init__(self, name: str):
        super().__init__(name)
        self.__path__: list[str] = []  # a package: it has submodules
        self.__version__ = "0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Shell


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, replaced: frozenset[str]):
        self._replaced = replaced

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in self._replaced:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _ShellModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run: the shell has no content."""


def install(*, training: bool = True) -> None:
    """Put the shell in place; does nothing if TensorFlow or the shell is there already.

    Args:
        training: whether this process may train something.
    """
    if "tensorflow" in sys.modules or any(isinstance(f, _Finder) for f in sys.meta_path):
        return
    # spaCy's thinc looks whether these are there and would work with them: it must see none.
    unseen = ("tensorflow", "h5py")
    for name in unseen:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import thinc.compat  # noqa: F401
    finally:
        for name in unseen:
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder(_REPLACED if training else _REPLACED | _TRAINING))
