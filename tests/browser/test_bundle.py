"""The widget's file, without a browser."""

from __future__ import annotations

import gzip
import importlib.machinery
import importlib.util
import json

import pytest

from bot.settings import ROOT

WIDGET = ROOT / "bot/gateway/static/widget.js"
MOST_BYTES = 20_000


@pytest.fixture(scope="module")
def copier():
    """tools/widget-words as a module."""
    loader = importlib.machinery.SourceFileLoader("widget_words", str(ROOT / "tools/widget-words"))
    spec = importlib.util.spec_from_loader("widget_words", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_script_and_style_together_stay_small():
    assert len(gzip.compress(WIDGET.read_bytes(), 9)) <= MOST_BYTES


def test_its_words_are_the_reviewed_ones(copier):
    carried = copier.MARKED.search(WIDGET.read_text())
    assert carried is not None
    assert json.loads(carried[0]) == copier.words()


@pytest.mark.parametrize(
    "forbidden",
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"],
)
def test_it_never_writes_html_or_code(forbidden):
    assert forbidden not in WIDGET.read_text()
