"""What goes wrong on the way to staff: nothing is lost, nothing comes twice under two ids."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta, timezone
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.handoff.desk import HandoffDesk
from bot.handoff.records import HandoffRecord
from bot.handoff.reference import new_reference
from bot.store import Alerts, Conversations, reading, writing
from bot.store.casework import LEASE as CLAIM
from bot.store.casework import Casework
from bot.store.handoffs import Handoffs
from bot.store.outbox import LEASE, Outbox
from bot.store.records import Alert
from bot.store.tables import staff
from bot.vocabulary import HANDOFFS, LEVELS, TIERS
from bot.worker.delivery import wait_after
from bot.worker.rounds import page, tell_of_the_night
from tests.store.test_repositories import conversation
from tests.worker.conftest import CONSOLE, NOON, danger, deliverer, hooked, put, told

# Before a night, in it, and the opening after it (Wednesday to Thursday, in Boston).
EVENING = datetime(2026, 11, 18, 23, 0, tzinfo=timezone.utc)
NIGHT = datetime(2026, 11, 19, 7, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
OPENING = datetime(2026, 11, 19, 13, 30, tzinfo=timezone.utc)


def undelivered(engine):
    with reading(engine) as db:
        return Outbox(db).undelivered()


def record(number: int, **changes) -> HandoffRecord:
    values = {
        "conversation": f"greater_boston.{number}",
        "clinic": "greater_boston",
        "channel": "web",
        "kind": "callback",
        "language": "en",
        "tier": "none",
        "phone": f"+1617555{number:04}",
        **changes,
    }
    return HandoffRecord(**values)


def store(engine, number: int, now: datetime, **changes) -> str:
    """A record as the desk writes it, without telling anybody."""
    reference = new_reference(Random(number))
    with writing(engine) as db:
        Handoffs(db).add(reference, record(number, **changes), now, now.date())
    return reference


# --- the mail server ----------------------------------------------------------------------


def test_a_mail_server_down_for_an_hour_costs_nothing_and_doubles_nothing(
    engine, clock, mail_house, clinic
):
    put(engine, clinic, danger(1), danger(2))
    worker = deliverer(engine, clock, smtp=mail_house.url)
    mail_house.stop()
    while clock.now < NOON + timedelta(hours=1):
        worker.deliver_due()
        clock.forward(minutes=1)
    assert {each.last_error for each in undelivered(engine)} == {
        "the mail server cannot be used (ConnectionRefusedError)"
    }
    mail_house.start()
    while clock.now <= NOON + timedelta(hours=1, minutes=5):
        worker.deliver_due()
        clock.forward(minutes=1)
    assert undelivered(engine) == []
    ids = [message["Message-ID"] for message in mail_house.messages]
    assert len(ids) == len(set(ids)) == 2


def test_without_a_mail_server_everything_is_kept_and_goes_out_once_there_is_one(
    engine, clock, mail_house, clinic, monkeypatch
):
    monkeypatch.setattr("bot.worker.delivery.MOST_ATTEMPTS", 3)
    put(engine, clinic, danger())
    for _ in range(5):
        clock.forward(minutes=5)
        deliverer(engine, clock, smtp=None).deliver_due()
    [kept] = undelivered(engine)
    assert (kept.attempts, kept.dead) == (0, None)
    assert kept.last_error == "HANDRAIL_SMTP is not set, so no e-mail can be sent"
    clock.forward(minutes=1)
    deliverer(engine, clock, smtp=mail_house.url).deliver_due()
    assert mail_house.recipients == ["intake@clinic.example"]


def test_an_address_that_does_not_exist_is_dead_after_a_few_tries_and_holds_up_nobody(
    engine, clock, mail_house, shipped
):
    put(engine, told(shipped, coordinators=["gone@clinic.example"]), danger(1))
    worker = deliverer(engine, clock, smtp=mail_house.url)
    mail_house.says = "550 no such user"
    for _ in range(6):
        worker.deliver_due()
        clock.forward(minutes=5)
    [dead] = undelivered(engine)
    assert (dead.attempts, dead.dead is not None) == (5, True)
    mail_house.says = None
    put(engine, told(shipped, coordinators=["here@clinic.example"]), danger(2))
    worker.deliver_due()
    assert mail_house.recipients == ["here@clinic.example"]


def test_waits_double_and_have_a_limit_and_differ():
    random = Random(7)
    waits = [wait_after(attempts, random).total_seconds() for attempts in range(1, 40)]
    for attempts, wait in enumerate(waits, start=1):
        longest = min(15 * 2 ** (attempts - 1), 300)
        assert longest / 2 <= wait <= longest
    assert len(set(waits)) == len(waits)


# --- workers ------------------------------------------------------------------------------


class Killed(BaseException):
    """What a kill is to a process: nothing after it is done."""


def test_a_worker_killed_between_sending_and_writing_it_down_sends_twice_under_one_id(
    either_engine, clock, mail_house, clinic, monkeypatch
):
    put(either_engine, clinic, danger(1), danger(2))
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "delivered", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            deliverer(either_engine, clock, smtp=mail_house.url).deliver_due()
    assert len(mail_house.came) == 1
    restarted = deliverer(either_engine, clock, smtp=mail_house.url)
    assert restarted.release() == 2
    restarted.deliver_due()
    sent = Counter(message["Message-ID"] for message in mail_house.messages)
    assert sorted(sent.values()) == [1, 2]
    assert undelivered(either_engine) == []


def test_what_a_dead_workers_lease_held_another_one_sends_later(engine, clock, mail_house, clinic):
    put(engine, clinic, danger())
    with writing(engine) as db:
        Outbox(db).take("a machine that is gone", clock.now, 10)
    other = deliverer(engine, clock, smtp=mail_house.url, holder="two")
    other.deliver_due()
    assert mail_house.came == []
    clock.now += LEASE
    other.deliver_due()
    assert len(mail_house.came) == 1


def test_two_workers_at_once_send_everything_once(either_engine, clock, mail_house, clinic):
    put(either_engine, clinic, *(danger(number) for number in range(30)))
    barrier = threading.Barrier(2)

    def work(holder: str) -> None:
        barrier.wait()
        deliverer(either_engine, clock, smtp=mail_house.url, holder=holder).deliver_due()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [message["Message-ID"] for message in mail_house.messages]
    assert len(ids) == len(set(ids)) == 30
    assert undelivered(either_engine) == []


def test_two_workers_that_look_at_once_page_and_tell_once(either_engine, clinic):
    store(either_engine, 1, NIGHT, tier="crisis_self")
    now = OPENING + timedelta(minutes=2)
    barrier = threading.Barrier(3)

    def look() -> None:
        barrier.wait()
        page(either_engine, {clinic.id: clinic}, now)
        tell_of_the_night(either_engine, {clinic.id: clinic}, now)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(each.kind for each in undelivered(either_engine)) == {
        "still_waiting": 2,
        "digest": 1,
    }


def test_a_mistake_of_ours_ends_no_worker_and_shows(engine, clock, mail_house, clinic, monkeypatch):
    put(engine, clinic, danger())
    monkeypatch.setattr("bot.worker.mail.subject_of", lambda *_: 1 / 0)
    deliverer(engine, clock, smtp=mail_house.url).deliver_due()
    [waiting] = undelivered(engine)
    assert waiting.last_error == "ZeroDivisionError in Handrail itself"


# --- the clock ------------------------------------------------------------------------------


def test_a_clock_that_jumps_an_hour_either_way_loses_and_doubles_nothing(
    engine, clock, mail_house, clinic
):
    clinics = {clinic.id: clinic}
    store(engine, 1, NOON, tier="crisis_self")
    put(engine, clinic, danger())
    worker = deliverer(engine, clock, smtp=mail_house.url)
    mail_house.says = "451 later"
    worker.deliver_due()
    for jump in (1, -1, 1, -1):
        clock.forward(hours=jump, minutes=1)
        page(engine, clinics, clock.now)
        worker.deliver_due()
    mail_house.says = None
    clock.forward(minutes=5)
    worker.deliver_due()
    assert undelivered(engine) == []
    ids = [message["Message-ID"] for message in mail_house.messages]
    assert len(ids) == len(set(ids))
    subjects = Counter(
        message["Subject"].partition("] ")[2][:12] for message in mail_house.messages
    )
    assert subjects == {"New urgent r": 1, "For supervis": 1}


# --- the night -------------------------------------------------------------------------------


def test_unclaimed_danger_of_the_night_pages_step_by_step(either_engine, clinic):
    code = store(either_engine, 1, NIGHT, tier="crisis_self")
    store(either_engine, 2, NIGHT)
    clinics = {clinic.id: clinic}
    kinds: list[tuple[int, str]] = []
    for minute in range(0, 160, 5):
        now = NIGHT + timedelta(minutes=minute)
        if page(either_engine, clinics, now):
            kinds.append((minute, undelivered(either_engine)[-1].kind))
    assert kinds == [
        *((15, "again"), (30, "supervisor"), (90, "still_waiting"), (150, "still_waiting"))
    ]
    assert {each.subject for each in undelivered(either_engine)} == {code}


def test_a_night_of_500_is_one_digest_even_with_restarts(either_engine, clock, mail_house, clinic):
    with writing(either_engine) as db:
        for number in range(500):
            urgent = {"tier": "crisis_self"} if number % 50 == 0 else {}
            Handoffs(db).add(f"C{number:05}", record(number, **urgent), NIGHT, NIGHT.date())
    store(either_engine, 9001, EVENING - timedelta(minutes=1))  # before closing
    store(either_engine, 9002, OPENING)  # after opening
    clinics = {clinic.id: clinic}
    for minute in (-30, 0, 1, 2, 60, 500):
        clock.now = OPENING + timedelta(minutes=minute)
        tell_of_the_night(either_engine, clinics, clock.now)
        deliverer(either_engine, clock, smtp=mail_house.url).deliver_due()
    [digest] = mail_house.messages
    assert digest["Subject"] == "[Greater Boston] While you were closed: 10 urgent, 490 other"
    listed = [line.strip() for line in digest.get_content().splitlines() if line[:3] == "  C"]
    assert listed[:10] == [f"C{number:05}" for number in range(0, 500, 50)]
    assert len(listed) == len(set(listed)) == 500


def test_an_urgent_notice_overtakes_a_backlog(engine, clock, mail_house, clinic):
    desk = HandoffDesk(engine, {clinic.id: clinic})
    for number in range(3):
        desk.record(record(number), NOON)
    code = desk.record(record(7, tier="crisis_self"), NOON + timedelta(minutes=1)).reference
    clock.forward(minutes=1)
    deliverer(engine, clock, smtp=mail_house.url).deliver_due()
    assert code in mail_house.messages[0]["Subject"]


# --- what leaves the house ----------------------------------------------------------------------

# Between signs that no notice has: "urgent" alone stands in our own words, too.
words = st.text(
    st.characters(whitelist_categories=("Ll", "Lu", "Nd", "Po")), min_size=6, max_size=30
).map(lambda word: f"|{word}|")


@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    made=st.builds(
        HandoffRecord,
        conversation=st.uuids().map(lambda each: f"greater_boston.{each.hex}"),
        clinic=st.just("greater_boston"),
        channel=st.sampled_from(["web", "sms"]),
        kind=st.sampled_from(HANDOFFS),
        language=st.sampled_from(["en", "es"]),
        tier=st.sampled_from(TIERS),
        tier_rule=words,
        level=st.sampled_from(LEVELS),
        at_least=st.sampled_from(LEVELS),
        answers=st.dictionaries(words, words, max_size=3),
        name=words,
        phone=st.integers(2000000, 9999999).map(lambda number: f"+1617{number}"),
        best_time=words,
        consent=words,
    )
)
def test_nothing_of_a_record_but_code_urgency_and_clinic_is_in_what_was_sent(
    engine, clock, mail_house, receiver, shipped, made
):
    clinic = hooked(shipped, receiver.url)
    both = {"coordinators": ["a@clinic.example"], "webhook": clinic.notifications.webhook}
    clinic = told(shipped, **both)
    mail_house.came.clear()
    receiver.came.clear()
    recorded = HandoffDesk(engine, {clinic.id: clinic}).record(made, NOON)
    deliverer(engine, clock, smtp=mail_house.url, clinic=clinic).deliver_due()
    sent = [content for _, content in mail_house.came]
    sent += [body + repr(sorted(headers.items())).encode() for headers, body in receiver.came]
    forbidden = [
        *(made.conversation, made.tier_rule, made.name, made.phone, made.phone[2:], made.best_time),
        *(made.consent, *made.answers, *made.answers.values()),
    ]
    if made.tier != "none":
        forbidden.append(made.tier)
    if made.level not in (None, "emergency") or made.tier == "none":
        forbidden.append(str(made.level))
    for content in sent:
        assert recorded.reference.encode() in content
        for word in forbidden:
            assert str(word).encode() not in content, word
        assert CONSOLE.encode() in content


# --- what staff do stops the pages ------------------------------------------------------------


def paged(engine, clinic, now: datetime) -> list[str]:
    """Kinds of the pages that are new at `now`."""
    before = {each.id for each in undelivered(engine)}
    page(engine, {clinic.id: clinic}, now)
    return sorted({each.kind for each in undelivered(engine) if each.id not in before})


@pytest.fixture
def waiting(either_engine):
    """Code of a request in danger, waiting since NIGHT, and a coordinator's number."""
    code = HandoffDesk(either_engine, {}).record(record(1, tier="crisis_self"), NIGHT).reference
    with writing(either_engine) as db:
        db.execute(
            sa.insert(staff).values(
                id=1, name="ana", full_name="Ana", role="coordinator", clinics=[],
                password_hash="", created=NIGHT,
            )
        )  # fmt: skip
    return code


