"""What our own lines in the log say reaches the log."""

from __future__ import annotations

import ast

import pytest

from bot.logs import _without_words
from bot.settings import ROOT

LEVELS = {"debug", "info", "warning", "error"}


def fields() -> set[str]:
    """The names of all that the code logs."""
    calls = [
        node
        for folder in ("bot", "actions")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and ast.unparse(node.func.value).lstrip("_") == "log"
    ]
    return {each.arg for call in calls for each in call.keywords if each.arg}


@pytest.mark.parametrize("name", sorted(fields()))
def test_no_line_names_what_is_kept_out_of_the_log(name):
    assert name in _without_words(None, "info", {name: "an id"})
