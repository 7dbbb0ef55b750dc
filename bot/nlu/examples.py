"""The training examples of data/nlu, read without Rasa."""

from __future__ import annotations

from pathlib import Path

from bot.reviewed import Document
from bot.settings import ROOT

EXAMPLES = ROOT / "data" / "nlu"


def intent_by_example(folder: Path = EXAMPLES) -> dict[str, str]:
    """The intent of each example in the YAML files of `folder`; `DataError` if one is no YAML."""
    return {
        line.removeprefix("- "): block["intent"]
        for path in sorted(folder.glob("*.yml"))
        for block in Document(path).data["nlu"]
        for line in block["examples"].splitlines()
    }
