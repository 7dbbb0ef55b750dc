"""The brain's door: one small ASGI app on a Unix socket, for the gateway alone."""

from __future__ import annotations

import asyncio

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.brain.brain import Brain, TurnFailed
from bot.brain.tracker_store import Abandoned
from bot.store import StoreError
from bot.turns import request_from_json, to_json

_log = structlog.get_logger("handrail.brain")


def create_app(brain: Brain) -> Starlette:
    """`POST /turn` takes a TurnRequest and gives a TurnReply; `GET /readyz` tries one."""

    async def turn(request: Request) -> JSONResponse:
        try:
            asked = request_from_json(await request.json())
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": f"not a turn: {error}"}, status_code=400)
        abandoned = asyncio.Event()
        watch = asyncio.create_task(_watch(request, abandoned))
        try:
            return JSONResponse(to_json(await brain.turn(asked, abandoned)))
        except Abandoned:
            return JSONResponse({"error": "nobody waits"}, status_code=499)
        except (TurnFailed, StoreError) as error:
            _log.error("turn_failed", conversation=asked.conversation, kind=type(error).__name__)
            return JSONResponse({"error": str(error)}, status_code=500)
        finally:
            watch.cancel()

    async def readyz(_: Request) -> JSONResponse:
        try:
            await brain.ready()
        except (TurnFailed, StoreError) as error:
            return JSONResponse({"ready": False, "reason": str(error)}, status_code=503)
        return JSONResponse({"ready": True})

    return Starlette(
        routes=[
            Route("/turn", turn, methods=["POST"]),
            Route("/readyz", readyz, methods=["GET"]),
        ]
    )


async def _watch(request: Request, abandoned: asyncio.Event) -> None:
    """Set `abandoned` when the gateway hangs up; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    abandoned.set()
