"""The words of notices: a subject and text for e-mail, a JSON body for webhooks.

For staff, in English. Nothing goes in but the payload and the address of the console.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.notify.notice import (
    AGAIN,
    DIGEST,
    LOST_TEXT,
    NEW,
    ROUTINE,
    STILL_WAITING,
    SUPERVISOR,
    URGENT,
)

_SUBJECTS = {
    (NEW, URGENT): "New urgent request {code}",
    (NEW, ROUTINE): "New request {code}",
    (AGAIN, URGENT): "Not claimed yet: urgent request {code}",
    (SUPERVISOR, URGENT): "For supervisors: urgent request {code} is not claimed",
    (STILL_WAITING, URGENT): "Still not claimed: urgent request {code}",
    (LOST_TEXT, URGENT): "A text could not be delivered: urgent request {code}",
    (LOST_TEXT, ROUTINE): "A text could not be delivered: request {code}",
}


def subject_of(kind: str, payload: Mapping[str, Any]) -> str:
    """The one line that says what it is about."""
    if kind == DIGEST:
        urgent, routine = (len(payload["codes"][urgency]) for urgency in (URGENT, ROUTINE))
        told = f"{urgent} urgent, {routine} other" if urgent or routine else "nothing came in"
        line = f"While you were closed: {told}"
    else:
        line = _SUBJECTS[kind, payload["urgency"]].format(code=payload["code"] or "without a code")
    return f"[{payload['clinic_name']}] {line}"


def text_of(kind: str, payload: Mapping[str, Any], console: str) -> str:
    """The whole text of the e-mail.

    Args:
        console: the address at which staff open the console.
    """
    # The address on a line of its own: mail programs would break a longer line.
    ending = (
        f"Open the console:\n{console}\n\n"
        "This message says nothing about the person on purpose. Do not answer it.\n"
    )
    if kind != DIGEST:
        line = _SUBJECTS[kind, payload["urgency"]].format(code=payload["code"] or "without a code")
        return f"{line}.\n\n{ending}"
    codes = payload["codes"]
    lines = [f"Closed from {_moment(payload['since'])} to {_moment(payload['until'])}.", ""]
    for urgency, name in ((URGENT, "Urgent"), (ROUTINE, "Other requests for a call")):
        lines += [f"{name}: {len(codes[urgency])}", *(f"  {code}" for code in codes[urgency])]
    return "\n".join([*lines, "", ending])


def body_of(
    kind: str, clinic: str, payload: Mapping[str, Any], created: datetime, console: str
) -> str:
    """The webhook's body, the same at every attempt.

    Source: Standard Webhooks, "Payload structure"
    (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
    """
    told = {name: value for name, value in payload.items() if name != "clinic_name"}
    if kind == DIGEST:
        told["counts"] = {urgency: len(codes) for urgency, codes in payload["codes"].items()}
    return json.dumps(
        {
            "type": f"handrail.{kind}",
            "timestamp": created.isoformat(),
            "data": {"clinic": clinic, **told, "console": console},
        },
        sort_keys=True,
    )


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%a %b %d, %I:%M %p")
