"""One turn at a time in a conversation, in order of arrival; on all gateways together."""

from __future__ import annotations

import asyncio
from types import TracebackType

from bot.gateway.neighbours import Alone, Neighbours


class Order:
    """Queues, one per conversation, that exist only while somebody is in them.

    Args:
        neighbours: other gateways, which have queues of their own; none by default.
    """

    def __init__(self, neighbours: Neighbours | None = None) -> None:
        self._neighbours = neighbours or Alone()
        self._last: dict[str, asyncio.Future[None]] = {}

    def join(self, conversation: str) -> Place:
        """Take the next place now, before anything is awaited.

        Use it as `async with order.join(id) as place`, and `await place.reached()`
        where the turns before must be over. Leaving the block lets the next one go on.
        """
        return Place(self._last, conversation, self._neighbours)


class Place:
    """A place in the queue of one conversation; see `Order.join`."""

    def __init__(
        self,
        last: dict[str, asyncio.Future[None]],
        conversation: str,
        neighbours: Neighbours,
    ):
        self._neighbours = neighbours
        self._held = False
        self._last = last
        self._conversation = conversation
        self._before = last.get(conversation)
        self._left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        last[conversation] = self._left

    async def reached(self, seconds: float = 0.0) -> bool:
        """Wait until everybody who came before has left.

        Args:
            seconds: how long to wait for another gateway that has the conversation.

        Returns:
            False if another gateway still has it.

        Raises:
            StoreError: nobody can say whether another gateway has it.
        """
        if self._before is not None:
            await asyncio.shield(self._before)
        self._held = await self._neighbours.hold(self._conversation, seconds)
        return self._held

    async def __aenter__(self) -> Place:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Who leaves without having been reached must not let others overtake.
        if self._before is not None and not self._before.done():
            self._before.add_done_callback(lambda _: self._leave())
        else:
            self._leave()

    def _leave(self) -> None:
        if self._held:
            self._neighbours.release(self._conversation)
        self._left.set_result(None)
        if self._last.get(self._conversation) is self._left:
            del self._last[self._conversation]
