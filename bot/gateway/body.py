"""A request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from bot.gateway.refused import Refused

BODY_BYTES = 64 * 1024
BODY_SECONDS = 15.0  # for all of it to arrive; a slow phone needs a second or two


async def whole_body(request: Request) -> bytes:
    """The body; raises Refused if it is too large or comes too slowly."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > BODY_BYTES:
        raise _too_large()
    try:
        return await asyncio.wait_for(_read(request), BODY_SECONDS)
    except asyncio.TimeoutError:
        raise Refused(408, "the request did not arrive in time") from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> Refused:
    return Refused(413, f"a request may have at most {BODY_BYTES} bytes")
