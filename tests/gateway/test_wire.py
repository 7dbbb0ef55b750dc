"""The socket between gateway and brain: who stops answers what was asked before."""

from __future__ import annotations

import asyncio

import pytest

from bot.wire import Asker, NobodyThere, serve


@pytest.fixture
def socket(tmp_path):
    return tmp_path / "s"


@pytest.fixture
async def echo(socket):
    """Answers what it was asked; `echo.held` keeps "slow" waiting; `echo.stop` stops it."""

    class Echo:
        held, asked, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(question: bytes) -> bytes:
        if question == b"slow":
            Echo.asked.set()
            await Echo.held.wait()
        return question

    Echo.serving = asyncio.create_task(serve(socket, answer, Echo.stop))
    while not socket.exists():
        await asyncio.sleep(0)
    yield Echo
    Echo.stop.set()
    await Echo.serving


async def test_many_at_once_get_their_own_answers(echo, socket):
    asker = Asker(socket)
    questions = [str(number).encode() * 100_000 for number in range(8)]
    assert await asyncio.gather(*map(asker.ask, questions)) == questions
    asker.close()


async def test_what_was_asked_before_the_stop_is_answered_and_nothing_after(echo, socket):
    asker = Asker(socket)
    assert await asker.ask(b"one") == b"one"
    slow = asyncio.create_task(asker.ask(b"slow"))
    await echo.asked.wait()
    echo.stop.set()
    echo.held.set()
    assert await slow == b"slow"
    await echo.serving
    with pytest.raises(NobodyThere):
        await asker.ask(b"two")


async def test_it_stops_while_somebody_is_connected_and_asks_nothing(echo, socket):
    asker = Asker(socket)
    await asker.ask(b"one")
    echo.stop.set()
    await asyncio.wait_for(echo.serving, 10)


async def test_who_hangs_up_disturbs_nobody(echo, socket):
    asker = Asker(socket)
    slow = asyncio.create_task(asker.ask(b"slow"))
    await echo.asked.wait()
    slow.cancel()
    echo.held.set()
    assert await asker.ask(b"one") == b"one"
    asker.close()
