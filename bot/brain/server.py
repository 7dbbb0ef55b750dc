"""The brain's door: one small ASGI app on a Unix socket, for the gateway alone."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.brain.brain import Brain, TurnFailed
from bot.store import StoreError
from bot.turns import request_from_json, to_json

_log = structlog.get_logger("handrail.brain")


def create_app(brain: Brain) -> Starlette:
    """`POST /turn` takes a TurnRequest and gives a TurnReply; `GET /readyz` tries one."""

    async def turn(request: Request) -> Response:
        try:
            asked = request_from_json(await request.json())
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": f"not a turn: {error}"}, status_code=400)
        try:
            return Response(to_json(await brain.turn(asked)), media_type="application/json")
        except (TurnFailed, StoreError) as error:
            _log.error("turn_failed", conversation=asked.conversation, kind=type(error).__name__)
            return JSONResponse({"error": str(error)}, status_code=500)

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
