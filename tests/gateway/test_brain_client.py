"""The brain over its Unix socket: every way in which it can fail to answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.gateway.brain import BrainError, BrainGoneError, BrainLostError
from bot.gateway.brain_client import SocketBrain
from bot.safety.reading import Evidence, Reading
from bot.turns import (
    BotMessage,
    Button,
    DialogueRow,
    TurnReply,
    TurnRequest,
    TurnState,
    request_from_json,
    to_json,
)
from tests.gateway.conftest import CLINIC, OPEN

REQUEST = TurnRequest(
    conversation=f"{CLINIC}.1",
    message_id="m1",
    clinic=CLINIC,
    channel="web",
    text="hello",
    now=OPEN,
    pressed=Button("Yes", "affirm", {"item": "consent", "value": "yes"}),
    language="es",
    reading=Reading("concern", ("grief",), (Evidence(0, 5, "a.rule"),)),
    encoded="AAAA",
)
REPLY = TurnReply(
    [BotMessage("Hello.", "greet", [Button("Yes", "affirm", {"a": "b"})])],
    TurnState(level="iop", handoff="phone", language="es"),
    DialogueRow(3, "key.abc", in_place_of_all=True),
)
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(socket: Path, handler: Handler) -> AsyncIterator[SocketBrain]:
    server = await asyncio.start_unix_server(handler, str(socket))
    brain = SocketBrain(socket)
    try:
        yield brain
    finally:
        await brain.close()
        server.close()
        await server.wait_closed()


def answering(body: bytes, status: str = "200 OK", asked: list | None = None) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        for line in head.splitlines():
            if line.lower().startswith("content-length:"):
                content = await reader.readexactly(int(line.split(":")[1]))
                if asked is not None:
                    asked.append((head.splitlines()[0], json.loads(content)))
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    return handler


async def raw(content: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(content)
    await writer.drain()
    writer.close()


async def test_a_turn_goes_out_and_comes_back_as_it_was(tmp_path):
    asked: list = []
    body = to_json(REPLY)
    async with listening(tmp_path / "s", answering(body, asked=asked)) as brain:
        assert await brain.turn(REQUEST) == REPLY
    [(line, told)] = asked
    assert (line, request_from_json(told)) == ("POST /turn HTTP/1.1", REQUEST)


def changed(**more) -> bytes:
    return json.dumps({**json.loads(to_json(REPLY)), **more}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        changed(messages=[]),
        changed(messages=[{"text": "", "response": "greet", "buttons": []}]),
        changed(messages=[{"text": "Hi", "response": None, "buttons": []}]),
        changed(messages=[{"text": 7, "response": "greet", "buttons": []}]),
        changed(messages=[{"text": "Hi", "response": "greet", "buttons": [{"label": 1}]}]),
        changed(messages="hello"),
        changed(state={"tier": "calm"}),
        changed(state={"level": "spa"}),
        changed(state={"surprise": 1}),
        changed(state=None),
        changed(row={"seq": "3", "events": "key.abc"}),
        changed(row={"seq": 0, "events": "key.abc"}),
        changed(row={"seq": 3, "events": None}),
        changed(row={"seq": 3}),
    ],
)
async def test_a_garbled_reply_is_a_brain_error(tmp_path, body):
    async with listening(tmp_path / "s", answering(body)) as brain:
        with pytest.raises(BrainError):
            await brain.turn(REQUEST)


@pytest.mark.parametrize("status", ["500 Oops", "503 Loading", "404 Not Found", "302 Found"])
async def test_any_status_but_200_is_a_brain_error(tmp_path, status):
    body = to_json(REPLY)
    async with listening(tmp_path / "s", answering(body, status)) as brain:
        with pytest.raises(BrainError, match=status[:3]):
            await brain.turn(REQUEST)
        assert not await brain.ready()


@pytest.mark.parametrize("content", [b"", b"\x00\xff garbage\n\n", b"HTTP/1.1 200 OK\r\nConte"])
async def test_what_is_not_http_is_a_brain_error(tmp_path, content):
    async with listening(tmp_path / "s", lambda _, writer: raw(content, writer)) as brain:
        with pytest.raises(BrainError):
            await brain.turn(REQUEST)
        assert not await brain.ready()


async def test_a_connection_that_ends_in_the_middle_is_a_lost_brain(tmp_path):
    async with listening(tmp_path / "s", lambda _, writer: raw(b"", writer)) as brain:
        with pytest.raises(BrainLostError):
            await brain.turn(REQUEST)


async def test_no_socket_is_a_brain_error(tmp_path):
    brain = SocketBrain(tmp_path / "nobody")
    with pytest.raises(BrainGoneError):
        await brain.turn(REQUEST)
    assert not await brain.ready()
    await brain.close()


async def test_a_socket_without_a_listener_is_a_brain_error(tmp_path):
    async with listening(tmp_path / "s", answering(b"")):
        pass
    brain = SocketBrain(tmp_path / "s")
    with pytest.raises(BrainGoneError):
        await brain.turn(REQUEST)
    await brain.close()


async def test_a_brain_that_comes_back_is_found_again(tmp_path):
    body = to_json(REPLY)
    brain = SocketBrain(tmp_path / "s")
    with pytest.raises(BrainError):
        await brain.turn(REQUEST)
    async with listening(tmp_path / "s", answering(body)):
        assert await brain.turn(REQUEST) == REPLY
        assert await brain.ready()
    await brain.close()
