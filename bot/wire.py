"""Questions and answers between processes of one machine, over a Unix socket.

A question is one line, and so is its answer; a connection carries one after the other, and
many are open for many at once. It is what gateway and brain need of HTTP, at a tenth of
its cost: a turn pays for it on both sides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

_LONGEST_LINE = 16 * 1024 * 1024  # bytes; a long conversation's row takes some 100 kB


class NobodyThere(Exception):
    """Nobody listens on the socket: the question has not reached anybody."""


class HungUp(Exception):
    """The connection ended before the answer came: the question may have been read or not."""


class Asker:
    """The side that asks.

    Args:
        socket: path of the Unix socket; it need not exist yet.
    """

    def __init__(self, socket: Path):
        self._socket = socket
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, question: bytes) -> bytes:
        """The answer to one line, without its end.

        Who stops waiting ends the connection; the other side is not told otherwise.

        Raises:
            NobodyThere, HungUp: see there.
            ValueError: the answer is longer than any of ours.
        """
        reader, writer = await self._connection()
        whole = False
        try:
            writer.write(question + b"\n")
            answer = await reader.readline()
            whole = answer.endswith(b"\n")
        except OSError as error:
            raise HungUp(type(error).__name__) from None
        finally:
            if whole:
                self._idle.append((reader, writer))
            else:
                writer.close()
        if not whole:
            raise HungUp("no answer")
        return answer[:-1]

    def close(self) -> None:
        """End the connections."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        try:
            return await asyncio.open_unix_connection(str(self._socket), limit=_LONGEST_LINE)
        except OSError as error:
            raise NobodyThere(type(error).__name__) from None


async def serve(
    socket: Path, answer: Callable[[bytes], Awaitable[bytes]], stop: asyncio.Event
) -> None:
    """Answer what is asked until `stop` is set, and then what was asked before.

    Args:
        socket: path of the Unix socket; what lies there is replaced.
        answer: gives the answer to a line, without its end; does not raise.
    """
    busy: set[asyncio.Task[None]] = set()
    idle: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        if me is None:
            raise AssertionError("a connection is a task of its own")
        idle.add(me)
        try:
            while not stop.is_set() and (line := await reader.readline()):
                idle.discard(me)
                busy.add(me)
                writer.write(await answer(line[:-1]) + b"\n")
                await writer.drain()
                busy.discard(me)
                idle.add(me)
        except (OSError, ValueError):
            pass  # who asked has hung up, or it was no question of ours
        finally:
            idle.discard(me)
            busy.discard(me)
            writer.close()

    socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(talk, str(socket), limit=_LONGEST_LINE)
    await stop.wait()
    server.close()
    for each in idle:
        each.cancel()
    await asyncio.gather(*busy, *idle, return_exceptions=True)
