"""Texts go out: in order, again after trouble, never lost, at most once too often."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from itertools import permutations
from random import Random
from urllib.parse import urlencode

import pytest

from bot.sms.delivery import moves_on
from bot.store import reading
from bot.store.sms_contacts import SmsContacts
from bot.twilio import Twilio
from bot.worker.texts import TextDelivery
from tests.gateway.conftest import says
from tests.sms.conftest import NUMBER, VISITOR, Phone
from tests.sms.provider import NEW, PUBLIC, Rest, signed


@pytest.fixture
def rest() -> Iterator[Rest]:
    made = Rest()
    yield made
    made.stop()


@pytest.fixture
def worker(engine, clinics, rest, clock):
    return make_worker(engine, clinics, rest.url, clock)


def make_worker(engine, clinics, url, clock, holder="one"):
    return TextDelivery(
        engine,
        twilio_at(url),
        clinics,
        holder=holder,
        clock=clock,
        random=Random(1),
        stop=threading.Event(),
    )


def twilio_at(url: str) -> Twilio:
    return Twilio("AC1", NEW, api=url, callback=f"{PUBLIC}/sms/twilio/status", patience=5)


async def told(phone: Phone, identity: str, status: str, **fields: str):
    """Twilio's status callback for our text with this id."""
    body = urlencode({"MessageSid": "SM1", "MessageStatus": status, **fields})
    path = f"/sms/twilio/status?id={identity}"
    return await phone.web.post(
        path,
        content=body,
        headers={"x-twilio-signature": signed(body, url=f"{PUBLIC}{path}")},
    )


def refusing(code: int, status: int = 400) -> tuple[int, dict]:
    return status, {"code": code, "message": "no", "status": status}


async def test_an_answer_is_handed_in_at_twilio_with_number_and_callback(phone, worker, rest):
    await phone.texts("hello")
    worker.deliver_due()
    [text] = rest.came
    assert (text["To"], text["From"]) == (VISITOR, NUMBER)
    assert text["StatusCallback"].startswith(f"{PUBLIC}/sms/twilio/status?id=")
    assert rest.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert base64.b64decode(rest.authorization.split()[1]).decode() == f"AC1:{NEW}"
    [row] = phone.outbox()
    assert (row["sid"], row["status"], row["text"]) == ("SM1", "queued", None)


async def test_texts_of_one_number_leave_in_order(phone, brain, worker, rest):
    brain.answer = lambda _: says("one two three four. " * 60)
    parts = await phone.texts("tell me")
    worker.deliver_due()
    assert rest.texts == parts


async def test_an_hour_without_twilio_loses_nothing_and_keeps_the_order(
    phone, worker, rest, clock, engine, clinics
):
    rest.says = refusing(20500, 503)
    for text in ("first", "second"):
        await phone.texts(text)
    for _ in range(60):
        worker.deliver_due()
        clock.forward(minutes=1)
    assert rest.came == []
    rest.says = None
    clock.forward(minutes=5)
    worker.deliver_due()
    assert [text[-5:] for text in rest.texts] == ["first", "econd"]


async def test_a_twilio_that_cannot_be_reached_is_asked_again(phone, engine, clinics, rest, clock):
    gone = make_worker(engine, clinics, "http://127.0.0.1:9", clock)
    await phone.texts("hello")
    gone.deliver_due()
    assert "cannot be reached" in phone.outbox()[0]["last_error"]
    clock.forward(minutes=5)
    make_worker(engine, clinics, rest.url, clock).deliver_due()
    assert len(rest.came) == 1


async def test_an_answer_that_twilio_never_gives_is_asked_for_again(phone, worker, rest, clock):
    await phone.texts("hello")
    rest.says = (200, ["not what Twilio says"])
    worker.deliver_due()
    [row] = phone.outbox()
    assert "answer cannot be read" in row["last_error"]
    rest.says = None
    clock.forward(minutes=5)
    worker.deliver_due()
    assert len(rest.came) == 1


async def test_a_mistake_of_ours_keeps_the_text_and_shows(phone, worker, rest, monkeypatch):
    await phone.texts("hello")
    monkeypatch.setattr(Twilio, "send", lambda *_, **__: 1 / 0)
    worker.deliver_due()
    [row] = phone.outbox()
    assert (row["last_error"], row["dead"]) == ("ZeroDivisionError in Handrail itself", None)


async def test_too_many_requests_wait_longer_each_time(phone, worker, rest, clock):
    rest.says = refusing(20429, 429)
    await phone.texts("hello")
    waits = []
    for _ in range(4):
        worker.deliver_due()
        [row] = phone.outbox()
        waits.append((row["due"] - clock()).total_seconds())
        clock.now = row["due"]
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0] / 2
    rest.says = None
    worker.deliver_due()
    assert len(rest.came) == 1


async def test_one_number_in_trouble_delays_no_other(phone, web, app, engine, worker, rest):
    rest.says = refusing(20500, 500)
    await phone.texts("first")
    worker.deliver_due()
    rest.says = None
    await Phone(web, app, engine, "+16175550999").texts("other", MessageSid="SM9")
    worker.deliver_due()
    assert [text["To"] for text in rest.came] == ["+16175550999"]


