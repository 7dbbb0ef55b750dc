"""What happens in a conversation while somebody looks on: server-sent events.

A stream keeps a place in the transcript and nothing else: being woken it reads what has
been written since, so a reconnect loses nothing and doubles nothing, and a slow reader
costs no memory. Turns of this process wake it at once, and so does what other gateways tell;
what else somebody has written is found by one look at the database for all streams.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar, cast

import anyio
import sqlalchemy as sa
import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent

from bot.gateway.neighbours import Alone, Neighbours
from bot.gateway.refused import NO_SUCH_CONVERSATION, Refused
from bot.store import Conversations, Messages, StoreError, reading
from bot.store.records import Conversation, StoredMessage

PER_CONVERSATION = 6  # streams; a browser allows so many connections to one host
PER_ADDRESS = 100  # a clinic or a campus may share one address
IN_ALL = 1000
LOOK_SECONDS = 2.0  # between looks at the database
LONGEST_SECONDS = 900.0  # then the stream ends, and the browser asks again
_PING_SECONDS = 15
_STOP_SECONDS = 1.0  # for a stream to end when the server stops
_SEND_SECONDS = 30.0  # for a reader to take one event
_BATCH = 50  # messages read at once
_RETRY_MILLISECONDS = 2000  # the browser's pause before it asks again

log = structlog.get_logger("handrail.gateway")
Result = TypeVar("Result")
Read = Callable[[str, int, Callable[[Conversation], bool]], list[StoredMessage]]


@dataclasses.dataclass(eq=False)
class Listener:
    """One open stream: `seen` is the number of the last message that it was given."""

    conversation: str
    address: str
    seen: int
    wake: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    news: bool = True  # whether the transcript is worth reading
    stopping: bool = False

    def set(self) -> None:
        """Called by the response when the server stops: the stream ends by itself."""
        self.stopping = True
        self.wake.set()


class Watch:
    """Who looks on at which conversation, and which turns are with the brain.

    It belongs to one event loop and holds nothing of a conversation but its id.

    Args:
        neighbours: other gateways, who look on too; none by default.
    """

    def __init__(self, neighbours: Neighbours | None = None) -> None:
        self.neighbours = neighbours or Alone()
        self._listeners: dict[str, set[Listener]] = {}
        self._addresses: Counter[str] = Counter()
        self._typing: Counter[str] = Counter()

    def news(self, conversation: str) -> None:
        """Something was written in `conversation`, or it has ended."""
        self.heard(conversation)
        self.neighbours.tell(conversation)

    def heard(self, conversation: str) -> None:
        """Another gateway has news of `conversation`."""
        for listener in self._listeners.get(conversation, ()):
            listener.news = True
            listener.wake.set()

    @contextmanager
    def typing(self, conversation: str) -> Iterator[None]:
        """While inside, an answer is being thought of."""
        self._typing[conversation] += 1
        for listener in self._listeners.get(conversation, ()):
            listener.wake.set()
        try:
            yield
        finally:
            self._typing[conversation] -= 1
            if not self._typing[conversation]:
                del self._typing[conversation]

    def is_typing(self, conversation: str) -> bool:
        """Whether a turn of `conversation` is with the brain."""
        return conversation in self._typing

    def make_room(self, conversation: str, address: str) -> None:
        """Raises Refused if no further stream may be opened; reading by GET still works."""
        if self.count >= IN_ALL:
            raise Refused(503, "too many streams are open; ask by GET", retry_after=30)
        if (
            len(self._listeners.get(conversation, ())) >= PER_CONVERSATION
            or self._addresses[address] >= PER_ADDRESS
        ):
            raise Refused(429, "too many streams are open here; ask by GET", retry_after=30)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """While inside, `listener` is woken."""
        conversation, address = listener.conversation, listener.address
        self._listeners.setdefault(conversation, set()).add(listener)
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            here = self._listeners[conversation]
            here.discard(listener)
            if not here:
                del self._listeners[conversation]

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._addresses.total()

    @property
    def conversations(self) -> list[str]:
        """The conversations that somebody looks on at."""
        return list(self._listeners)

    def compare(self, newest: dict[str, int]) -> None:
        """Wake whoever has not seen the newest message, or whose conversation is gone."""
        for conversation, listeners in self._listeners.items():
            for listener in listeners:
                if newest.get(conversation) != listener.seen:
                    listener.news = True
                    listener.wake.set()


class Streams:
    """Opens streams on the conversations of one store.

    Args:
        engine: the store.
        watch: tells what this process does itself.
        shown: a stored message as the API gives it.
    """

    def __init__(
        self,
        engine: sa.engine.Engine,
        watch: Watch,
        shown: Callable[[StoredMessage], dict[str, Any]],
    ):
        self._engine = engine
        self._watch = watch
        self._shown = shown
        # Threads of their own: many readers must not keep a message waiting.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="streams")

    async def open(
        self,
        conversation: str,
        *,
        after: int,
        allowed: Callable[[Conversation], bool],
        address: str,
    ) -> EventSourceResponse:
        """The events of `conversation` after message number `after`.

        Args:
            allowed: whether the caller may read the conversation.
            address: counts for the limit of streams, see `bot.gateway.limits`.

        Raises:
            Refused: no such conversation, not the caller's, or too many streams.
            StoreError: the store cannot be read.
        """
        self._watch.make_room(conversation, address)
        await self._in_thread(self._read, conversation, after, allowed)
        listener = Listener(conversation, address, after)
        return EventSourceResponse(
            self._follow(listener, allowed),
            ping=_PING_SECONDS,
            ping_message_factory=lambda: ServerSentEvent(comment="ping", sep="\n"),
            sep="\n",
            send_timeout=_SEND_SECONDS,
            shutdown_event=cast(anyio.Event, listener),
            shutdown_grace_period=_STOP_SECONDS,
        )

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """While inside, the database is looked at now and then, and others are listened to."""
        now = asyncio.Event()
        look = asyncio.create_task(self._look_again_and_again(now))
        listen = asyncio.create_task(
            self._watch.neighbours.listen(heard=self._watch.heard, missed=now.set)
        )
        try:
            yield
        finally:
            look.cancel()
            listen.cancel()
            await asyncio.gather(look, listen, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def look(self) -> None:
        """Wake the streams for which the database has something new."""
        conversations = self._watch.conversations
        if conversations:
            self._watch.compare(await self._in_thread(self._newest, conversations))

    async def _look_again_and_again(self, now: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(now.wait(), LOOK_SECONDS)
            now.clear()
            try:
                await self.look()
            except StoreError as error:
                log.error("streams cannot look for news", reason=str(error))

    async def _follow(
        self, listener: Listener, allowed: Callable[[Conversation], bool]
    ) -> AsyncIterator[ServerSentEvent]:
        conversation = listener.conversation
        ends = asyncio.get_running_loop().time() + LONGEST_SECONDS
        yield ServerSentEvent(comment="open", retry=_RETRY_MILLISECONDS, sep="\n")
        try:
            self._watch.make_room(conversation, listener.address)
        except Refused:
            return  # others have come in between; the browser asks again
        with self._watch.listening(listener):
            told_typing = False
            while not listener.stopping:
                listener.wake.clear()
                while listener.news:
                    listener.news = False
                    try:
                        batch = await self._in_thread(
                            self._read, conversation, listener.seen, allowed
                        )
                    except Refused:
                        yield ServerSentEvent("{}", event="ended", sep="\n")
                        return
                    except StoreError:
                        return  # the browser asks again and gets the reason
                    for message in batch:
                        # Before the event goes out: being given it is having seen it.
                        listener.seen = message.seq
                        yield _event(message.seq, self._shown(message))
                        told_typing = False
                    listener.news = listener.news or len(batch) == _BATCH
                if not self._watch.is_typing(conversation):
                    told_typing = False
                elif not told_typing:
                    told_typing = True
                    yield ServerSentEvent("{}", event="typing", sep="\n")
                left = ends - asyncio.get_running_loop().time()
                try:
                    await asyncio.wait_for(listener.wake.wait(), max(0.0, left))
                except asyncio.TimeoutError:
                    return

    def _read(
        self, conversation: str, after: int, allowed: Callable[[Conversation], bool]
    ) -> list[StoredMessage]:
        return read_transcript(self._engine, conversation, after, allowed, most=_BATCH)

    def _newest(self, conversations: list[str]) -> dict[str, int]:
        with reading(self._engine) as db:
            return Messages(db).newest(conversations)

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *arguments))


def read_transcript(
    engine: sa.engine.Engine,
    conversation: str,
    after: int,
    allowed: Callable[[Conversation], bool],
    most: int | None = None,
) -> list[StoredMessage]:
    """The messages after number `after`, both directions, at most `most`.

    Raises:
        Refused: no such conversation, or not the caller's.
        StoreError: the store cannot be read.
    """
    with reading(engine) as db:
        found = Conversations(db).find(conversation)
        if found is None or not allowed(found):
            raise Refused(404, NO_SUCH_CONVERSATION)
        return Messages(db).after(conversation, after, most)


def _event(seq: int, message: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(
        json.dumps(message, ensure_ascii=False), event="message", id=str(seq), sep="\n"
    )
