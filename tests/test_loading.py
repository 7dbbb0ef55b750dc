"""What a process leaves undone while it loads is taken up when it has loaded."""

import gc
import importlib
import sys

import pytest

from bot import loading


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.delitem(sys.modules, "rich", raising=False)
    yield
    gc.unfreeze()
    gc.enable()
    sys.modules.pop("rich", None)


def test_garbage_is_searched_for_again_once_all_is_loaded():
    loading.begin()
    assert not gc.isenabled()
    loading.done()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_logs_do_without_the_library_that_draws_tracebacks():
    loading.begin()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("rich")


def test_a_library_that_is_there_already_stays(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", sys)
    loading.begin()
    assert importlib.import_module("rich") is sys
