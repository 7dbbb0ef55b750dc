"""Notices by webhook, to a real HTTP server, verified by the standard's own library."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest
from standardwebhooks import WebhookVerificationError

from bot.store import reading
from bot.store.outbox import Outbox
from bot.worker.delivery import MOST_REFUSALS
from tests.worker.conftest import CONSOLE, NOON, danger, deliverer, hooked, put, told, verified


@pytest.fixture
def hooked_clinic(shipped, receiver):
    return hooked(shipped, receiver.url)


@pytest.fixture
def now(clock):
    """The library refuses signatures that are not of the present."""
    clock.now = datetime.now(timezone.utc)
    return clock


def undelivered(engine):
    with reading(engine) as db:
        return Outbox(db).undelivered()


def test_a_notice_is_posted_and_its_signature_holds(engine, now, receiver, hooked_clinic):
    put(engine, hooked_clinic, danger())
    deliverer(engine, now, clinic=hooked_clinic).deliver_due()
    [(headers, body)] = receiver.came
    assert headers["content-type"] == "application/json"
    assert verified(headers, body) == {
        "type": "handrail.new",
        "timestamp": NOON.isoformat(),
        "data": {
            "clinic": "greater_boston",
            "code": "K7M-000",
            "urgency": "urgent",
            "console": CONSOLE,
        },
    }
    assert undelivered(engine) == []


def test_a_changed_body_does_not_verify(engine, now, receiver, hooked_clinic):
    put(engine, hooked_clinic, danger())
    deliverer(engine, now, clinic=hooked_clinic).deliver_due()
    [(headers, body)] = receiver.came
    with pytest.raises(WebhookVerificationError):
        verified(headers, body.replace(b"urgent", b"routine"))


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_an_error_of_the_receiver_is_tried_again_with_the_same_id(
    engine, now, receiver, hooked_clinic, status
):
    put(engine, hooked_clinic, danger())
    worker = deliverer(engine, now, clinic=hooked_clinic)
    receiver.answers = status
    for _ in range(MOST_REFUSALS + 2):
        worker.deliver_due()
        now.forward(minutes=5)
    [waiting] = undelivered(engine)
    assert (waiting.dead, waiting.attempts) == (None, MOST_REFUSALS + 2)
    assert waiting.last_error == f"the webhook answered {status}"
    receiver.answers = 204
    worker.deliver_due()
    assert undelivered(engine) == []
    assert len(receiver.ids) == MOST_REFUSALS + 3
    assert len(set(receiver.ids)) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
def test_a_refusal_is_dead_after_a_few_tries(engine, now, receiver, hooked_clinic, status):
    put(engine, hooked_clinic, danger())
    worker = deliverer(engine, now, clinic=hooked_clinic)
    receiver.answers = status
    for _ in range(MOST_REFUSALS + 2):
        worker.deliver_due()
        now.forward(minutes=5)
    assert len(receiver.came) == MOST_REFUSALS
    [dead] = undelivered(engine)
    assert dead.dead is not None


def test_a_receiver_that_does_not_answer_is_tried_again(engine, now, receiver, hooked_clinic):
    put(engine, hooked_clinic, danger(1), danger(2))
    receiver.answers = None
    deliverer(engine, now, clinic=hooked_clinic, patience=0.1).deliver_due()
    assert len(receiver.came) == 1, "the second one does not wait for the same silence"
    assert {each.last_error for each in undelivered(engine)} == {
        "the webhook cannot be reached (TimeoutError)"
    }
    receiver.answers = 200
    now.forward(minutes=5)
    deliverer(engine, now, clinic=hooked_clinic).deliver_due()
    assert undelivered(engine) == []


def test_a_receiver_that_never_comes_to_an_end_holds_up_nobody(
    engine, now, receiver, hooked_clinic
):
    put(engine, hooked_clinic, danger())
    receiver.drips = 0.05
    end = threading.Timer(10, receiver.release.set)  # so that a failing test comes to one
    end.start()
    deliverer(engine, now, clinic=hooked_clinic, patience=0.3).deliver_due()
    end.cancel()
    assert not receiver.release.is_set()
    assert len(undelivered(engine)) == 1


def test_a_silent_webhook_holds_up_no_e_mail(engine, now, receiver, mail_house, shipped):
    clinic = told(
        shipped,
        coordinators=["intake@clinic.example"],
        webhook={"url": receiver.url, "secret_from": "HOOK_SECRET"},
    )
    put(engine, clinic, danger())
    receiver.answers = None
    mail_house.on_mail = receiver.release.set  # the webhook is held until the e-mail is there
    deliverer(engine, now, smtp=mail_house.url, clinic=clinic).deliver_due()
    assert mail_house.recipients == ["intake@clinic.example"]


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({}, "HOOK_SECRET, the secret of a webhook, is not set"),
        ({"HOOK_SECRET": "whsec_short"}, "must be whsec_ and base64"),
        ({"HOOK_SECRET": "whsec_" + "!" * 40}, "must be whsec_ and base64"),
        ({"HOOK_SECRET": "A" * 40}, "must be whsec_ and base64"),
    ],
)
def test_without_its_secret_nothing_is_posted_and_nothing_is_lost(
    engine, now, receiver, hooked_clinic, environment, reason
):
    put(engine, hooked_clinic, danger())
    deliverer(engine, now, clinic=hooked_clinic, environment=environment).deliver_due()
    [waiting] = undelivered(engine)
    assert reason in (waiting.last_error or "")
    assert (waiting.attempts, receiver.came) == (0, [])
    now.forward(minutes=1)
    deliverer(engine, now, clinic=hooked_clinic).deliver_due()
    assert len(receiver.came) == 1


def test_a_webhook_that_left_the_profile_gets_nothing(engine, now, receiver, shipped):
    put(engine, hooked(shipped, receiver.url), danger())
    deliverer(engine, now, clinic=shipped).deliver_due()
    [waiting] = undelivered(engine)
    assert waiting.last_error == "this webhook no longer stands in the clinic's profile"
    assert receiver.came == []