async def test_a_crash_before_the_call_loses_nothing(phone, engine, clinics, rest, clock):
    await phone.texts("hello")
    dying = make_worker(engine, clinics, rest.url, clock)
    dying._batches.take(1)  # leased, and the process dies
    again = make_worker(engine, clinics, rest.url, clock)
    again.deliver_due()
    assert rest.came == [], "the lease is still another's"
    again.release()  # what every worker does when it starts
    again.deliver_due()
    assert len(rest.came) == 1


async def test_a_crash_after_the_call_sends_at_most_once_more(
    phone, engine, clinics, rest, clock, monkeypatch
):
    """A text twice is an annoyance; a lost one may be crisis help."""
    await phone.texts("hello")
    dying = make_worker(engine, clinics, rest.url, clock)
    [leased] = dying._batches.take(1)
    dying._provider.send(sender=NUMBER, to=VISITOR, text=leased.text, identity=leased.id)
    # ... and the process dies before it writes that down.
    again = make_worker(engine, clinics, rest.url, clock)
    again.release()
    for _ in range(3):
        again.deliver_due()
        clock.forward(minutes=10)
    assert len(rest.came) == 2


async def test_another_worker_takes_over_when_the_lease_is_over(
    phone, engine, clinics, rest, clock
):
    await phone.texts("hello")
    make_worker(engine, clinics, rest.url, clock, "dead")._batches.take(1)
    clock.forward(minutes=3)
    make_worker(engine, clinics, rest.url, clock, "other").deliver_due()
    assert len(rest.came) == 1


async def test_21610_is_an_opt_out_behind_our_back(phone, worker, rest):
    rest.says = refusing(21610)
    await phone.texts("hello")
    worker.deliver_due()
    contact = phone.contact()
    assert contact.opted_out is not None
    with reading(phone.engine) as db:
        kind, source, wording, _ = SmsContacts(db).ledger(contact.conversation)[-1]
    assert (kind, source, wording) == ("opted_out", "provider", "Twilio 21610")
    assert await phone.texts("hello?") == []


@pytest.mark.parametrize("code", [21211, 21614, 21408])
async def test_a_number_that_cannot_get_texts_is_given_up_with_the_reason(
    phone, worker, rest, code
):
    rest.says = refusing(code)
    await phone.texts("hello")
    worker.deliver_due()
    [row] = phone.outbox()
    assert row["dead"] is not None
    assert row["last_error"].startswith(f"{code}: ")


async def test_a_wrong_token_loses_no_text(phone, worker, rest, clock):
    rest.says = refusing(20003, 401)
    await phone.texts("hello")
    for _ in range(30):
        worker.deliver_due()
        clock.forward(minutes=2)
    rest.says = None
    worker.deliver_due()
    assert len(rest.came) == 1


async def test_after_a_day_a_text_is_given_up(phone, worker, rest, clock):
    rest.says = refusing(20500, 500)
    await phone.texts("hello")
    worker.deliver_due()
    clock.forward(hours=25)
    worker.deliver_due()
    assert phone.outbox()[0]["dead"] is not None


async def test_crisis_help_reaches_an_opted_out_number(phone, worker, rest):
    await phone.texts("STOP")
    await phone.texts("danger")
    worker.deliver_due()
    assert "opted out" in rest.texts[0]
    assert "988" in rest.texts[1]


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
async def test_callbacks_in_any_order_end_at_delivered(phone, worker, order):
    await phone.texts("hello")
    worker.deliver_due()
    [row] = phone.outbox()
    for status in order:
        assert (await told(phone, row["id"], status)).status_code == 204
    assert phone.outbox()[0]["status"] == "delivered"


async def test_a_callback_that_comes_before_the_answer_to_our_call_is_kept(
    phone, engine, clinics, rest, clock
):
    await phone.texts("hello")
    [row] = phone.outbox()
    await told(phone, row["id"], "delivered")
    make_worker(engine, clinics, rest.url, clock).deliver_due()
    [row] = phone.outbox()
    assert (row["status"], row["sid"]) == ("delivered", "SM1")


async def test_a_callback_that_is_not_signed_changes_nothing(phone, worker):
    await phone.texts("hello")
    [row] = phone.outbox()
    answer = await phone.web.post(
        f"/sms/twilio/status?id={row['id']}", content="MessageSid=SM1&MessageStatus=failed"
    )
    assert answer.status_code == 403
    assert phone.outbox()[0]["status"] is None


async def test_an_opt_out_is_also_heard_in_a_callback(phone, worker):
    await phone.texts("hello")
    worker.deliver_due()
    [row] = phone.outbox()
    await told(phone, row["id"], "failed", ErrorCode="21610")
    assert phone.contact().opted_out is not None


async def test_a_callback_for_a_text_that_nobody_knows_is_taken(phone):
    assert (await told(phone, "nobody", "sent")).status_code == 204


@pytest.mark.parametrize(
    ("known", "status", "news"),
    [
        (None, "queued", True),
        ("delivered", "sent", False),
        ("sent", "undelivered", True),
        ("failed", "delivered", False),
        ("delivered", "read", True),
        ("queued", "a new word", False),
    ],
)
def test_a_state_never_goes_back(known, status, news):
    assert moves_on(known, status) == news
