"""A record's page, and what coordinators do on it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.casework import Casework
from bot.store.handoffs import Handoffs
from bot.store.tables import casework_entry
from tests.console.night import CLINIC, CRISIS_TEXT, IN_CRISIS, IOP, MORNING, PARENT
from tests.console.staffed import store_one


def path(reference: str, form: str = "") -> str:
    return f"/console/records/{reference}{'/' + form if form else ''}"


def case(engine, reference: str):
    with reading(engine) as db:
        return Casework(db).named([reference], [CLINIC])[0].case


async def test_the_visitors_words_stand_there_marked_with_the_rules_reason(rosa):
    page = (await rosa.see(path(IN_CRISIS))).text
    assert "<mark>I want to end my life</mark>" in page
    assert "The act on oneself is named." in page
    assert "kill_self_named" in page


async def test_answers_about_substance_use_are_marked(rosa):
    page = (await rosa.see(path(IOP))).text
    tag = '<span class="tag">42 CFR Part 2</span>'
    answers = page.partition('id="answers-h"')[2].partition("</section>")[0]
    assert answers.count(tag) == 2
    assert tag in page.partition('id="summary-h"')[2].partition("</section>")[0]


async def test_what_a_visitor_typed_is_only_ever_text(rosa, engine):
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    store_one(engine, "T4E-9HB", name=attack, best_time=attack, phone="+16175550100")
    for page in (await rosa.see("/console"), await rosa.see(path("T4E-9HB"))):
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


@pytest.mark.parametrize("code", ["AAAAAA", "K7M-4QD", "x", "..%2f..", "%00"])
async def test_a_code_that_does_not_exist_is_not_found(rosa, code):
    assert (await rosa.see(f"/console/records/{code}")).status_code == 404


async def test_a_call_that_was_not_answered_falls_due_again(rosa, engine):
    await rosa.post(path(PARENT, "attempt"), outcome="no_answer", note="Rang out.")
    after = case(engine, PARENT)
    assert after.status == "attempted"
    page = (await rosa.see(path(PARENT))).text
    assert "Called: No answer" in page
    assert "Rang out." in page
    assert "due in" in page or "due today" in page


async def test_a_planned_call_is_due_when_it_is_planned_on_the_clinics_clock(rosa):
    await rosa.post(path(IOP, "attempt"), outcome="call_later", next_try="2026-11-19T10:30")
    assert "due tomorrow 10:30 AM" in (await rosa.see(path(IOP))).text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"outcome": ""}, "Say how the call went."),
        ({"outcome": "sold"}, "Say how the call went."),
        ({"outcome": "busy", "next_try": "tomorrow"}, "2026-11-23 09:30"),
        ({"outcome": "busy", "next_try": "2020-01-01T10:00"}, "must lie ahead"),
        ({"outcome": "busy", "next_try": "9999-12-31T23:59"}, "2026-11-23 09:30"),
    ],
)
async def test_a_form_that_cannot_be_used_comes_back_with_what_was_typed(rosa, fields, says):
    answer = await rosa.post(path(IOP, "attempt"), note="long words", **fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert "long words" in answer.text


async def test_a_request_is_closed_by_one_person(rosa, engine):
    await rosa.post(path(IOP, "attempt"), outcome="reached")
    await rosa.post(path(IOP, "close"), disposition="assessment_scheduled")
    assert case(engine, IOP).status == "closed"
    assert IOP not in (await rosa.see("/console")).text
    assert IOP in (await rosa.see("/console", tab="closed")).text


async def test_an_unreached_person_in_danger_is_closed_by_two(rosa, ben, engine):
    refused = await rosa.post(path(PARENT, "close"), disposition="unreachable")
    assert "Write for the second person" in refused.text
    await rosa.post(path(PARENT, "close"), disposition="unreachable", note="Four calls, two days.")
    assert case(engine, PARENT).status == "closing"
    assert (await rosa.post(path(PARENT, "second"), agree="yes")).status_code == 409
    assert case(engine, PARENT).status == "closing"
    assert (await ben.post(path(PARENT, "second"), agree="yes")).status_code == 303
    assert case(engine, PARENT).status == "closed"
    assert "Agreed and closed: Could not be reached" in (await ben.see(path(PARENT))).text


async def test_the_second_person_may_say_no(rosa, ben, engine):
    await rosa.post(path(PARENT, "close"), disposition="unreachable", note="Four calls.")
    await ben.post(path(PARENT, "second"), agree="no", note="Try the other parent.")
    assert case(engine, PARENT).status == "attempted"
    assert PARENT in (await ben.see("/console")).text


async def test_a_reached_person_in_danger_is_closed_by_one(rosa, engine):
    await rosa.post(path(PARENT, "attempt"), outcome="reached")
    await rosa.post(path(PARENT, "close"), disposition="crisis_line")
    assert case(engine, PARENT).status == "closed"


@pytest.mark.parametrize("closing", ["closed", "closing"])
async def test_a_new_message_of_the_visitor_opens_the_record_again(rosa, engine, clock, closing):
    if closing == "closed":
        await rosa.post(path(PARENT, "attempt"), outcome="reached")
    await rosa.post(path(PARENT, "close"), disposition="declined", note="He said no.")
    assert case(engine, PARENT).status == closing
    with writing(engine) as db:
        Casework(db).visitor_wrote(f"{CLINIC}.parent", clock.now + timedelta(minutes=3))
    clock.later(minutes=5)
    page = (await rosa.see("/console")).text
    assert PARENT in page
    assert "Wrote again" in page


@pytest.fixture
def merged(rosa, engine):
    """Merge the record of the person in crisis into the one with a number, as the desk does."""

    def merge() -> None:
        with writing(engine) as db:
            Handoffs(db).merge(IN_CRISIS, into=IOP, now=MORNING)

    return merge


async def test_what_was_done_under_a_code_that_was_merged_stands_on_the_card(rosa, merged, clock):
    await rosa.post(path(IN_CRISIS, "note"), note="Wrote to the chat's owner.")
    clock.later(minutes=1)
    await rosa.post(path(IOP, "note"), note="Prefers Spanish.")
    merged()
    done = (await rosa.see(path(IN_CRISIS))).text.partition('id="done-h"')[2]
    assert f"under {IN_CRISIS}" in done
    assert done.index("owner.") < done.index("Prefers Spanish.")


async def test_a_form_of_a_merged_record_saves_nothing_and_keeps_the_words(rosa, merged, engine):
    await rosa.see(path(IN_CRISIS))
    merged()
    answer = await rosa.post(path(IN_CRISIS, "note"), note="He sounded calm.")
    assert answer.status_code == 409
    assert f"{IN_CRISIS} goes on as this record" in answer.text
    assert "He sounded calm." in answer.text
    assert f'action="{path(IOP, "note")}"' in answer.text
    with reading(engine) as db:
        assert Casework(db).entries(IOP) == []


async def test_notes_are_encrypted_in_the_database(rosa, engine):
    await rosa.post(path(IOP, "note"), note="her sister may pick up")
    with reading(engine) as db:
        stored = db.execute(casework_entry.select()).mappings().one()["note"]
    assert "sister" not in stored
    assert "her sister may pick up" in (await rosa.see(path(IOP))).text


async def test_every_look_and_change_is_in_the_audit(rosa, engine):
    await rosa.see(path(IOP))
    await rosa.post(path(IOP, "claim"))
    await rosa.post(path(IOP, "attempt"), outcome="busy", note="not for the audit")
    with reading(engine) as db:
        trail = Audit(db).of(IOP)
    assert [entry.action for entry in trail] == [
        "record.viewed", "record.claimed", "record.attempted"
    ]  # fmt: skip
    assert "not for the audit" not in str(trail)
    assert CRISIS_TEXT not in str(trail)


async def test_the_auditor_sees_who_did_what_and_that_the_chain_holds(rosa, open_browser):
    from tests.console.conftest import Browser

    await rosa.see(path(IOP))
    ana = await Browser(open_browser()).log_in("ana")
    page = (await ana.see("/console/audit", actor="rosa", action="record.viewed")).text
    assert "the chain is unbroken" in page
    assert IOP in page
    assert page.count("<td>record.viewed</td>") == 1


async def test_a_broken_chain_is_said_with_its_place(engine, open_browser):
    from tests.console.conftest import Browser

    ana = await Browser(open_browser()).log_in("ana")
    with writing(engine) as db:
        db.exec_driver_sql("DROP TRIGGER IF EXISTS audit_is_append_only")
        for (name,) in db.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).all():
            db.exec_driver_sql(f"DROP TRIGGER {name}")
        db.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    assert "The chain is broken at entry 2" in (await ana.see("/console/audit")).text


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("attempt", {"outcome": "no_answer", "note": "Rang out."}),
        ("note", {"note": "Her sister called."}),
        ("hand-over", {"to": "ben", "note": "She asked for you."}),
        ("close", {"disposition": "declined"}),
    ],
)
async def test_a_double_click_does_it_once_and_shows_no_error(rosa, engine, form, fields):
    for _ in range(2):
        assert (await rosa.post(path(IOP, form), **fields)).status_code == 303
    with reading(engine) as db:
        assert len(Casework(db).entries(IOP)) == 1


async def test_the_same_outcome_a_minute_later_is_a_second_call(rosa, engine, clock):
    for _ in range(2):
        await rosa.post(path(IOP, "attempt"), outcome="busy")
        clock.later(minutes=1)
    with reading(engine) as db:
        assert len(Casework(db).entries(IOP)) == 2


async def test_a_double_click_of_the_second_person_is_one_answer(rosa, ben):
    await rosa.post(path(PARENT, "close"), disposition="unreachable", note="Four calls.")
    for _ in range(2):
        assert (await ben.post(path(PARENT, "second"), agree="yes")).status_code == 303


@pytest.mark.parametrize("form", ["attempt", "claim"])
async def test_whoever_is_late_for_a_closed_record_reads_so_and_keeps_the_words(rosa, ben, form):
    await rosa.post(path(IOP, "close"), disposition="declined")
    late = await ben.post(path(IOP, form), outcome="reached", note="She wants Thursday.")
    assert late.status_code == 409
    assert "This record is closed." in late.text
    assert "Somebody else" not in late.text
    assert "She wants Thursday." in late.text


async def test_a_number_that_must_not_be_called_cannot_be_pressed(rosa, engine):
    store_one(
        engine, "T4E-9HB", name="Ines", phone="+16175550100", ok_to_call="no", ok_to_text="yes"
    )
    for page in (await rosa.see("/console"), await rosa.see(path("T4E-9HB"))):
        assert "(617) 555-0100" in page.text
        assert "tel:+16175550100" not in page.text
        assert "Text only, do not call" in page.text
