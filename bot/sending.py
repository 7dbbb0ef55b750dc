"""Handing something to a server that sends it on: who takes texts, and what can come of it."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from bot.sms.delivery import reason_of

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


@dataclasses.dataclass(frozen=True)
class HandedIn:
    """The provider has taken a text: its id, and where the text is."""

    sid: str
    status: str


class Refused(Failed):
    """The provider will never take this text; `code` is its own number for the reason."""

    def __init__(self, code: str):
        super().__init__(reason_of(code), refused=True)
        self.code = code


class Provider(Protocol):
    """Sends texts."""

    def send(self, *, sender: str, to: str, text: str, identity: str) -> HandedIn:
        """Hand one text in; `identity` is our own id of it, for what we hear of it later.

        Raises:
            NotReady, Failed, Refused: it was not taken.
        """
        ...
