"""Delivery: take what is due from the outbox, send it, write down what came of it.

At least once: a worker that dies between sending and writing it down sends again, with the
same id. What fails is tried again later and later, and after about a day it is dead:
visible, and kept until somebody retries it.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

import sqlalchemy as sa
import structlog

from bot.sending import Failed, NotReady
from bot.store import StoreError, writing
from bot.store.outbox import LONGEST_WAIT, Notification, Outbox
from bot.trouble import about
from bot.worker.batches import Batches
from bot.worker.channel import Channel

MOST_ATTEMPTS = 300
"""Tries before a notice is dead: about a day at one every five minutes."""

MOST_REFUSALS = 5
"""The same where the receiver refuses it: it will hardly change its mind."""

_FIRST_WAIT = timedelta(seconds=15)
_NOT_READY_WAIT = timedelta(minutes=1)
# Few at a time: an urgent page that comes meanwhile is in the next batch.
_BATCH = 10
_SESSIONS = 4

log = structlog.get_logger("handrail.worker")


def wait_after(attempts: int, random: Random) -> timedelta:
    """How long to wait after so many failed attempts: doubled each time, with jitter.

    From 15 seconds to 5 minutes, shortened by up to half at random, so that what failed
    together does not come back together.
    """
    longest = min(_FIRST_WAIT * 2 ** min(attempts - 1, 16), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1.0)


class Delivery:
    """Sends what is in the outbox.

    Args:
        engine: the database.
        channels: by name, see `bot.notify.notice`.
        holder: names this worker; the same after a restart, different for every worker.
        clock: gives the present time, zone-aware.
        random: jitter.
        stop: when set, nothing more is begun.
    """

    def __init__(
        self,
        engine: sa.engine.Engine,
        channels: Mapping[str, Channel],
        *,
        holder: str,
        clock: Callable[[], datetime],
        random: Random,
        stop: threading.Event,
    ):
        self._engine = engine
        self._channels = channels
        self._batches = Batches(engine, Outbox, holder=holder, clock=clock, stop=stop)
        self._clock = clock
        self._random = random
        self._stop = stop

    def deliver_due(self) -> None:
        """Send everything that is due now; raises `StoreError` if the store fails."""
        self._batches.work_off(
            self._hold_session, size=_BATCH, at_once=_SESSIONS, groups=self._by_receiver
        )

    def release(self) -> int:
        """Free what this worker held when it stopped or died; returns how many."""
        return self._batches.release()

    def _by_receiver(self, batch: Sequence[Notification]) -> list[list[Notification]]:
        sessions: dict[tuple[str, str], list[Notification]] = defaultdict(list)
        for each in batch:
            receiver = self._channels[each.channel].receiver(each)
            sessions[each.channel, receiver].append(each)
        return list(sessions.values())

    def _hold_session(self, group: Sequence[Notification]) -> None:
        """Send these, which go to one server, one after the other."""
        waiting = list(group)
        try:
            with self._channels[group[0].channel].session(group[0]) as send:
                while waiting and not self._stop.is_set():
                    try:
                        send(waiting[0])
                    except Failed as failure:
                        if failure.down:
                            raise
                        self._failed(waiting.pop(0), failure)
                    else:
                        self._delivered(waiting.pop(0))
        except NotReady as error:
            self._not_ready(waiting, str(error))
        except Failed as failure:
            for each in waiting:
                self._failed(each, failure)
        except StoreError:
            raise
        except Exception as error:
            # A mistake of ours: it must not end the worker, and shows in log and outbox.
            log.error("trouble", channel=group[0].channel, **about(error))
            for each in waiting:
                self._failed(each, Failed(f"{type(error).__name__} in Handrail itself"))

    def _delivered(self, sent: Notification) -> None:
        now = self._clock()
        with writing(self._engine) as db:
            Outbox(db).delivered(sent.id, now)
        log.info("notice delivered", **_about(sent), seconds=_seconds(now - sent.created))

    def _failed(self, unsent: Notification, failure: Failed) -> None:
        now = self._clock()
        most = MOST_REFUSALS if failure.refused else MOST_ATTEMPTS
        dead = unsent.attempts >= most
        with writing(self._engine) as db:
            if dead:
                Outbox(db).give_up(unsent.id, str(failure), now)
            else:
                due = now + wait_after(unsent.attempts, self._random)
                Outbox(db).failed(unsent.id, str(failure), due)
        (log.error if dead else log.warning)(
            "notice given up" if dead else "notice not delivered yet",
            **_about(unsent),
            reason=str(failure),
        )

    def _not_ready(self, untried: Sequence[Notification], reason: str) -> None:
        due = self._clock() + _NOT_READY_WAIT
        with writing(self._engine) as db:
            for each in untried:
                Outbox(db).not_tried(each.id, reason, due)


def _about(notification: Notification) -> dict[str, object]:
    return {
        "notice": notification.id,
        "kind": notification.kind,
        "clinic": notification.clinic,
        "channel": notification.channel,
        "attempts": notification.attempts,
    }


def _seconds(waited: timedelta) -> float:
    return round(waited.total_seconds(), 1)
