"""The safety screen as the gateway uses it: that it fails never makes a message look calm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from bot.gateway.in_flight import UNREAD
from bot.safety.reading import Reading
from bot.trouble import about

_MOST_LABELS = 1000  # of choices, whose reading is remembered

log = structlog.get_logger("handrail.gateway")


class Screen(Protocol):
    """The safety screen, `bot.safety.screen.Screen`."""

    def read(self, text: str) -> Reading:
        """What the screen says about one message."""
        ...


class Screening:
    """Reads messages and the labels of choices.

    Args:
        screen: the safety screen.
    """

    def __init__(self, screen: Screen):
        self._screen = screen
        self._labels: dict[str, Reading] = {}
        # Of its own: danger must not wait behind work on a store that is stuck.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="screening")

    def read(self, text: str, conversation: str = "") -> Reading:
        """What the screen says; if it fails, the message still counts as a concern.

        Args:
            text: normalised, see `bot.gateway.incoming`.
            conversation: its id, for the log.
        """
        try:
            return self._screen.read(text)
        except Exception as error:
            log.error("trouble", conversation=conversation, **about(error))
            return UNREAD

    async def read_aside(self, text: str, conversation: str) -> Reading:
        """The same beside the event loop, for a text so long that others would wait for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.read, text, conversation)

    def label(self, label: str, conversation: str) -> Reading:
        """The same for a choice: there are few, and every visitor presses them."""
        read = self._labels.get(label) or self.read(label, conversation)
        if not read.failed and len(self._labels) < _MOST_LABELS:
            self._labels[label] = read
        return read
