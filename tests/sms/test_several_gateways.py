"""Several gateways on one database: a text is worked once, and a number's texts in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.gateway.texting import Texting
from bot.gateway.turn import Turns
from bot.store import Conflict, open_engine, writing
from bot.store.sms_inbox import INBOX_LEASE, SmsInbox
from bot.store.tables import sms_outbox
from tests.gateway.conftest import ScriptedBrain, WordScreen
from tests.keys import VAULT
from tests.sms.conftest import VISITOR
from tests.sms.test_store import NOON, arrival, came


def take(engine, conversation: str, holder: str, now=NOON) -> str | None:
    with writing(engine) as db:
        received = SmsInbox(db).take(conversation, holder, now)
    return received and received.sid


def make_gateway(engine, clinics, words, clock, brain: ScriptedBrain, holder: str) -> Texting:
    turns = Turns(
        clinics=clinics,
        screen=WordScreen(),
        words=words,
        engine=engine,
        brain=brain,
        deadline=30.0,
    )
    return Texting(clinics=clinics, turns=turns, engine=engine, clock=clock, holder=holder)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine must not look like a store that is too slow."""
    monkeypatch.setattr("bot.gateway.texting.ACCEPT_SECONDS", 30.0)


@pytest.fixture
def engines(both_databases):
    """Two engines on one database, as two processes have them."""
    other = open_engine(both_databases.url.render_as_string(hide_password=False), VAULT)
    yield both_databases, other
    other.dispose()


def test_a_number_belongs_to_one_gateway_at_a_time(engines):
    one, other = engines
    [conversation, *_] = came(one, arrival("1"), arrival("2"))
    assert take(one, conversation, "one") == "1"
    assert take(other, conversation, "other") is None
    with writing(one) as db:
        SmsInbox(db).done(SmsInbox(db).take(conversation, "one", NOON), "one", NOON)
    assert take(other, conversation, "other") is None, "the second text waits for its turn"
    assert take(one, conversation, "one") == "2"


def test_a_number_without_texts_is_free_for_everybody(engines):
    one, other = engines
    [conversation] = came(one, arrival("1"))
    with writing(one) as db:
        SmsInbox(db).done(SmsInbox(db).take(conversation, "one", NOON), "one", NOON)
        assert SmsInbox(db).take(conversation, "one", NOON) is None
    came(other, arrival("2"))
    assert take(other, conversation, "other") == "2"


@pytest.mark.parametrize("clock", [timedelta(seconds=21), -timedelta(hours=1)])
def test_the_lease_of_a_dead_gateway_runs_out_whatever_the_clock_does(engines, clock):
    one, other = engines
    [conversation] = came(one, arrival("1"))
    take(one, conversation, "dead")
    later = NOON + clock
    with writing(other) as db:
        assert SmsInbox(db).waiting("other", later) == [conversation]
    assert take(other, conversation, "other", later) == "1"


def test_a_gateway_that_was_too_slow_writes_nothing(engines):
    one, other = engines
    [conversation] = came(one, arrival("1"))
    with writing(one) as db:
        slow = SmsInbox(db).take(conversation, "slow", NOON)
    take(other, conversation, "other", NOON + INBOX_LEASE)
    with pytest.raises(Conflict), writing(one) as db:
        SmsInbox(db).done(slow, "slow", NOON)


async def test_what_another_gateway_commits_at_the_same_moment_is_no_trouble(
    engines, clinics, words, clock
):
    """Both meet a new number, and one text is delivered to both."""
    one, other = engines
    gateway = make_gateway(one, clinics, words, clock, ScriptedBrain(), "one")
    with writing(other) as db:
        SmsInbox(db).add([arrival("1")], NOON)
        accepting = [asyncio.create_task(gateway.accept(arrival(sid))) for sid in "12"]
        while not waits_for_the_other(one):
            await asyncio.sleep(0)
    assert len(set(await asyncio.gather(*accepting))) == 1
    while gateway._at_work:
        await asyncio.gather(*gateway._at_work.values())
    with one.connect() as db:
        keys = list(db.execute(sa.select(sms_outbox.c.key)).scalars())
    assert {key.partition(":")[0] for key in keys} == {"1", "2"}


def waits_for_the_other(engine) -> bool:
    """Whether a transaction waits for a row of another; SQLite has one writer at a time."""
    if engine.dialect.name == "sqlite":
        return True
    with engine.connect() as db:
        return bool(db.execute(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())


async def test_two_gateways_answer_every_text_once_and_in_order(engines, clinics, words, clock):
    """Texts of ten numbers come to both; each gateway has a brain of its own."""
    brains = [ScriptedBrain(), ScriptedBrain()]
    for brain in brains:
        brain.seconds = 0.01

    gateways = [
        make_gateway(engine, clinics, words, clock, brain, str(n))
        for n, (engine, brain) in enumerate(zip(engines, brains, strict=True))
    ]
    numbers = [f"{VISITOR[:-2]}{n}" for n in range(10, 20)]
    for n in range(3):
        for which, number in enumerate(numbers):
            text = arrival(f"{number}.{n}", number, text=f"{number} says {n}")
            await gateways[(n + which) % 2].accept(text)
    while any(gateway._at_work for gateway in gateways):
        await asyncio.gather(*(t for g in gateways for t in [*g._at_work.values()]))
    for gateway in gateways:
        for conversation in gateway._waiting():
            await gateway.work_off(conversation)
    asked = [request for brain in brains for request in brain.requests]
    assert len(asked) == len({request.message_id for request in asked}) == 30
    with engines[0].connect() as db:
        keys = list(db.execute(sa.select(sms_outbox.c.key).order_by(sms_outbox.c.seq)).scalars())
    for number in numbers:
        assert [key for key in keys if key.startswith(number)] == [
            f"{number}.{n}:0" for n in range(3)
        ]
