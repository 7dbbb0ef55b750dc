"""Where a text is that we handed in: states in order, and what error codes mean. Pure.

Sources: https://www.twilio.com/docs/messaging/api/message-resource (status values),
https://www.twilio.com/docs/api/errors (codes).
"""

from __future__ import annotations

from datetime import timedelta

_RANKS = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "partially_delivered": 4,
    "delivered": 5,
    "undelivered": 5,
    "failed": 5,
    "canceled": 5,
    "read": 6,
}
NOT_DELIVERED = ("undelivered", "failed", "canceled")

OPTED_OUT_CODES = frozenset({"21610"})
"""The number has opted out with the provider, perhaps behind our back."""

_NEVER = {
    "21211": "this is no phone number",
    "21214": "this number cannot be reached",
    "21408": "the account may not text to this country",
    "21610": "the number has opted out with Twilio",
    "21612": "there is no way from our number to this one",
    "21614": "this number cannot receive texts",
    "21617": "the text is too long",
    "30003": "the phone is off or out of reach",
    "30004": "the number has blocked us",
    "30005": "there is no such number",
    "30006": "a landline, or a carrier that cannot be reached",
    "30007": "the carrier took it for spam",
    "30008": "the carrier does not say why",
    "30032": "the toll-free number is not verified",
    "30034": "the number is not registered (A2P 10DLC)",
}


LATE = timedelta(minutes=5)
"""After so long a text that waits to be sent has waited too long."""


def moves_on(known: str | None, status: str) -> bool:
    """Whether `status` is news: callbacks may come late and in any order."""
    return status in _RANKS and _RANKS[status] > _RANKS.get(known or "", -1)


def reason_of(code: str) -> str:
    """What an error code says, for staff and operators."""
    return f"{code}: {_NEVER.get(code, 'see twilio.com/docs/api/errors')}"
