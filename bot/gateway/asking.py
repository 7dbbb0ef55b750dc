"""Asking the brain: what it is told of a message, and how long its answer is waited for.

Danger never waits beyond its deadline. A calm message is patient while the brain keeps
answering others, and while no danger waits behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator

from bot.gateway.brain import Brain, BrainError
from bot.gateway.events import Watch
from bot.gateway.in_flight import InFlight
from bot.gateway.incoming import BRAIN_CHARACTERS, for_brain
from bot.safety.reading import Reading
from bot.store.records import Conversation
from bot.turns import TurnReply, TurnRequest

# Two cores answer some 60 turns a second; whoever came after so many would not be
# answered in time, and is told so at once by ourselves.
MOST_ASKING = 300
_LOOK_SECONDS = 0.1  # between looks whether it should still be patient
_STANDSTILL_SECONDS = 1.0  # without any answer of the brain; then nobody waits on


class Asking:
    """Asks the brain on behalf of messages.

    Args:
        brain: answers the turns.
        watch: tells who looks on that an answer is being thought of.
        encoded: see `bot.gateway.turn.Turns`.
    """

    def __init__(self, brain: Brain, watch: Watch, encoded: Callable[[str], str | None]):
        self._brain = brain
        self._watch = watch
        self._encoded = encoded
        self._asked = 0  # turns that are with the brain
        self._answered = -math.inf  # when the brain last answered anybody
        self._hurried: Counter[str] = Counter()  # conversations in which danger waits

    async def ask(self, turn: InFlight) -> None:
        """The brain's answer, unless there is nothing to ask or no time left.

        It is `turn.reply` afterwards, or `turn.trouble` says why there is none.
        """
        if turn.memory is None or not turn.text or turn.answers_nothing or turn.trouble:
            return
        if self._asked >= MOST_ASKING:
            turn.trouble = "too many at once"
            return
        request = self._request(turn, turn.memory.conversation, turn.memory.newest)
        self._asked += 1
        try:
            with self._watch.typing(turn.conversation):
                turn.reply = await self._reply(request, turn)
        except asyncio.TimeoutError:
            turn.trouble = "too slow"
        except BrainError as error:
            turn.trouble = str(error)
        finally:
            self._asked -= 1

    @contextlib.contextmanager
    def hurrying(self, turn: InFlight) -> Iterator[None]:
        """While danger waits behind earlier messages of its conversation, they are not patient."""
        if not turn.urgent:
            yield
            return
        self._hurried[turn.conversation] += 1
        try:
            yield
        finally:
            self._hurried[turn.conversation] -= 1
            if not self._hurried[turn.conversation]:
                del self._hurried[turn.conversation]

    def _request(
        self, turn: InFlight, conversation: Conversation, newest: str | None
    ) -> TurnRequest:
        read_of_all = _read_of_all(turn)
        return TurnRequest(
            conversation=conversation.id,
            message_id=turn.message_id,
            clinic=conversation.clinic,
            channel=conversation.channel,
            text=turn.pressed.label if turn.pressed else for_brain(turn.text),
            now=turn.now,
            pressed=turn.pressed,
            language=turn.chosen_language or conversation.chosen_language,
            known_phone=turn.known_phone,
            greeted=conversation.state.language,
            urgent=turn.urgent,
            reading=read_of_all,
            encoded=self._encoded(turn.text) if read_of_all else None,
            newest=newest,
        )

    async def _reply(self, request: TurnRequest, turn: InFlight) -> TurnReply:
        """The brain's answer; raises TimeoutError when it has been waited for long enough."""
        now = asyncio.get_running_loop().time
        hasty = request.urgent or turn.channel.one_by_one
        asked = now()
        asking = asyncio.ensure_future(self._brain.turn(request))
        try:
            await asyncio.wait({asking}, timeout=turn.seconds_left())
            while not asking.done():
                moves_until = max(asked, self._answered) + _STANDSTILL_SECONDS
                left = min(turn.patient_until, moves_until) - now()
                if left <= 0 or hasty or turn.conversation in self._hurried:
                    raise asyncio.TimeoutError
                await asyncio.wait({asking}, timeout=min(left, _LOOK_SECONDS))
            reply = asking.result()
            self._answered = now()
            return reply
        finally:
            asking.cancel()
            await asyncio.wait({asking})


def _read_of_all(turn: InFlight) -> Reading | None:
    """What the screen read of the very text that the brain gets; None if that is another."""
    same = turn.pressed is None and len(turn.text) <= BRAIN_CHARACTERS
    return turn.reading if same and not turn.reading.failed else None
