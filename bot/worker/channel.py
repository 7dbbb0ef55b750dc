"""A way to send notices."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from bot.store.outbox import Notification

Send = Callable[[Notification], None]


class Channel(Protocol):
    """E-mail or webhook."""

    def receiver(self, notification: Notification) -> str:
        """Which server it goes to; what goes to the same one is sent in one session."""
        ...

    def session(self, first: Notification) -> AbstractContextManager[Send]:
        """A session with the server of `first`.

        Raises:
            NotReady, Failed: there can be none; the function it gives may raise `Failed`.
        """
        ...
