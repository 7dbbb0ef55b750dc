"""A small brain process for tests: remembers what was said, and fails when told to.

It is not ready before the file "load" exists in the data folder.
"""

from __future__ import annotations

import asyncio
import os
import signal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.settings import Settings
from bot.turns import BotMessage, TurnReply, TurnState, request_from_json, to_json
from bot.vocabulary import DELETION_CONFIRMED

SETTINGS = Settings.from_environment()
SAID = SETTINGS.data / "said.txt"
THINKING = SETTINGS.data / "thinking"


async def turn(request: Request) -> Response:
    asked = request_from_json(await request.json())
    if asked.text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if asked.text == "garble":
        return PlainTextResponse("Traceback (most recent call last): ...")
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
    return Response(to_json(reply), media_type="application/json")


async def readyz(_: Request) -> Response:
    ready = (SETTINGS.data / "load").exists()
    return JSONResponse({"ready": ready}, status_code=200 if ready else 503)


SETTINGS.socket.unlink(missing_ok=True)
uvicorn.run(
    Starlette(routes=[Route("/turn", turn, methods=["POST"]), Route("/readyz", readyz)]),
    uds=str(SETTINGS.socket),
    log_level="error",
    ws="none",
)
