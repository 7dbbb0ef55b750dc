"""The brain in its own process, spoken to over its Unix socket."""

from __future__ import annotations

from pathlib import Path

import httpx

from bot.gateway.brain import BrainError, BrainGoneError, BrainLostError
from bot.turns import TurnReply, TurnRequest, reply_from_json, to_json
from bot.vocabulary import CONSULTATION, HANDOFFS, LANGUAGES, LEVELS, TIERS

_READY_SECONDS = 1.0
_LONGEST_SECONDS = 30.0  # the caller's own deadline ends a turn much earlier


class SocketBrain:
    """Talks HTTP to `python -m bot.brain`.

    Args:
        socket: path of the Unix socket; it need not exist yet.
    """

    def __init__(self, socket: Path):
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://brain",
            timeout=_LONGEST_SECONDS,
        )

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The brain's answer.

        Raises:
            BrainGoneError: nobody listens on the socket.
            BrainLostError: the connection broke before the answer came.
            BrainError: the brain could not answer, was too slow, or the answer is garbled.
        """
        try:
            response = await self._client.post("/turn", json=to_json(request))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BrainGoneError(type(error).__name__) from None
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise BrainLostError(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise BrainError(type(error).__name__) from None
        if response.status_code != 200:
            raise BrainError(f"status {response.status_code}")
        try:
            reply = reply_from_json(response.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BrainError(f"garbled reply: {type(error).__name__}") from None
        flaw = _flaw(reply)
        if flaw:
            raise BrainError(f"garbled reply: {flaw}")
        return reply

    async def ready(self) -> bool:
        """Whether the brain says that it is ready, within a second."""
        try:
            response = await self._client.get("/readyz", timeout=_READY_SECONDS)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


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
    state = reply.state
    if (
        state.tier not in TIERS
        or state.handoff not in HANDOFFS
        or state.language not in LANGUAGES
        or (state.level is not None and state.level not in (*LEVELS, CONSULTATION))
    ):
        return "unknown names in the state"
    return None
