"""Several brains behind one door: every conversation has its brain, and another one in need.

A brain keeps nothing of a conversation that is not in the database, so any of them can
take any turn. Only a few turns are with a brain at once; the others wait here, danger
first, where they can still go to another brain.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from bot.gateway.brain import Brain, BrainError, BrainGoneError, BrainLostError
from bot.turns import TurnReply, TurnRequest

# One works while the others wait for the database; more would only make all of them late.
TURNS_AT_ONCE = 4
# A turn takes some 20 ms. Short enough for another brain to answer within the 3 seconds.
STUCK_SECONDS = 2.0
# A message that a brain dies of must not take all of them along.
MOST_LOSSES = 2
_LOOK_SECONDS = 1.0  # between looks at whether a stuck brain answers again

log = structlog.get_logger("handrail.gateway")


class Brains:
    """Spreads conversations over brains; a `Brain` itself.

    Args:
        members: brains by the name that logs and the health page give them; at least one.
    """

    def __init__(self, members: Mapping[str, Brain]):
        self._lines = [_Line(name, brain) for name, brain in members.items()]
        self._looking: set[asyncio.Task[None]] = set()

    async def turn(self, request: TurnRequest) -> TurnReply:
        """The answer of the conversation's brain, or of the next one that can give it.

        Raises:
            BrainError: none can, or the one that was asked gave an unusable answer.
        """
        without: set[_Line] = set()  # brains that are not there
        losses = 0
        while True:
            line = self._line_of(request.conversation, without)
            try:
                async with line.place(request.urgent):
                    return await self._ask(line, request)
            except _StuckError:
                reason = "stuck"
            except BrainGoneError as gone:
                reason = str(gone)
                without.add(line)
                if len(without) == len(self._lines):
                    raise
            except BrainLostError as lost:
                reason = str(lost)
                losses += 1
                if losses == MOST_LOSSES:
                    raise
                if len(without) + 1 < len(self._lines):
                    without.add(line)
            log.warning(
                "asking again", conversation=request.conversation, brain=line.name, reason=reason
            )

    async def ready(self) -> bool:
        """Whether one of them would answer a turn now."""
        return any((await self.states()).values())

    async def states(self) -> dict[str, bool]:
        """Whether each of them would answer a turn now, by name."""
        answers = await asyncio.gather(*(line.brain.ready() for line in self._lines))
        return dict(zip((line.name for line in self._lines), answers, strict=True))

    async def close(self) -> None:
        """Nothing is asked any more."""
        for looking in self._looking:
            looking.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        await asyncio.gather(*(line.brain.close() for line in self._lines))

    def _line_of(self, conversation: str, without: set[_Line]) -> _Line:
        # Rendezvous hashing: each brain draws a number for the conversation, the highest
        # has it. When a brain is gone only its own conversations move, and each to a brain
        # drawn anew; when it is back they return. All gateways draw alike.
        def drawn(line: _Line) -> tuple[bool, bytes]:
            number = hashlib.blake2b(f"{line.name} {conversation}".encode()).digest()
            return not line.stuck, number

        return max((line for line in self._lines if line not in without), key=drawn)

    async def _ask(self, line: _Line, request: TurnRequest) -> TurnReply:
        asking = asyncio.ensure_future(line.brain.turn(request))
        try:
            await asyncio.wait({asking}, timeout=STUCK_SECONDS)
            if not asking.done():
                self._is_stuck(line)
                if not all(other.stuck for other in self._lines):
                    raise _StuckError
            return await asking
        finally:
            # The brain sees that nobody waits, and stores nothing of the turn.
            asking.cancel()
            await asyncio.wait({asking})

    def _is_stuck(self, line: _Line) -> None:
        if line.stuck:
            return
        log.error("brain is stuck", brain=line.name)
        line.stop()
        looking = asyncio.create_task(self._look_at(line))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    async def _look_at(self, line: _Line) -> None:
        while not await line.brain.ready():
            await asyncio.sleep(_LOOK_SECONDS)
        line.stuck = False
        log.info("brain answers again", brain=line.name)


class _StuckError(BrainError):
    """This brain has not answered for so long that another one is asked."""


class _Line:
    """A brain, the few turns that are with it, and those that wait for it."""

    def __init__(self, name: str, brain: Brain):
        self.name = name
        self.brain = brain
        self.stuck = False
        self._free = TURNS_AT_ONCE
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []  # a heap
        self._numbers = itertools.count()

    @asynccontextmanager
    async def place(self, urgent: bool) -> AsyncIterator[None]:
        """While inside, a turn may be with the brain; raises _StuckError while waiting."""
        if self._free:
            self._free -= 1
        else:
            reached = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (not urgent, next(self._numbers), reached))
            try:
                await reached
            except asyncio.CancelledError:
                if reached.done() and not reached.cancelled() and not reached.exception():
                    self._leave()  # reached in the moment of giving up
                raise
        try:
            yield
        finally:
            self._leave()

    def stop(self) -> None:
        """The brain is stuck: who waits for it should look for another one."""
        self.stuck = True
        for _, _, reached in self._waiting:
            if not reached.done():
                reached.set_exception(_StuckError())
        self._waiting.clear()

    def _leave(self) -> None:
        while self._waiting:
            _, _, reached = heapq.heappop(self._waiting)
            if not reached.done():
                reached.set_result(None)
                return
        self._free += 1
