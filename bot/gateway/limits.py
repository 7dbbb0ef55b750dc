"""How much one sender may ask, so that nobody's flood takes the service from others.

No limit stands before help: what is beyond it is still read by the safety screen, and a
message that signals danger is answered by the gateway itself, without the brain. Only a
flood that would keep the screen itself busy is answered unread, and then every message
of it gets crisis help (`bot.gateway.turn`).

Counts live in this process's memory; addresses are kept as keyed hashes, for as long as
a count lasts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

from starlette.requests import HTTPConnection

from bot.loading import without_pkg_resources

with without_pkg_resources():  # it reads its scripts for Redis with it
    from limits import RateLimitItem, parse_many
    from limits.storage import Storage
    from limits.strategies import FixedWindowRateLimiter

# Generous: a campus, a clinic's waiting room or a mobile carrier may share one address.
OPENINGS = "20/minute;300/hour"  # conversations of one address
OF_CONVERSATION = "30/minute;300/hour"  # messages; who presses buttons fast sends one in 2 s
OF_ADDRESS = "240/minute;3000/hour"  # messages
# Beyond the limits: how many messages are still read for danger. Reading one takes some
# 3 ms of the one event loop, so 20 a second leave it free for everybody else.
READ_OF_ADDRESS = "300/minute"
READ_IN_ALL = "1200/minute"
_MOST_KEYS = 100_000
_SWEEP_SECONDS = 60  # between forgetting all counts that have ended
_IPV6_SITE = 64  # bits of an IPv6 address that one household or office has for itself


@dataclasses.dataclass(frozen=True)
class Pace:
    """What may be done for one message.

    Attributes:
        wait: seconds after which the sender may go on; 0 within the limits.
        read: whether the safety screen may read it; always within the limits.
    """

    wait: int = 0
    read: bool = True


WITHIN_LIMITS = Pace()


class Limits:
    """Counts what every sender asks.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float]):
        self._seconds = seconds
        self._counts = _Counts(seconds)
        self._limiter = FixedWindowRateLimiter(self._counts)
        self._key = secrets.token_bytes(16)
        self._openings = parse_many(OPENINGS)
        self._of_conversation = parse_many(OF_CONVERSATION)
        self._of_address = parse_many(OF_ADDRESS)
        self._read_of_address = parse_many(READ_OF_ADDRESS)
        self._read_in_all = parse_many(READ_IN_ALL)

    def sender(self, connection: HTTPConnection) -> str:
        """Stands for the address that `connection` comes from; not the address itself.

        What X-Forwarded-For says has been judged before, see `bot.gateway.run`.
        """
        address = sender_address(connection.client.host if connection.client else "")
        return hashlib.blake2b(address.encode(), key=self._key, digest_size=12).hexdigest()

    def opening(self, sender: str) -> int:
        """Count a new conversation; seconds to wait, 0 if it may be opened."""
        return self._count(self._openings, "opening", sender)

    def message(self, sender: str, conversation: str) -> Pace:
        """Count a message.

        Args:
            sender: from `sender`.
            conversation: its id, as the sender says.
        """
        # Both are counted: a flood in one conversation is one of its address too.
        wait = max(
            self._count(self._of_address, "message", sender),
            # An id that was made up must not use up what its visitor has.
            self._count(self._of_conversation, "talk", sender, conversation),
        )
        if not wait:
            return WITHIN_LIMITS
        beyond = self._count(self._read_of_address, "read", sender)
        # A flood of one address must not use up what is left for everybody.
        beyond = beyond or self._count(self._read_in_all, "read")
        return Pace(wait, read=not beyond)

    def _count(self, items: Sequence[RateLimitItem], *names: str) -> int:
        """Count one for `names`; seconds until it would have been within every limit."""
        wait = 0.0
        for item in items:
            if not self._limiter.hit(item, *names):
                ends, _ = self._limiter.get_window_stats(item, *names)
                wait = max(wait, ends - self._seconds(), 1.0)
        return math.ceil(wait)


def sender_address(peer: str) -> str:
    """The address that counts: of IPv6 its /64, in which one sender can change at will."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_SITE), strict=False))


class _Counts(Storage):  # type: ignore[misc]
    """Counts with an end, in memory.

    The library's own storage starts a thread for every count, which goes through all of
    them; this one forgets what has ended once a minute, and the oldest when it is full.
    """

    STORAGE_SCHEME = None

    def __init__(self, seconds: Callable[[], float]):
        super().__init__()
        self._seconds = seconds
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, end
        self._swept = seconds()

    def incr(self, key: str, expiry: int, elastic_expiry: bool = False, amount: int = 1) -> int:
        """Add `amount`; the first one begins a window of `expiry` seconds."""
        if self._seconds() >= self._swept + _SWEEP_SECONDS:
            self._sweep()
        count = self.get(key)
        ends = self._counts[key][1] if count else self._seconds() + expiry
        self._counts[key] = (count + amount, ends)
        while len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        """The count of the present window; 0 if there is none."""
        count, ends = self._counts.get(key, (0, 0.0))
        if ends <= self._seconds():
            self._counts.pop(key, None)
            return 0
        return count

    def get_expiry(self, key: str) -> int:
        """When the present window has ended, by the clock, in whole seconds."""
        return math.ceil(self._counts.get(key, (0, self._seconds()))[1])

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> None:
        """Forget every count."""
        self._counts.clear()

    def clear(self, key: str) -> None:
        """Forget one count."""
        self._counts.pop(key, None)

    def _sweep(self) -> None:
        self._swept = self._seconds()
        ended = [key for key, (_, ends) in self._counts.items() if ends <= self._swept]
        for key in ended:
            del self._counts[key]
