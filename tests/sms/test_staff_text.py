"""A coordinator answers by text from the card; the assistant is silent meanwhile."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.handoff.desk import HandoffDesk
from bot.store import Alerts, Audit, reading
from bot.store.sms_contacts import SmsContacts
from bot.store.tables import sms_outbox
from bot.store.vault import vault_of
from tests.console.conftest import Browser, add_staff, client_of, make_app
from tests.console.conftest import passwords as passwords
from tests.console.night import record
from tests.sms.conftest import CLINIC
from tests.sms.test_sending import make_worker, refusing, rest  # noqa: F401


class Card:
    """A record of somebody who texts, as Rosa sees it."""

    def __init__(self, rosa: Browser, reference: str):
        self.rosa, self.reference = rosa, reference

    async def page(self) -> str:
        return (await self.rosa.see(f"/console/records/{self.reference}")).text

    async def sends(self, words: str = "", **fields: str):
        page = await self.page()
        found = re.search(r'name="once" value="([^"]+)"', page)
        once = found[1] if found else ""
        fields = {"once": once, "words": words, **fields}
        return await self.rosa.post(f"/console/records/{self.reference}/text", **fields)


@pytest.fixture
async def card(phone, engine, clinics, clock, passwords):
    """Somebody texted, and left a request."""
    await phone.texts("can somebody call me")
    add_staff(engine, passwords)
    return await new_card(phone, engine, clinics, clock, passwords)


async def new_card(phone, engine, clinics, clock, passwords, **fields):
    asked = record(
        phone.contact().conversation, channel="sms", phone=phone.number, state="MA", **fields
    )
    reference = HandoffDesk(engine, clinics).record(asked, clock()).reference
    app = make_app(engine, clinics, clock, passwords)
    return Card(await Browser(client_of(app)).log_in("rosa"), reference)


async def test_words_go_out_at_once_and_stand_in_the_transcript(
    card,
    phone,
    engine,
    clinics,
    clock,
    rest,  # noqa: F811
):
    answer = await card.sends("Yes, tomorrow at ten. Rosa")
    assert answer.status_code in (200, 303)
    make_worker(engine, clinics, rest.url, clock).deliver_due()
    assert rest.texts[-1] == "Yes, tomorrow at ten. Rosa"
    assert phone.transcript()[-1] == ("out", "Yes, tomorrow at ten. Rosa")
    page = await card.page()
    assert "Our team" in page
    assert "Texted the visitor" in page
    with reading(engine) as db:
        actions = [entry.action for entry in Audit(db).of(card.reference)]
    assert "record.texted" in actions


async def test_the_same_form_twice_is_one_text(card, phone):
    before = len(phone.outbox())
    for _ in range(2):
        await card.sends("Yes.", once="the-same")
    assert len(phone.outbox()) == before + 1


async def test_the_assistant_is_silent_while_a_person_answers(card, phone, brain, clock):
    await card.sends("I am here. Rosa")
    asked = len(brain.requests)
    assert await phone.texts("thank you") == []
    assert len(brain.requests) == asked
    assert phone.transcript()[-1] == ("in", "thank you")
    clock.forward(minutes=61)
    assert await phone.texts("are you there") == ["You said: are you there"]


async def test_danger_is_answered_and_told_all_the_same(card, phone, engine):
    await card.sends("I am here. Rosa")
    assert "988" in (await phone.texts("danger"))[0]
    with reading(engine) as db:
        assert len(Alerts(db).of(phone.contact().conversation)) == 1


async def test_the_assistant_comes_back_when_it_is_let(card, phone):
    await card.sends("I am here. Rosa")
    await card.rosa.post(f"/console/records/{card.reference}/assistant")
    assert await phone.texts("and now?") == ["You said: and now?"]


async def test_after_an_hour_only_the_reviewed_text_goes_and_says_nothing_of_health(
    card, phone, clock
):
    clock.forward(hours=2)
    await card.rosa.log_in("rosa")
    await card.sends("about your depression")
    last = phone.outbox()[-1]
    assert last["text"].startswith("Greater Boston: A person from our team")
    assert "Behavioral" not in last["text"]
    assert "depression" not in last["text"]


async def test_at_night_it_waits_for_the_morning_and_a_reply_does_not_wait_for_it(
    card,
    phone,
    clock,
    engine,
    clinics,
    rest,  # noqa: F811
):
    clock.forward(hours=11)  # eleven at night in Boston
    await card.rosa.log_in("rosa")
    await card.sends()
    held = phone.outbox()[-1]
    assert held["due"] - clock() == timedelta(hours=10)
    worker = make_worker(engine, clinics, rest.url, clock)
    clock.forward(hours=2)  # they write; the person's hour is over
    await phone.texts("hello?")
    worker.deliver_due()
    assert "You said: hello?" in rest.texts
    assert held["text"] not in rest.texts
    clock.forward(hours=8)
    worker.deliver_due()
    assert rest.texts[-1] == held["text"]


async def test_an_opted_out_number_gets_nothing_from_staff(card, phone):
    await phone.texts("STOP")
    before = len(phone.outbox())
    answer = await card.sends("please reconsider")
    assert answer.status_code == 422
    assert "opted out" in answer.text
    assert len(phone.outbox()) == before


async def test_an_opt_out_after_sending_stops_what_waits(
    card,
    phone,
    clock,
    engine,
    clinics,
    rest,  # noqa: F811
):
    clock.forward(hours=11)
    await card.rosa.log_in("rosa")
    await card.sends()
    await phone.texts("STOP")
    clock.forward(hours=12)
    make_worker(engine, clinics, rest.url, clock).deliver_due()
    assert not any("A person from our team" in text for text in rest.texts)


async def test_who_asked_not_to_be_texted_is_not(
    phone,
    engine,
    clinics,
    clock,
    passwords,
):
    await phone.texts("hello")
    add_staff(engine, passwords)
    card = await new_card(phone, engine, clinics, clock, passwords, ok_to_text="no")
    answer = await card.sends("hello")
    assert answer.status_code == 422
    assert "asked not to be texted" in answer.text


class Web:
    """Somebody who chatted on the website, and left a number."""

    NUMBER = "+16175550142"
    TALK = f"{CLINIC}.web"

    def __init__(self, engine, clinics, clock, passwords):
        self.engine, self.clinics, self.clock, self.passwords = engine, clinics, clock, passwords
        add_staff(engine, passwords)

    async def card(self, **fields) -> Card:
        values = {
            "phone": self.NUMBER,
            "ok_to_text": "yes",
            "consent": "Text: yes. Is this right?",
            "consent_at": self.clock(),
            "state": "MA",
            **fields,
        }
        asked = record(self.TALK, **values)
        reference = HandoffDesk(self.engine, self.clinics).record(asked, self.clock()).reference
        app = make_app(self.engine, self.clinics, self.clock, self.passwords)
        return Card(await Browser(client_of(app)).log_in("rosa"), reference)

    def sent(self) -> list[dict]:
        with reading(self.engine) as db:
            rows = db.execute(sa.select(sms_outbox).order_by(sms_outbox.c.seq)).mappings()
            return [vault_of(db).open(sms_outbox, row) for row in rows]


@pytest.fixture
def visitor(engine, clinics, clock, passwords) -> Web:
    return Web(engine, clinics, clock, passwords)


async def test_who_agreed_on_the_web_can_be_texted_and_the_consent_is_in_the_ledger(
    visitor, engine, clock
):
    card = await visitor.card()
    assert "Send a text" in await card.page()
    await card.sends("words of my own")
    [text] = visitor.sent()
    assert text["text"].startswith("Greater Boston: You said we may text you.")
    assert "STOP" in text["text"]
    with reading(engine) as db:
        contact = SmsContacts(db).with_number(Web.NUMBER, CLINIC)
        assert SmsContacts(db).ledger(contact.conversation) == [
            ("agreed", "web", "Text: yes. Is this right?", clock())
        ]


async def test_what_they_answer_by_text_comes_to_the_same_card(visitor, phone):
    card = await visitor.card()
    await card.sends()
    assert await phone.texts("yes, tomorrow morning") == [], "a person is in charge"
    page = await card.page()
    assert "yes, tomorrow morning" in page
    assert "The visitor wrote again" in page
    await card.sends("Ten it is. Rosa")
    assert visitor.sent()[-1]["text"] == "Ten it is. Rosa"


async def test_the_assistants_first_answer_to_them_still_says_what_it_is(visitor, phone, clock):
    card = await visitor.card()
    await card.sends()
    clock.forward(hours=2)
    assert "automated" in (await phone.texts("hello?"))[0]


async def test_at_night_the_first_text_waits_as_well(visitor, clock):
    clock.forward(hours=13)
    card = await visitor.card()
    await card.sends()
    [text] = visitor.sent()
    assert text["due"] - clock() == timedelta(hours=8)


async def test_two_texts_without_an_answer_are_enough_for_a_day(visitor, phone, clock):
    card = await visitor.card()
    for _ in range(2):
        await card.sends()
    answer = await card.sends()
    assert answer.status_code == 422
    assert "2 texts have gone out without an answer" in answer.text
    await phone.texts("I am here")
    assert (await card.sends("good")).status_code in (200, 303)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ok_to_text": "no"}, "They neither texted nor agreed"),
        ({"ok_to_text": "unknown"}, "They neither texted nor agreed"),
        ({"ok_to_text": None}, "They neither texted nor agreed"),
        ({"consent": None}, "They neither texted nor agreed"),
        ({"phone": None}, "They neither texted nor agreed"),
        ({"phone_owner": "person"}, "somebody else"),
    ],
)
async def test_without_consent_for_this_number_nothing_is_sent(visitor, fields, words):
    card = await visitor.card(**fields)
    answer = await card.sends()
    assert answer.status_code == 422
    assert words in answer.text
    assert visitor.sent() == []


async def test_a_number_that_opted_out_before_is_not_texted_because_of_a_web_chat(visitor, phone):
    await phone.texts("STOP")
    before = len(visitor.sent())
    card = await visitor.card()
    answer = await card.sends()
    assert "opted out" in answer.text
    assert len(visitor.sent()) == before


async def test_a_clinic_without_a_number_cannot_text(
    visitor,
):
    clinic = visitor.clinics[CLINIC].copy(update={"sms": None})
    visitor.clinics = {**visitor.clinics, CLINIC: clinic}
    card = await visitor.card()
    assert "Send a text" not in await card.page()


async def test_the_card_says_what_could_not_be_delivered(
    card,
    engine,
    clinics,
    clock,
    rest,  # noqa: F811
):
    await card.sends("I am here. Rosa")
    rest.says = refusing(30006)
    make_worker(engine, clinics, rest.url, clock).deliver_due()
    page = await card.page()
    assert "Could not be delivered</strong>: a text of our team" in page
    assert "30006: a landline" in page


@pytest.mark.parametrize(("words", "problem"), [("", "Write what"), ("x" * 641, "At most 640")])
async def test_nothing_and_too_much_are_told(card, phone, words, problem):
    before = len(phone.outbox())
    answer = await card.sends(words)
    assert answer.status_code == 422
    assert problem in answer.text
    assert len(phone.outbox()) == before
