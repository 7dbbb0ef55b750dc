"""A night, end to end: five visitors, the pages, the digest, and a morning at the console."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from bot.store import reading
from bot.store.audit import Audit
from bot.store.outbox import Outbox
from tests.night.house import COORDINATORS, SUPERVISORS, NightHouse
from tests.worker.conftest import mail_house  # noqa: F401

EVENING = datetime.fromisoformat("2026-11-17T22:00-05:00")  # a Tuesday; the line opens at 8:30 AM

# What the visitors said and who they are; none of it may stand in an e-mail.
PRIVATE = (
    *("Carol", "Dana", "José", "0177", "0142", "0119", "daughter", "alive", "end my life"),
    *("suicid", "crisis", "danger", "IOP", "Blue Cross", "Spanish", "Massachusetts", "mañana"),
)


@pytest.fixture
def house(settings, tmp_path, mail_house, monkeypatch) -> Iterator[NightHouse]:  # noqa: F811
    # Loading installs a house for the actions of this process; other tests get theirs back.
    monkeypatch.setattr("bot.brain.house._installed", None)
    house = NightHouse(settings, tmp_path, EVENING, mail_house)
    yield house
    house.close()


def test_a_night(house):
    codes = night(house)
    morning(house, *codes)


def night(house: NightHouse) -> tuple[str, str, str, str]:
    """Five visitors and a repeated request; the codes of the four who wait for a person."""
    house.until("22:10")
    curious = house.visitor("Someone with two questions")
    curious.says("Do you take Blue Cross?").hears("faq_cost_insurance", "888-278-0716")
    curious.says("Can I keep my job during the program?").hears("faq_work_school")
    curious.says("ok thanks, bye").is_at(handoff="none", reference=None)

    house.until("22:40")
    mother = house.visitor("A mother")
    mother.says("My daughter is 15 and she says she doesn't want to be alive anymore")
    mother.is_at(tier="crisis_other", handoff="crisis")
    assert "988" in mother.text
    mother.says("Can someone call me?").is_asked("name").says("Carol").is_asked("phone")
    mother.says("617-555-0177").says("MA").says("any time")
    mother.presses("Call or text").says("no").is_asked("confirm").presses("Yes")
    daughter = mother.hears("callback_done", "at 8:30 AM").state.reference

    # Nobody is awake: paged at once, again after 15 minutes, the supervisor after 30.
    house.until("23:20")
    assert house.subjects(COORDINATORS) == [
        f"[Greater Boston] New urgent request {daughter}",
        f"[Greater Boston] Not claimed yet: urgent request {daughter}",
    ]
    assert house.subjects(SUPERVISORS) == [
        f"[Greater Boston] For supervisors: urgent request {daughter} is not claimed"
    ]

    house.until("00:20")
    jose = house.visitor("José", "sms")
    jose.says("quiero que me llamen por favor").is_at(language="es").says("me llamo José")
    jose.says("617-555-0119").says("Massachusetts").says("por la mañana").says("1").says("sí")
    jose.is_asked("confirm").says("sí").is_at(handoff="callback")
    spanish = jose.state.reference

    house.until("01:50")
    stranger = house.visitor("Someone who leaves no name")
    stranger.says("is this a real person").hears("ask_if_bot")
    stranger.says("nobody would notice if I was gone. I want to end my life")
    stranger.is_at(tier="crisis_self", handoff="crisis")
    assert all(line in stranger.text for line in ("988", "741741", "911"))
    stranger.says("no").hears("crisis_cannot_call")
    unnamed = stranger.state.reference
    house.until("02:25")
    assert f"[Greater Boston] New urgent request {unnamed}" in house.subjects(COORDINATORS)
    assert house.subjects(SUPERVISORS)[-1].endswith(f"{unnamed} is not claimed")

    house.until("02:30")
    dana = house.visitor("Dana")
    dana.says("please call me back").says("Dana").says("617-555-0142").says("MA")
    dana.says("mornings").presses("Call or text").says("yes").is_asked("confirm").presses("Yes")
    request = dana.hears("callback_done").state.reference
    house.until("05:15")
    again = house.visitor("Dana again", "sms")
    again.says("can someone call me back").says("Dana").says("617-555-0142").says("MA")
    again.says("after 10 am").says("1").says("yes").is_asked("confirm").says("yes")
    again.hears("callback_updated", "already had", request).is_at(reference=request)

    return unnamed, daughter, spanish, request


def morning(house: NightHouse, unnamed: str, daughter: str, spanish: str, dana: str) -> None:
    """The digest at opening time, and two people who work everything off."""
    house.until("08:30")
    house.tell("", "The line opens")
    house.until("08:35")
    digest = house.mail.messages[-1]
    assert house.subjects(COORDINATORS)[-1] == _DIGEST
    text = digest.get_content()
    assert "Urgent: 2" in text
    assert "Other requests for a call: 2" in text
    assert all(code in text for code in (unnamed, daughter, spanish, dana))
    everything = "\n".join(map(house.all_but_its_id, house.mail.messages))
    assert [word for word in PRIVATE if word in everything] == []

    rosa = house.staff("rosa", "Rosa Delgado")
    queue = rosa.queue()
    house.tell("The queue", "\n".join(f"{code}: {reason}" for code, reason in queue))
    assert [code for code, _ in queue] == [unnamed, daughter, spanish, dana]
    assert "No contact details" in queue[0][1]
    rosa.takes(unnamed)
    card = rosa.card(unnamed)
    assert "end my life</mark>" in card
    assert "No contact details." in card
    rosa.closes(unnamed, "no_contact", "No name, no number; nothing in the chat says where.")
    assert rosa.agrees(unnamed) == 409
    assert rosa.queue()[0][0] == unnamed

    rosa.takes(daughter)
    assert "(617) 555-0177" in rosa.card(daughter)
    rosa.calls(daughter, "reached", "Both are at the emergency room.")
    rosa.closes(daughter, "emergency_services")

    ben = house.staff("ben", "Ben Ito")
    assert ben.agrees(unnamed) == 303
    ben.takes(spanish)
    ben.calls(spanish, "no_answer")
    ben.takes(dana)
    assert "after 10 am" in ben.card(dana)
    ben.calls(dana, "reached")
    ben.closes(dana, "assessment_scheduled", "Thursday at 9.")
    house.until("11:00")
    house.tell("", "A last call")
    ben = house.staff("ben", "Ben Ito")
    assert [code for code, _ in ben.queue()] == [spanish]
    ben.calls(spanish, "reached", "Habla español; su esposa llamará también.")
    ben.closes(spanish, "assessment_scheduled")
    assert ben.queue() == []
    house.tell("The queue", "Nobody is waiting here.")

    # Nobody is paged for what is done, and nothing is left to send.
    sent = len(house.mail.came)
    house.until("13:00")
    assert len(house.mail.came) == sent
    with reading(house.assistant.engine) as db:
        assert Outbox(db).undelivered() == []
        trail = [entry.action for entry in reversed(Audit(db).of(unnamed))]
    assert "record.close" in trail
    assert "record.close_agreed" in trail
    proof = house.audit_verify()
    assert "unbroken" in proof
    house.tell("handrail audit verify", proof.strip())


_DIGEST = "[Greater Boston] While you were closed: 2 urgent, 2 other"
