"""What can come of handing something to a server that sends it on."""

from __future__ import annotations

PATIENCE = 10.0
"""Seconds for a server to answer; a page to somebody else may wait behind it."""


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
