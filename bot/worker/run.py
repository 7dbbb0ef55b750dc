"""Run the worker as a process."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime, timezone
from random import SystemRandom

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic, load_clinics
from bot.notify.notice import EMAIL, WEBHOOK
from bot.reviewed import DataError
from bot.settings import Settings
from bot.store import StoreError, migrate, open_store, reading
from bot.store.outbox import Outbox
from bot.store.purge import Retention, load_retention, purge
from bot.twilio import Twilio
from bot.worker.channel import Channel
from bot.worker.delivery import Delivery
from bot.worker.jobs import Job, work
from bot.worker.mail import Mail
from bot.worker.readiness import not_ready, say_if_texts_are_late
from bot.worker.rounds import page, tell_of_the_night
from bot.worker.texts import TextDelivery
from bot.worker.webhook import Webhooks

UNUSABLE = 2  # exit code: a setting or a data file must be mended
_RETRY_SECONDS = 5.0
_DELIVER_EVERY = 1.0
_TEXTS_EVERY = 0.25
_LOOK_EVERY = 15.0  # for pages and digests
_LATE_EVERY = 60.0
_PURGE_EVERY = 3600.0

log = structlog.get_logger("handrail.worker")


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT.

    Returns:
        0 after a clean stop; 2 if it cannot start, with the reason on stderr.
    """
    try:
        clinics = load_clinics(settings.clinics)
        retention = load_retention(settings.retention)
        engine = open_store(settings)
    except (DataError, StoreError) as error:
        print(f"the worker cannot start: {error}", file=sys.stderr)
        return UNUSABLE
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if _bring_up(engine, stop):
        _work(settings, clinics, retention, engine, stop)
    engine.dispose()
    return 0


def _work(
    settings: Settings,
    clinics: Mapping[str, Clinic],
    retention: Retention,
    engine: sa.engine.Engine,
    stop: threading.Event,
) -> None:
    channels: dict[str, Channel] = {
        EMAIL: Mail(settings.smtp, settings.console),
        WEBHOOK: Webhooks(clinics, os.environ, settings.console, _clock),
    }
    delivery = Delivery(
        engine,
        channels,
        holder=f"{socket.gethostname()}:{settings.data}"[:_HOLDER_CHARACTERS],
        clock=_clock,
        random=SystemRandom(),
        stop=stop,
    )
    jobs = [
        Job("deliver", _DELIVER_EVERY, delivery.deliver_due),
        Job("page", _LOOK_EVERY, lambda: page(engine, clinics, _clock())),
        Job("digest", _LOOK_EVERY, lambda: tell_of_the_night(engine, clinics, _clock())),
        Job("late texts", _LATE_EVERY, lambda: say_if_texts_are_late(engine, _clock())),
        Job("purge", _PURGE_EVERY, lambda: purge(engine, retention, _clock())),
    ]
    delivery.release()  # what this worker held when it was killed
    _say_what_is_missing(settings, clinics, engine)
    with _texting(settings, clinics, engine, stop):
        work(jobs, stop)
    delivery.release()


@contextmanager
def _texting(
    settings: Settings,
    clinics: Mapping[str, Clinic],
    engine: sa.engine.Engine,
    stop: threading.Event,
) -> Iterator[None]:
    """Texts go out in a thread of their own: they must not wait behind a slow mail server."""
    provider = Twilio.of_settings(settings)
    if provider is None:
        silent = [clinic.id for clinic in clinics.values() if clinic.sms]
        if silent:
            log.error(
                "texts cannot be sent: HANDRAIL_TWILIO_ACCOUNT or _TOKENS is not set",
                clinics=silent,
            )
        yield
        return
    texts = TextDelivery(
        engine,
        provider,
        clinics,
        holder=f"{socket.gethostname()}:{settings.data}"[:_HOLDER_CHARACTERS],
        clock=_clock,
        random=SystemRandom(),
        stop=stop,
    )
    texts.release()
    job = Job("texts", _TEXTS_EVERY, texts.deliver_due)
    thread = threading.Thread(target=copy_context().run, args=(work, [job], stop, _TEXTS_EVERY))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        texts.release()


def _bring_up(engine: sa.engine.Engine, stop: threading.Event) -> bool:
    """Upgrade the tables, again and again until that succeeds; False if asked to stop."""
    while not stop.is_set():
        try:
            migrate(engine)
        except StoreError as error:
            log.error("the store cannot be used", reason=str(error))
            stop.wait(_RETRY_SECONDS)
        else:
            return True
    return False


def _say_what_is_missing(
    settings: Settings, clinics: Mapping[str, Clinic], engine: sa.engine.Engine
) -> None:
    """One line at the start: who is not told, and why; and what waits in the outbox."""
    with reading(engine) as db:
        backlog = Outbox(db).backlog()
    silent = [clinic.id for clinic in clinics.values() if not clinic.notifications.reach_somebody]
    missing = not_ready(clinics, settings.smtp, os.environ)
    say = log.error if missing or silent or backlog.dead else log.info
    say(
        "notices",
        clinics_that_name_nobody=silent,
        cannot_be_sent=missing,
        waiting=backlog.waiting,
        dead=backlog.dead,
    )


_HOLDER_CHARACTERS = 200  # what the column holds


def _clock() -> datetime:
    return datetime.now(timezone.utc)
