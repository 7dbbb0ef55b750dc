"""The brain in its own process, spoken to over its Unix socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from bot.gateway.brain import BrainError, BrainGoneError, BrainLostError
from bot.turns import ARE_YOU_READY, TurnReply, TurnRequest, reply_from_json, to_json
from bot.vocabulary import CONSULTATION, HANDOFFS, LANGUAGES, LEVELS, TIERS
from bot.wire import Asker, HungUp, NobodyThere

_READY_SECONDS = 1.0


class SocketBrain:
    """Asks `python -m bot.brain`.

    Args:
        socket: path of the Unix socket; it need not exist yet.
    """

    def __init__(self, socket: Path):
        self._asker = Asker(socket)

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The brain's answer.

        Raises:
            BrainGoneError: nobody listens on the socket.
            BrainLostError: the connection broke before the answer came.
            BrainError: the brain could not answer, or the answer is garbled.
        """
        return _reply(await self._ask(to_json(request)))

    async def ready(self) -> bool:
        """Whether the brain says that it is ready, within a second."""
        try:
            answer = await asyncio.wait_for(self._ask(ARE_YOU_READY), _READY_SECONDS)
        except (BrainError, asyncio.TimeoutError):
            return False
        return answer == {}

    async def close(self) -> None:
        """Close the connections."""
        self._asker.close()

    async def _ask(self, question: bytes) -> Any:
        try:
            answer = json.loads(await self._asker.ask(question))
        except NobodyThere as error:
            raise BrainGoneError(str(error)) from None
        except HungUp as error:
            raise BrainLostError(str(error)) from None
        except ValueError as error:
            raise BrainError(f"garbled reply: {type(error).__name__}") from None
        if isinstance(answer, dict) and "error" in answer:
            raise BrainError(f"the brain failed: {answer['error']}")
        return answer


def _reply(plain: Any) -> TurnReply:
    try:
        reply = reply_from_json(plain)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrainError(f"garbled reply: {type(error).__name__}") from None
    flaw = _flaw(reply)
    if flaw:
        raise BrainError(f"garbled reply: {flaw}")
    return reply


def _flaw(reply: TurnReply) -> str | None:
    """What a well-formed JSON reply still gets wrong, or None."""
    if not reply.messages:
        return "no messages"
    for message in reply.messages:
        if not isinstance(message.text, str) or not message.text.strip():
            return "a message without text"
        if not isinstance(message.response, str) or not message.response:
            return "a message without a response name"
        for button in message.buttons:
            if not isinstance(button.label, str) or not isinstance(button.intent, str):
                return "a button without label or intent"
    row = reply.row
    if row is not None and (type(row.seq) is not int or row.seq < 1 or type(row.events) is not str):
        return "a row that cannot be kept"
    state = reply.state
    if (
        state.tier not in TIERS
        or state.handoff not in HANDOFFS
        or state.language not in LANGUAGES
        or (state.level is not None and state.level not in (*LEVELS, CONSULTATION))
    ):
        return "unknown names in the state"
    return None
