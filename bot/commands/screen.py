"""`handrail screen`: the safety screen over JSON lines of texts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bot.commands.jsonlines import answer_lines, text_of
from bot.nlu.sentence_encoder import encode
from bot.safety.screen import Screen, load_screen
from bot.settings import Settings


def screen(settings: Settings) -> int:
    """Answer stdin on stdout."""
    loaded = load_screen(classifier_path=settings.safety_model, encode=encode)
    answer_lines(lambda given: read(loaded, given), sys.stdin, sys.stdout)
    return 0


def read(loaded: Screen, given: Mapping[str, Any]) -> dict[str, Any]:
    """The screen's reading of `given["text"]`."""
    reading = loaded.read(text_of(given))
    return {
        "tier": reading.tier,
        "categories": list(reading.categories),
        "evidence": [
            {"start": part.start, "end": part.end, "rule": part.rule} for part in reading.evidence
        ],
    }
