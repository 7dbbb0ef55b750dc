"""A way to send notices, and what can come of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from bot.store.outbox import Notification

PATIENCE = 10.0
"""Seconds for a server to answer; a page to somebody else may wait behind it."""

Send = Callable[[Notification], None]


class NotReady(Exception):
    """Nothing was tried, because a setting is missing or wrong; the text says which."""


class Failed(Exception):
    """It was not sent.

    Attributes:
        refused: the receiver answered, and will hardly change its mind.
        down: the receiver cannot be reached, so there is no use in going on now.
    """

    def __init__(self, reason: str, *, refused: bool = False, down: bool = False):
        super().__init__(reason)
        self.refused = refused
        self.down = down


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
