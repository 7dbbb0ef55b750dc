"""Texts: take what is due from their outbox, hand it in, write down what came of it.

One text of a number at a time, so that they arrive in order. At least once: a worker that
dies after the provider has taken a text and before that is written down hands it in again.
A text twice is an annoyance, a lost one may be crisis help; so the lease is taken before the
call and the result written after it, never the other way round.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
import structlog

from bot.clinic.profile import Clinic
from bot.handoff.lost_text import tell_of_lost_text
from bot.sending import Failed, NotReady, Provider, Refused
from bot.sms.delivery import OPTED_OUT_CODES
from bot.store import writing
from bot.store.sms_outbox import REPLY, Outgoing, SmsOutbox, opted_out
from bot.trouble import about
from bot.worker.batches import Batches
from bot.worker.delivery import wait_after

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
        self._batches = Batches(engine, SmsOutbox, holder=holder, clock=clock, stop=stop)
        self._clock = clock
        self._random = random

    def deliver_due(self) -> None:
        """Send every text that is due now; raises `StoreError` if the store fails."""
        self._batches.work_off(
            lambda group: self._send(group[0]),
            size=_AT_ONCE,
            at_once=_AT_ONCE,
            groups=lambda batch: [[each] for each in batch],
        )

    def release(self) -> int:
        """Free what this worker held when it stopped or died; returns how many."""
        return self._batches.release()

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
        except Exception as error:
            # A mistake of ours: it must not end the worker, and shows in log and outbox.
            log.error("trouble", sms=text.id, **about(error))
            self._failed(text, Failed(f"{type(error).__name__} in Handrail itself"))
        else:
            now = self._clock()
            with writing(self._engine) as db:
                SmsOutbox(db).sent(text, taken.sid, taken.status, now)
            waited = round((now - text.created).total_seconds(), 1)
            log.info("text sent", sms=text.id, kind=text.kind, seconds=waited)

    def _failed(self, text: Outgoing, failure: Failed) -> None:
        if self._clock() - text.created >= LONGEST:
            self._give_up(text, str(failure))
            return
        log.warning("text not sent yet", sms=text.id, kind=text.kind, reason=str(failure))
        self._later(text, str(failure), wait_after(text.attempts, self._random))

    def _refused(self, text: Outgoing, refused: Refused) -> None:
        self._give_up(text, str(refused), opted_out_by=refused.code)

    def _give_up(self, text: Outgoing, reason: str, opted_out_by: str = "") -> None:
        """Write down that it will never be sent; staff hear of it."""
        now, conversation = self._clock(), text.contact.conversation
        unwanted = opted_out_by in OPTED_OUT_CODES
        with writing(self._engine) as db:
            if unwanted:
                opted_out(db, conversation, opted_out_by, now)
            SmsOutbox(db).give_up(text, reason, now)
            # That an answer does not reach who wants no texts is as it should be.
            if not (unwanted and text.kind == REPLY):
                tell_of_lost_text(db, self._clinics, conversation, text.kind, now)
        log.error("text given up", sms=text.id, kind=text.kind, reason=reason)

    def _later(self, text: Outgoing, reason: str, wait: timedelta) -> None:
        with writing(self._engine) as db:
            SmsOutbox(db).failed(text, reason, self._clock() + wait)
