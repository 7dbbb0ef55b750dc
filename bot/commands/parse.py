"""`handrail parse`: what the dialogue would act on, over JSON lines of texts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from bot.brain.brain import Brain
from bot.commands.jsonlines import answer_lines, text_of

_BEST = 3


def parse(brain: Brain) -> int:
    """Answer stdin on stdout."""
    loop = asyncio.new_event_loop()
    try:
        answer_lines(
            lambda given: loop.run_until_complete(read(brain, text_of(given))),
            sys.stdin,
            sys.stdout,
        )
    finally:
        loop.close()
    return 0


async def read(brain: Brain, text: str) -> Mapping[str, Any]:
    """Intent (after safety and fallback), its confidence, the three best, entities."""
    parsed = await brain.parse(text)
    return {
        "intent": parsed["intent"]["name"],
        "confidence": parsed["intent"]["confidence"],
        "ranking": [
            {"intent": guess["name"], "confidence": guess["confidence"]}
            for guess in parsed.get("intent_ranking", [])[:_BEST]
        ],
        "entities": parsed.get("entities", []),
    }
