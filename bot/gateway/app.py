"""The public web application: the pages, the chat's API, and health."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import sqlalchemy as sa
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.clinic.profile import Clinic
from bot.console.app import routes as console_routes
from bot.console.website_page import Website
from bot.gateway import api, health, pages, sms
from bot.gateway.brain import Brain
from bot.gateway.brains import Brains
from bot.gateway.embed import Bundles, explained, load_bundle, snippets
from bot.gateway.events import Streams
from bot.gateway.forms import Forms
from bot.gateway.limits import Limits
from bot.gateway.neighbours import Neighbours, neighbours_on
from bot.gateway.origins import Origins
from bot.gateway.own_words import OwnWords
from bot.gateway.protection import CONTENT_SECURITY_POLICY, Protection
from bot.gateway.screening import Screen
from bot.gateway.sms import TwilioDoor
from bot.gateway.texting import Texting
from bot.gateway.turn import DEADLINE, Turns
from bot.safety.replies import CrisisReplies
from bot.sending import Provider
from bot.store import StoreError, migrate
from bot.texts.messages import load_texts

_RETRY_SECONDS = 5.0
_MIGRATION_SECONDS = 2.0  # for the tables to be upgraded before visitors are answered anyway

log = structlog.get_logger("handrail.gateway")


def create_app(
    *,
    clinics: Mapping[str, Clinic],
    screen: Screen,
    replies: CrisisReplies,
    engine: sa.engine.Engine,
    brain: Brain,
    clock: Callable[[], datetime],
    deadline: float = DEADLINE,
    limits: Limits | None = None,
    bundles: Bundles | None = None,
    twilio: TwilioDoor | None = None,
    provider: Provider | None = None,
    encoded: Callable[[str], str | None] = lambda _: None,
) -> Starlette:
    """The gateway as an ASGI application.

    Args:
        clinics: profiles by id, from `bot.clinic.profile.load_clinics`.
        screen: the safety screen.
        replies: the crisis replies.
        engine: the store, from `bot.store.open_engine`. Its tables are brought up to
            date when the application starts, again and again until that succeeds;
            meanwhile visitors are answered by words of our own.
        brain: answers the turns; several are `bot.gateway.brains.Brains`.
        clock: gives the present time, zone-aware.
        deadline: seconds from a message's arrival to the end of waiting for the brain.
        limits: counts what every sender asks; by default without trusted proxies.
        bundles: the chat's script; by default the present version alone.
        twilio: how texts are known to come from Twilio; by default none are taken.
        provider: takes the texts that cannot go by the store when it has failed.
        encoded: see `bot.gateway.turn.Turns`.
    """
    bundles = bundles or Bundles(load_bundle())
    limits = limits or Limits(time.monotonic)
    brains = brain if isinstance(brain, Brains) else Brains({"brain": brain})
    neighbours = neighbours_on(engine)
    words = OwnWords(clinics, replies, load_texts())
    turns = Turns(
        clinics=clinics,
        screen=screen,
        words=words,
        engine=engine,
        brain=brains,
        deadline=deadline,
        neighbours=neighbours,
        encoded=encoded,
    )
    forms = Forms(turns, words, limits, clock, stored=api.stored, shown=api.shown)
    streams = Streams(engine, turns.watch, api.stored)
    texting = Texting(
        clinics=clinics,
        turns=turns,
        engine=engine,
        clock=clock,
        holder=secrets.token_hex(8),
        provider=provider,
    )

    async def http_error(request: Request, error: Exception) -> Response:
        """Unknown addresses and methods: a page for people, JSON as any refusal for programs."""
        if not isinstance(error, HTTPException):
            raise error
        if error.status_code == 404 and "text/html" in request.headers.get("accept", ""):
            return pages.missing(request, clinics, words)
        return JSONResponse(
            {"error": error.detail}, status_code=error.status_code, headers=error.headers
        )

    app = Starlette(
        routes=[
            *api.routes(clinics, turns, streams, words, limits, clock),
            *bundles.routes(),
            *sms.routes(twilio or TwilioDoor("", ()), clinics, texting, turns, clock),
            *health.routes(engine, brains, clock),
            *console_routes(
                engine=engine,
                clinics=clinics,
                clock=clock,
                website=Website(
                    snippets=lambda clinic, host: explained(
                        snippets(clinic, host, bundles.present)
                    ),
                    policy=f"{CONTENT_SECURITY_POLICY}; frame-src 'self'",
                ),
            ),
            *pages.routes(clinics, words, forms, clock),
        ],
        middleware=[Middleware(Protection), Middleware(Origins, clinics=clinics)],
        lifespan=lambda _: _bring_up(engine, screen, streams, texting, brains, neighbours),
        exception_handlers={**api.HANDLERS, HTTPException: http_error},
    )
    app.state.watch, app.state.streams, app.state.texting = turns.watch, streams, texting
    return app


@asynccontextmanager
async def _bring_up(
    engine: sa.engine.Engine,
    screen: Screen,
    streams: Streams,
    texting: Texting,
    brain: Brain,
    neighbours: Neighbours,
) -> AsyncIterator[None]:
    """Upgrade the tables while the application starts, or beside it if that fails."""
    # The sentence encoder loads at its first use, which should not be a visitor's.
    warming = asyncio.create_task(asyncio.to_thread(screen.read, "hello"))
    migrating = asyncio.create_task(_migrate(engine))
    await asyncio.wait({migrating}, timeout=_MIGRATION_SECONDS)
    async with streams.looking(), texting.working():
        yield
    migrating.cancel()
    await warming
    await brain.close()
    neighbours.close()
    engine.dispose()


async def _migrate(engine: sa.engine.Engine) -> None:
    while True:
        try:
            await asyncio.to_thread(migrate, engine)
        except StoreError as error:
            log.error("the store cannot be used", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
