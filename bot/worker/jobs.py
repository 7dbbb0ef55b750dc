"""What a worker does again and again."""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence

import structlog

from bot.store import StoreError

_TICK = 1.0  # seconds between looks; so late is a page at most

log = structlog.get_logger("handrail.worker")


@dataclasses.dataclass(frozen=True)
class Job:
    """Something to do every so many seconds."""

    name: str
    every: float
    run: Callable[[], object]


def work(jobs: Sequence[Job], stop: threading.Event, tick: float = _TICK) -> None:
    """Do every job at once and then at its interval, one after the other, until `stop`.

    Intervals are real seconds, so a clock that jumps changes none. A job that fails is
    logged and done again when its time comes.
    """
    next_time = dict.fromkeys((job.name for job in jobs), 0.0)
    while not stop.is_set():
        for job in jobs:
            if stop.is_set() or time.monotonic() < next_time[job.name]:
                continue
            next_time[job.name] = time.monotonic() + job.every
            try:
                job.run()
            except Exception as error:
                # Whatever it is, notices must go on; the log says what it was.
                _log_trouble(job.name, error)
        stop.wait(tick)


def _log_trouble(job: str, error: Exception) -> None:
    """Say what failed and where, without the error's text unless it is our own."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    reason = str(error) if isinstance(error, StoreError) else None
    log.error("trouble", job=job, kind=type(error).__name__, reason=reason, where=where)
