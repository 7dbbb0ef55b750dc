"""A request that cannot be taken, and why."""

from __future__ import annotations

NO_SUCH_CONVERSATION = "there is no such conversation"


class Refused(Exception):
    """`status` is an HTTP status, the text says why.

    Args:
        status: of the answer.
        reason: for the caller; plain words.
        retry_after: seconds after which it may be tried again, if that helps.
    """

    def __init__(self, status: int, reason: str, *, retry_after: int | None = None):
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
