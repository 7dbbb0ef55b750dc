"""The brain as the gateway sees it: something that answers a turn, or cannot."""

from __future__ import annotations

from typing import Protocol

from bot.turns import TurnReply, TurnRequest


class BrainError(Exception):
    """The brain gave no usable answer; the message says why, without visitors' words."""


class BrainGoneError(BrainError):
    """There is no process to ask: the turn has not reached anybody."""


class BrainLostError(BrainError):
    """The process, or the connection to it, ended before the answer came.

    The turn may have been stored or not. Asking again is safe, the same brain or another:
    a message that is in the dialogue gets the answer it got (`bot.brain.brain.Brain.turn`).
    """


class Brain(Protocol):
    """Answers turns: over a Unix socket (`SocketBrain`) or in the same process."""

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The answer to one message; raises BrainError. May be cancelled when too slow."""
        ...

    async def ready(self) -> bool:
        """Whether it would answer a turn now; never raises."""
        ...

    async def close(self) -> None:
        """Let go of what is held open; nothing is asked any more."""
        ...
