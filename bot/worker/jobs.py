"""What a worker does again and again."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from bot.trouble import about

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
                log.error("trouble", job=job.name, **about(error))
        stop.wait(tick)
