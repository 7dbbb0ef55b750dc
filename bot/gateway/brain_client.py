"""The brain in its own process, spoken to over its Unix socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from bot.gateway.brain import BrainError, BrainGoneError, BrainLostError
from bot.turns import TurnReply, TurnRequest, reply_from_json, to_json
from bot.vocabulary import CONSULTATION, HANDOFFS, LANGUAGES, LEVELS, TIERS

_READY_SECONDS = 1.0
_LONGEST_SECONDS = 30.0  # the caller's own deadline ends a turn much earlier
_IDLE_SECONDS = 4.0  # less than the brain's own five: who closes must not be who is asked


class SocketBrain:
    """Talks HTTP to `python -m bot.brain`.

    Args:
        socket: path of the Unix socket; it need not exist yet.
    """

    def __init__(self, socket: Path):
        self._socket = str(socket)
        self._opened: aiohttp.ClientSession | None = None

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The brain's answer.

        Raises:
            BrainGoneError: nobody listens on the socket.
            BrainLostError: the connection broke before the answer came.
            BrainError: the brain could not answer, was too slow, or the answer is garbled.
        """
        try:
            body = to_json(request)
            async with self._session.post("/turn", data=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise BrainError(f"status {response.status}")
                plain = json.loads(await response.read())
        except aiohttp.ClientConnectorError as error:
            raise BrainGoneError(type(error).__name__) from None
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise BrainLostError(type(error).__name__) from None
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise BrainError(type(error).__name__) from None
        except ValueError as error:
            raise BrainError(f"garbled reply: {type(error).__name__}") from None
        return _reply(plain)

    async def ready(self) -> bool:
        """Whether the brain says that it is ready, within a second."""
        limit = aiohttp.ClientTimeout(total=_READY_SECONDS)
        try:
            async with self._session.get("/readyz", timeout=limit) as response:
                return response.status == 200
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        # It belongs to the event loop, which does not run yet when this object is made.
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                "http://brain",
                connector=aiohttp.UnixConnector(self._socket, keepalive_timeout=_IDLE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=_LONGEST_SECONDS),
            )
        return self._opened


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
