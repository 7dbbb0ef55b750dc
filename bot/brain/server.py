"""The brain's door: what the gateway asks over the Unix socket, and what it is told."""

from __future__ import annotations

import json

import structlog

from bot.brain.brain import Brain
from bot.trouble import about
from bot.turns import ARE_YOU_READY, request_from_json, to_json

_log = structlog.get_logger("handrail.brain")


async def answer(brain: Brain, question: bytes) -> bytes:
    """The answer to one line: to a TurnRequest a TurnReply, to ARE_YOU_READY an empty object.

    What went wrong is told by its kind alone, in `error`.
    """
    conversation = None
    try:
        if question == ARE_YOU_READY:
            await brain.ready()
            return b"{}"
        asked = request_from_json(json.loads(question))
        conversation = asked.conversation
        return to_json(await brain.turn(asked))
    except Exception as error:
        # Whatever it is, Rasa's own mistakes too: the gateway answers in our place.
        _log.error("turn_failed", conversation=conversation, **about(error))
        return json.dumps({"error": type(error).__name__}).encode()
