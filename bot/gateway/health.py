"""Is the process alive, and would a message be answered well: /healthz and /readyz."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.gateway.brains import Brains
from bot.store import StoreError, check, reading
from bot.store.outbox import Outbox
from bot.store.sms_outbox import SmsOutbox

_STORE_SECONDS = 2.0


def routes(engine: sa.engine.Engine, brains: Brains, clock: Callable[[], datetime]) -> list[Route]:
    """The two health routes."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_: Request) -> Response:
        states, store_problem = await asyncio.gather(brains.states(), _store_problem(engine))
        # One brain takes the conversations of all, more slowly.
        brain_ready = any(states.values())
        reasons = [f"the {name} does not answer yet" for name in states if not brain_ready]
        if store_problem:
            reasons.append(store_problem)
        return JSONResponse(
            {
                "ready": not reasons,
                "brain": brain_ready,
                "brains": states,
                "store": store_problem is None,
                "notices": await _notices(engine),
                "texts": await _texts(engine, clock()),
                "reasons": reasons,
            },
            status_code=503 if reasons else 200,
        )

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def _texts(engine: sa.engine.Engine, now: datetime) -> dict[str, int] | None:
    """How texting stands; "late" and "lost" are for people to look at, not for a balancer.

    None: the store cannot say.
    """

    def read() -> dict[str, int]:
        with reading(engine) as db:
            backlog = SmsOutbox(db).backlog(now)
        return {
            "unanswered": backlog.unanswered,
            "waiting": backlog.waiting,
            "failing": backlog.failing,
            "late": backlog.late,
            "lost": backlog.lost,
        }

    return await _read(read)


async def _notices(engine: sa.engine.Engine) -> dict[str, int] | None:
    """How much staff have not been told; visitors are served all the same.

    None: the store cannot say.
    """

    def read() -> dict[str, int]:
        with reading(engine) as db:
            backlog = Outbox(db).backlog()
        return {"waiting": backlog.waiting, "failing": backlog.failing, "dead": backlog.dead}

    return await _read(read)


async def _read(read: Callable[[], dict[str, int]]) -> dict[str, int] | None:
    try:
        return await asyncio.wait_for(asyncio.to_thread(read), _STORE_SECONDS)
    except (StoreError, asyncio.TimeoutError):
        return None


async def _store_problem(engine: sa.engine.Engine) -> str | None:
    try:
        await asyncio.wait_for(asyncio.to_thread(check, engine), _STORE_SECONDS)
    except StoreError:
        # Which database and why is in the log; this page is public.
        return "the store cannot be used"
    except asyncio.TimeoutError:
        return "the store is too slow"
    return None