def test_a_claimed_request_pages_nobody_until_its_claim_runs_out(either_engine, clinic, waiting):
    with writing(either_engine) as db:
        assert Casework(db).claim(waiting, 1, NIGHT + 10 * MINUTE)
    assert paged(either_engine, clinic, NIGHT + 20 * MINUTE) == []
    ended = NIGHT + 10 * MINUTE + CLAIM
    assert paged(either_engine, clinic, ended + 14 * MINUTE) == []
    assert paged(either_engine, clinic, ended + 15 * MINUTE) == ["again"]


def close(engine, code: str, now: datetime) -> None:
    with writing(engine) as db:
        cases = Casework(db)
        assert cases.claim(code, 1, now)
        cases.write(code, 1, now, "close", "reached")
        assert cases.change(
            code, 1, now, was="new", status="closed", claimed_by=None, claimed_until=None
        )


def test_a_closed_request_pages_nobody(either_engine, clinic, waiting):
    close(either_engine, waiting, NIGHT + 10 * MINUTE)
    assert paged(either_engine, clinic, NIGHT + timedelta(days=1)) == []


def test_danger_after_the_closing_pages_from_its_first_message(either_engine, clinic, waiting):
    close(either_engine, waiting, NIGHT + 10 * MINUTE)
    again = NIGHT + timedelta(hours=5)
    for minute in (0, 10):  # a second message does not begin the wait anew
        with writing(either_engine) as db:
            if minute == 0:
                Conversations(db).add(conversation("greater_boston.1"))
            Alerts(db).add(
                Alert("greater_boston.1", 2 + minute, "crisis_self", (), again + minute * MINUTE)
            )
            Casework(db).visitor_wrote("greater_boston.1", again + minute * MINUTE)
    assert paged(either_engine, clinic, again + 14 * MINUTE) == []
    assert paged(either_engine, clinic, again + 15 * MINUTE) == ["again"]
    assert paged(either_engine, clinic, again + 30 * MINUTE) == ["supervisor"]
