"""A small brain process for tests: remembers what was said, and fails when told to.

It is not ready before the file "load" exists in the data folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal

from bot import wire
from bot.settings import Settings
from bot.turns import (
    ARE_YOU_READY,
    BotMessage,
    TurnReply,
    TurnState,
    request_from_json,
    to_json,
)
from bot.vocabulary import DELETION_CONFIRMED

SETTINGS = Settings.from_environment()
SAID = SETTINGS.data / "said.txt"
THINKING = SETTINGS.data / "thinking"


async def answer(question: bytes) -> bytes:
    if question == ARE_YOU_READY:
        return b"{}" if (SETTINGS.data / "load").exists() else b'{"error": "it loads"}'
    asked = request_from_json(json.loads(question))
    if asked.text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if asked.text == "garble":
        return b"Traceback (most recent call last): ..."
    if asked.text.startswith("think "):
        THINKING.touch()
        await asyncio.sleep(float(asked.text.removeprefix("think ")))
    with SAID.open("a") as file:
        file.write(f"{asked.text}\n")
    count = len(SAID.read_text().splitlines())
    response = DELETION_CONFIRMED if asked.text == "delete it all" else "echo"
    spoken = "es" if "hola" in asked.text else "en" if "hello" in asked.text else asked.greeted
    state = TurnState(language=asked.language or spoken or "en")
    reply = TurnReply([BotMessage(f"{count}: {asked.text}", response)], state)
    return to_json(reply)


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await wire.serve(SETTINGS.socket, answer, stop)


asyncio.run(main())
