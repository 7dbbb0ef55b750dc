"""Run the gateway as a process."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone

import uvicorn
from starlette.types import ASGIApp

from bot import loading
from bot.clinic.profile import load_clinics
from bot.gateway.app import create_app
from bot.gateway.brain_client import SocketBrain
from bot.gateway.brains import Brains
from bot.gateway.embed import Bundles, load_bundle
from bot.gateway.limits import Limits
from bot.gateway.screening import Screen
from bot.gateway.sms import TwilioDoor
from bot.reviewed import DataError
from bot.safety.replies import load_replies
from bot.sending import Provider
from bot.settings import Settings
from bot.store import StoreError, open_store

UNUSABLE = 2  # exit code: a setting or a data file must be mended
_HEADER_BYTES = 16 * 1024
_PATIENCE = 5.0  # seconds for Twilio, when a text must go without the store
_FINISH_SECONDS = 8  # for turns in flight when asked to stop


def run(
    settings: Settings, load_screen: Callable[[], Screen], encoded: Callable[[str], str | None]
) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: of this installation.
        load_screen: gives the safety screen; may raise DataError, OSError, ValueError.
        encoded: what the screen's encoder read of a text, see `bot.gateway.turn.Turns`.

    Returns:
        0 after a clean stop; 2 if it cannot start, with the reason on stderr.
    """
    try:
        app = create_app(
            clinics=load_clinics(settings.clinics),
            screen=load_screen(),
            replies=load_replies(),
            engine=open_store(settings),
            brain=Brains({name: SocketBrain(path) for name, path in settings.sockets.items()}),
            clock=lambda: datetime.now(timezone.utc),
            bundles=Bundles(load_bundle(), settings.data / "widgets"),
            limits=Limits(time.monotonic),
            twilio=TwilioDoor(settings.public_url, settings.twilio_tokens),
            provider=_provider(settings),
            encoded=encoded,
        )
    except (OSError, ValueError, DataError, StoreError) as error:
        print(f"the gateway cannot start: {error}", file=sys.stderr)
        return UNUSABLE
    # When it has finished, uvicorn raises the signal again; nothing is left to do then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    loading.done()
    try:
        uvicorn.Server(server(app, settings)).run()
    except SystemExit:
        # uvicorn's way to say that it cannot listen.
        print(
            f"the gateway cannot listen on {settings.host}:{settings.port}; "
            "is another program there? HANDRAIL_PORT chooses another port.",
            file=sys.stderr,
        )
        return UNUSABLE
    return 0


def _provider(settings: Settings) -> Provider | None:
    """Whom texts are handed to without the store; None where no texts come or go."""
    if not settings.twilio_account:
        return None
    from bot.twilio import Twilio  # its library would keep the first answer waiting

    return Twilio.of_settings(settings, patience=_PATIENCE)


def server(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How `app` is served."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Addresses count for limits: only our own proxies are believed about them.
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=[str(network) for network in settings.proxies],
        # The protocol that bounds the size of headers.
        http="h11",
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ws="none",
        timeout_graceful_shutdown=_FINISH_SECONDS,
    )
