"""Texts: take what is due from their outbox, hand it in, write down what came of it.

One text of a number at a time, so that they arrive in order. At least once: a worker that
dies after the provider has taken a text and before that is written down hands it in again.
A text twice is an annoyance, a lost one may be crisis help; so the lease is taken before the
call and the result written after it, never the other way round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.sms.delivery import OPTED_OUT_CODES
from bot.store import reading, writing
from bot.store.sms import Outgoing, SmsOutbox, opted_out
from bot.worker.channel import Failed, NotReady
from bot.worker.delivery import wait_after
from bot.worker.twilio import Provider, Refused

LONGEST = timedelta(hours=24)
"""After so long a text that could not be sent is given up: its answer is no answer any more."""

_NOT_READY_WAIT = timedelta(minutes=1)
_AT_ONCE = 4

log = structlog.get_logger("handrail.worker")


class TextDelivery:
    """Sends the texts in the outbox.

    Args:
        engine: the database.
        provider: takes them.
        clinics: profiles by id; their numbers send.
        holder: names this worker, the same after a restart.
        clock: gives the present time, zone-aware.
        random: jitter.
        stop: when set, nothing more is begun.
    """

    def __init__(
        self,
        engine: sa.engine.Engine,
        provider: Provider,
        clinics: Mapping[str, Clinic],
        *,
        holder: str,
        clock: Callable[[], datetime],
        random: Random,
        stop: threading.Event,
    ):
        self._engine = engine
        self._provider = provider
        self._clinics = clinics
        self._holder = holder
        self._clock = clock
        self._random = random
        self._stop = stop

    def deliver_due(self) -> None:
        """Send every text that is due now; raises `StoreError` if the store fails."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while not self._stop.is_set():
                batch = self._take()
                if not batch:
                    return
                # Each thread gets a copy of this one's context: the log's process name.
                for done in [pool.submit(copy_context().run, self._send, each) for each in batch]:
                    done.result()

    def release(self) -> None:
        """Free what this worker held when it stopped or died."""
        with writing(self._engine) as db:
            SmsOutbox(db).release(self._holder)

    def _take(self) -> list[Outgoing]:
        now = self._clock()
        with reading(self._engine) as db:
            if not SmsOutbox(db).anything_due(now):
                return []
        with writing(self._engine) as db:
            return SmsOutbox(db).take(self._holder, now, _AT_ONCE)

    def _send(self, text: Outgoing) -> None:
        try:
            clinic = self._clinics.get(text.contact.clinic)
            if clinic is None or clinic.sms is None:
                raise NotReady("the clinic's profile has no number for texts")
            taken = self._provider.send(
                sender=str(clinic.sms.number),
                to=text.contact.number,
                text=text.text,
                identity=text.id,
            )
        except NotReady as error:
            log.error("texts cannot be sent", reason=str(error))
            self._later(text, str(error), _NOT_READY_WAIT)
        except Refused as refused:
            self._refused(text, refused)
        except Failed as failure:
            self._failed(text, failure)
        else:
            now = self._clock()
            with writing(self._engine) as db:
                SmsOutbox(db).sent(text, taken.sid, taken.status, now)
            waited = round((now - text.created).total_seconds(), 1)
            log.info("text sent", text=text.id, kind=text.kind, seconds=waited)

    def _failed(self, text: Outgoing, failure: Failed) -> None:
        if self._clock() - text.created >= LONGEST:
            self._give_up(text, str(failure))
            return
        log.warning("text not sent yet", text=text.id, kind=text.kind, reason=str(failure))
        self._later(text, str(failure), wait_after(text.attempts, self._random))

    def _refused(self, text: Outgoing, refused: Refused) -> None:
        now = self._clock()
        if refused.code in OPTED_OUT_CODES:
            with writing(self._engine) as db:
                opted_out(db, text.contact.conversation, refused.code, now)
        self._give_up(text, str(refused))

    def _give_up(self, text: Outgoing, reason: str) -> None:
        with writing(self._engine) as db:
            SmsOutbox(db).give_up(text, reason, self._clock())
        log.error("text given up", text=text.id, kind=text.kind, reason=reason)

    def _later(self, text: Outgoing, reason: str, wait: timedelta) -> None:
        with writing(self._engine) as db:
            SmsOutbox(db).failed(text, reason, self._clock() + wait)
