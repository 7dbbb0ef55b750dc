"""Several gateways on one PostgreSQL: who has a conversation, and what is new in it.

A conversation is held by an advisory lock of the session, and news are told by NOTIFY.
Both go over one connection beside the pool, whatever the number of turns: the lock of a
turn must not keep a pooled connection busy while the brain thinks. A second connection
listens. When a gateway ends, however it ends, its session ends and with it its locks.

Nothing rests on this alone. A database that restarts forgets the locks; two turns of a
conversation may then run at once, and the numbers of messages and events decide who was
first (`Conflict`). News that are not told are found by the look of `bot.gateway.events`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import psycopg2
import sqlalchemy as sa
import structlog

from bot.store import StoreError
from bot.store.engine import own_connection
from bot.store.errors import translated

_CHANNEL = "handrail_news"
_LEAST_SECONDS = 0.5  # for the database to say who has a conversation
_FIRST_PAUSE = 0.01  # seconds between tries for a conversation that another gateway has
_LONGEST_PAUSE = 0.1
_RETRY_SECONDS = 1.0  # before listening is tried again

log = structlog.get_logger("handrail.gateway")
Result = TypeVar("Result")


class Neighbours(Protocol):
    """The other gateways on the same database."""

    async def hold(self, conversation: str, seconds: float) -> bool:
        """Wait until no other gateway has `conversation`; False if that took too long.

        Raises StoreError. Who gets True calls `release`.
        """
        ...

    def release(self, conversation: str) -> None:
        """Let the others have `conversation` again."""
        ...

    def tell(self, conversation: str) -> None:
        """Let the others know that something is new in `conversation`."""
        ...

    async def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Listen until cancelled.

        Args:
            heard: called with a conversation in which something is new.
            missed: called when news may have gone unheard.
        """
        ...

    def close(self) -> None:
        """Let everything go."""
        ...


def neighbours_on(engine: sa.engine.Engine) -> Neighbours:
    """Who else may be on this database: on SQLite nobody, the data folder is locked."""
    return OnPostgres(engine) if engine.dialect.name == "postgresql" else Alone()


class Alone:
    """No other gateway."""

    async def hold(self, conversation: str, seconds: float) -> bool:
        """Always at once."""
        return True

    def release(self, conversation: str) -> None:
        """Nobody waits."""

    def tell(self, conversation: str) -> None:
        """Nobody listens."""

    async def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Nobody tells."""

    def close(self) -> None:
        """Nothing is held."""


class OnPostgres:
    """Other gateways on the same PostgreSQL."""

    def __init__(self, engine: sa.engine.Engine):
        self._engine = engine
        self._name = secrets.token_hex(8)  # to know our own news by
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="neighbours")
        self._connection: sa.engine.Connection | None = None

    async def hold(self, conversation: str, seconds: float) -> bool:
        """See `Neighbours.hold`."""

        async def hold() -> None:
            pause = _FIRST_PAUSE
            while not await self._try(conversation):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

        try:
            await asyncio.wait_for(hold(), max(seconds, _LEAST_SECONDS))
        except asyncio.TimeoutError:
            return False
        return True

    def release(self, conversation: str) -> None:
        """See `Neighbours.release`."""
        self._later(sa.func.pg_advisory_unlock(_key(conversation)))

    def tell(self, conversation: str) -> None:
        """See `Neighbours.tell`."""
        # By itself, after the commit: in the transaction it would let commits wait in line.
        self._later(sa.func.pg_notify(_CHANNEL, f"{self._name} {conversation}"))

    async def listen(self, heard: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See `Neighbours.listen`."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await asyncio.to_thread(own_connection, self._engine)
                self._run(connection, sa.text(f"LISTEN {_CHANNEL}"))
            except StoreError as error:
                log.error("news of other gateways are not heard", reason=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            missed()
            driver: Any = connection.connection.dbapi_connection
            number, ended = driver.fileno(), loop.create_future()
            loop.add_reader(number, self._hear, driver, heard, ended)
            try:
                await ended
            finally:
                loop.remove_reader(number)
                _close(connection)

    def close(self) -> None:
        """See `Neighbours.close`."""
        self._thread.shutdown(cancel_futures=True)
        if self._connection is not None:
            _close(self._connection)

    async def _try(self, conversation: str) -> bool:
        asked = self._thread.submit(self._ask, sa.func.pg_try_advisory_lock(_key(conversation)))
        try:
            return bool(await asyncio.shield(asyncio.wrap_future(asked)))
        except asyncio.CancelledError:
            # Nobody would let go of what is got from now on.
            asked.add_done_callback(
                lambda done: (
                    self.release(conversation)
                    if not done.cancelled() and done.exception() is None and done.result()
                    else None
                )
            )
            raise

    def _later(self, call: Any) -> None:
        def run() -> None:
            try:
                self._ask(call)
            except StoreError as error:
                log.error("other gateways cannot be told", reason=str(error))

        with contextlib.suppress(RuntimeError):  # closed: the session's end lets all go
            self._thread.submit(run)

    def _ask(self, call: Any) -> Any:
        """In the thread: the value of an SQL function on the one connection."""
        if self._connection is None:
            self._connection = own_connection(self._engine)
        try:
            return self._run(self._connection, sa.select(call)).scalar()
        except StoreError:
            _close(self._connection)
            self._connection = None
            raise

    def _run(self, connection: sa.engine.Connection, statement: Any) -> Any:
        with translated(self._engine.url):
            return connection.execute(statement)

    def _hear(self, driver: Any, heard: Callable[[str], None], ended: asyncio.Future[None]) -> None:
        try:
            driver.poll()
        except psycopg2.Error:
            if not ended.done():
                ended.set_result(None)
            return
        while driver.notifies:
            name, _, conversation = driver.notifies.pop(0).payload.partition(" ")
            if name != self._name:
                heard(conversation)


def _key(conversation: str) -> int:
    """The number of the lock, 64 bits."""
    digest = hashlib.blake2b(conversation.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _close(connection: sa.engine.Connection) -> None:
    with contextlib.suppress(sa.exc.DBAPIError, psycopg2.Error):  # it is gone already
        connection.close()
