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


def answering(answer: bytes, asked: list | None = None) -> Handler:
    """Answers every line alike."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if asked is not None:
                asked.append(json.loads(line))
            writer.write(answer + b"\n")
            await writer.drain()
        writer.close()

    return handler


async def raw(content: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(content)
    await writer.drain()
    writer.close()


async def test_turns_go_out_and_come_back_as_they_were(tmp_path):
    asked: list = []
    async with listening(tmp_path / "s", answering(to_json(REPLY), asked)) as brain:
        for _ in range(2):  # the second one on the connection of the first
            assert await brain.turn(REQUEST) == REPLY
    assert [request_from_json(told) for told in asked] == [REQUEST, REQUEST]


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


async def test_a_turn_that_failed_is_a_brain_error_and_says_of_which_kind(tmp_path):
    async with listening(tmp_path / "s", answering(b'{"error": "TurnFailed"}')) as brain:
        with pytest.raises(BrainError, match="TurnFailed"):
            await brain.turn(REQUEST)
        assert not await brain.ready()


async def test_a_brain_is_ready_if_it_says_so(tmp_path):
    async with listening(tmp_path / "s", answering(b"{}")) as brain:
        assert await brain.ready()


@pytest.mark.parametrize("content", [b"\x00\xff garbage\n\n", b'{"messages": []', b"\n"])
async def test_what_is_no_answer_is_a_brain_error(tmp_path, content):
    async with listening(tmp_path / "s", lambda _, writer: raw(content, writer)) as brain:
        with pytest.raises(BrainError):
            await brain.turn(REQUEST)
        assert not await brain.ready()


async def test_who_gives_up_waiting_does_not_leave_the_answer_to_the_next_one(tmp_path):
    wait, asked = asyncio.Event(), []

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        if len(asked) == 1:
            await wait.wait()
        writer.write(to_json(REPLY) if len(asked) == 2 else b"{}")
        writer.write(b"\n")
        writer.close()

    async with listening(tmp_path / "s", slow) as brain:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(brain.turn(REQUEST), 0.05)
        assert await brain.turn(REQUEST) == REPLY
        wait.set()


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
    await brain.close()
