"""What notices say, in e-mails and webhook bodies."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from bot.notify.notice import AGAIN, DIGEST, NEW, STILL_WAITING, SUPERVISOR
from bot.notify.wording import body_of, subject_of, text_of

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=timezone.utc)
REQUEST = {"clinic_name": "Greater Boston", "code": "K7M-4QX", "urgency": "urgent"}
NIGHT = {
    "clinic_name": "Greater Boston",
    "since": "2026-11-17T18:00-05:00",
    "until": "2026-11-18T08:30-05:00",
    "codes": {"urgent": ["AAA-222"], "routine": ["CCC-222", "DDD-222"]},
}


@pytest.mark.parametrize(
    ("kind", "changes", "line"),
    [
        (NEW, {}, "New urgent request K7M-4QX"),
        (NEW, {"urgency": "routine"}, "New request K7M-4QX"),
        (NEW, {"code": None}, "New urgent request without a code"),
        (AGAIN, {}, "Not claimed yet: urgent request K7M-4QX"),
        (SUPERVISOR, {}, "For supervisors: urgent request K7M-4QX is not claimed"),
        (STILL_WAITING, {}, "Still not claimed: urgent request K7M-4QX"),
    ],
)
def test_each_kind_has_its_line(kind, changes, line):
    payload = {**REQUEST, **changes}
    assert subject_of(kind, payload) == f"[Greater Boston] {line}"
    assert text_of(kind, payload, "https://x.example/console").startswith(
        f"{line}.\n\nOpen the console:\nhttps://x.example/console\n"
    )


def test_a_digest_counts_and_lists_codes():
    assert subject_of(DIGEST, NIGHT) == "[Greater Boston] While you were closed: 1 urgent, 2 other"
    assert text_of(DIGEST, NIGHT, "https://x.example/console").splitlines()[:8] == [
        "Closed from Tue Nov 17, 06:00 PM to Wed Nov 18, 08:30 AM.",
        "",
        "Urgent: 1",
        "  AAA-222",
        "Other requests for a call: 2",
        "  CCC-222",
        "  DDD-222",
        "",
    ]


def test_an_empty_night_says_so():
    empty = {**NIGHT, "codes": {"urgent": [], "routine": []}}
    assert subject_of(DIGEST, empty) == "[Greater Boston] While you were closed: nothing came in"


def test_a_webhooks_body_of_a_digest_counts_too():
    body = json.loads(body_of(DIGEST, "greater_boston", NIGHT, NOON, "https://x.example/console"))
    assert body["type"] == "handrail.digest"
    assert body["data"]["counts"] == {"urgent": 1, "routine": 2}
    assert body["data"]["codes"] == NIGHT["codes"]
