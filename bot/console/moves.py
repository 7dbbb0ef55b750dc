"""Where a record can stand, and what may follow what: one table. Pure."""

from __future__ import annotations

NEW = "new"  # nobody has tried to reach the visitor
ATTEMPTED = "attempted"  # tried, not reached
REACHED = "reached"
CLOSING = "closing"  # a second person must agree that it may be closed unreached
CLOSED = "closed"
STATUSES = (NEW, ATTEMPTED, REACHED, CLOSING, CLOSED)
OPEN = (NEW, ATTEMPTED, REACHED, CLOSING)

MISS = "miss"  # an attempt that did not reach the visitor
REACH = "reach"  # an attempt that did
RESOLVE = "resolve"
ASK_SECOND = "ask_second"
AGREE = "agree"
REFUSE = "refuse"
VISITOR_WROTE = "visitor_wrote"
MOVES = (MISS, REACH, RESOLVE, ASK_SECOND, AGREE, REFUSE, VISITOR_WROTE)

# Whoever was reached stays reached when a later call fails. A visitor who writes again
# stops a closing that nobody has agreed to, and opens a closed record anew.
_ALLOWED = {
    (NEW, MISS): ATTEMPTED,
    (NEW, REACH): REACHED,
    (NEW, RESOLVE): CLOSED,
    (NEW, ASK_SECOND): CLOSING,
    (NEW, VISITOR_WROTE): NEW,
    (ATTEMPTED, MISS): ATTEMPTED,
    (ATTEMPTED, REACH): REACHED,
    (ATTEMPTED, RESOLVE): CLOSED,
    (ATTEMPTED, ASK_SECOND): CLOSING,
    (ATTEMPTED, VISITOR_WROTE): ATTEMPTED,
    (REACHED, MISS): REACHED,
    (REACHED, REACH): REACHED,
    (REACHED, RESOLVE): CLOSED,
    (REACHED, VISITOR_WROTE): REACHED,
    (CLOSING, AGREE): CLOSED,
    (CLOSING, REFUSE): ATTEMPTED,
    (CLOSING, VISITOR_WROTE): ATTEMPTED,
    (CLOSED, VISITOR_WROTE): NEW,
}


class NotAllowedError(Exception):
    """The record does not stand where this move could begin."""


def after(status: str, move: str) -> str:
    """Where a record of `status` stands after `move`; raises NotAllowedError."""
    try:
        return _ALLOWED[status, move]
    except KeyError:
        raise NotAllowedError(f"{move} is not possible when a record is {status}") from None


def to_close(status: str, *, high_risk: bool) -> str:
    """The move that closes a record: one person's, or the first half of two people's."""
    return ASK_SECOND if high_risk and status in (NEW, ATTEMPTED) else RESOLVE
