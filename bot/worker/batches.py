"""What an outbox holds, leased batch by batch and worked off side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa

from bot.store import reading, writing

Item = TypeVar("Item")


class Box(Protocol[Item]):
    """An outbox; see `bot.store.outbox.Outbox`."""

    def anything_due(self, now: datetime) -> bool:
        """Whether `take` would find something."""
        ...

    def take(self, holder: str, now: datetime, limit: int) -> list[Item]:
        """Lease up to `limit` items that are due."""
        ...

    def release(self, holder: str) -> int:
        """Free what this worker held; returns how many."""
        ...


class Batches(Generic[Item]):
    """Takes batches from an outbox.

    Args:
        engine: the database.
        box: gives the outbox on a connection.
        holder: names this worker; the same after a restart, different for every worker.
        clock: gives the present time, zone-aware.
        stop: when set, nothing more is begun.
    """

    def __init__(
        self,
        engine: sa.engine.Engine,
        box: Callable[[sa.engine.Connection], Box[Item]],
        *,
        holder: str,
        clock: Callable[[], datetime],
        stop: threading.Event,
    ):
        self._engine = engine
        self._box = box
        self._holder = holder
        self._clock = clock
        self._stop = stop

    def work_off(
        self,
        send: Callable[[Sequence[Item]], None],
        *,
        size: int,
        at_once: int,
        groups: Callable[[Sequence[Item]], Iterable[Sequence[Item]]],
    ) -> None:
        """Send everything that is due now.

        Args:
            send: sends one group and writes down what came of it.
            size: items of a batch; few, because what is urgent may come meanwhile.
            at_once: groups that are sent side by side.
            groups: splits a batch.

        Raises:
            StoreError: the store fails.
        """
        with ThreadPoolExecutor(at_once) as pool:
            while not self._stop.is_set():
                batch = self.take(size)
                if not batch:
                    return
                # Each thread gets a copy of this one's context: the log's process name.
                at_work = [pool.submit(copy_context().run, send, group) for group in groups(batch)]
                for each in at_work:
                    each.result()

    def take(self, size: int) -> list[Item]:
        """Lease up to `size` items that are due; looking takes no lock for writing."""
        now = self._clock()
        with reading(self._engine) as db:
            if not self._box(db).anything_due(now):
                return []
        with writing(self._engine) as db:
            return self._box(db).take(self._holder, now, size)

    def release(self) -> int:
        """Free what this worker held when it stopped or died; returns how many."""
        with writing(self._engine) as db:
            return self._box(db).release(self._holder)
