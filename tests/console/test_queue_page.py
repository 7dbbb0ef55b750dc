"""The queue over HTTP."""

from __future__ import annotations

import re
import time
from random import Random

import pytest

from bot.handoff.reference import new_reference
from bot.store import reading
from bot.store.audit import Audit
from tests.console.night import CALLS_US, ELSEWHERE, IN_CRISIS, IOP, PARENT, SPANISH
from tests.console.staffed import store_many, store_one


def codes(html: str) -> list[str]:
    """The records of a page, in order."""
    return re.findall(r'href="/console/records/([A-Z0-9-]+)"', html)


async def test_the_person_in_danger_is_first_and_the_row_says_why(rosa):
    page = await rosa.see("/console")
    assert codes(page.text) == [IN_CRISIS, PARENT, IOP, SPANISH]
    first = page.text.split('class="row')[1]
    assert "Crisis: spoke of wanting to end their life. No contact details" in first


async def test_calls_that_nobody_need_make_are_in_a_list_of_their_own(rosa):
    assert CALLS_US not in codes((await rosa.see("/console")).text)
    assert codes((await rosa.see("/console", tab="expected")).text) == [CALLS_US]


async def test_records_of_other_clinics_are_not_there(rosa, sam):
    assert ELSEWHERE not in (await rosa.see("/console")).text
    assert ELSEWHERE in (await sam.see("/console")).text
    assert (await rosa.see(f"/console/records/{ELSEWHERE}")).status_code == 404
    assert (await rosa.post(f"/console/records/{ELSEWHERE}/claim")).status_code == 404
    assert (await rosa.post("/console/search", q=ELSEWHERE)).text.count("Not Yours") == 0


async def test_a_code_leads_to_its_record_however_it_is_typed(rosa):
    for typed in (IOP, "h9t3wd", " h9t 3wd "):
        answer = await rosa.post("/console/search", q=typed)
        assert answer.headers["location"] == f"/console/records/{IOP}"


async def test_a_phone_number_and_a_name_are_found_and_the_words_stay_out_of_the_address(rosa):
    assert codes((await rosa.post("/console/search", q="617 555 0142")).text) == [IOP]
    assert codes((await rosa.post("/console/search", q="ramirez")).text) == [SPANISH]
    assert codes((await rosa.post("/console/search", q="nobody like this")).text) == []


async def test_search_ends_at_the_members_clinics(rosa, sam):
    assert codes((await rosa.post("/console/search", q="404 555 0123")).text) == []
    assert codes((await sam.post("/console/search", q="404 555 0123")).text) == [ELSEWHERE]


async def test_filters_narrow_the_list(rosa):
    assert codes((await rosa.see("/console", urgency="request")).text) == [IOP, SPANISH]
    assert codes((await rosa.see("/console", kind="crisis")).text) == [IN_CRISIS]
    await rosa.post(f"/console/records/{IOP}/claim")
    assert codes((await rosa.see("/console", mine="yes")).text) == [IOP]
    assert codes((await rosa.see("/console", clinic="time_wellness_georgia")).text) != []


async def test_a_refresh_answers_nothing_while_nothing_has_changed(rosa, engine, clock):
    page = await rosa.see("/console")
    address = re.search(r'hx-get="([^"]+)"', page.text)[1].replace("&amp;", "&")
    assert (await rosa.client.get(address)).status_code == 204
    store_one(engine, "T4E-9HB", tier="emergency")
    fresh = await rosa.client.get(address)
    assert codes(fresh.text)[0] == "T4E-9HB"


async def test_a_refresh_is_in_the_audit_only_when_it_shows_somebody_new(rosa, engine, clock):
    def looks() -> int:
        with reading(engine) as db:
            return len(Audit(db).latest(100, action="queue.viewed"))

    page = await rosa.see("/console")
    before = looks()
    address = re.search(r'hx-get="([^"]+)"', page.text)[1].replace("&amp;", "&")
    clock.later(minutes=1)  # the words of the timers change, the people do not
    assert (await rosa.client.get(address)).status_code == 200
    assert looks() == before
    store_one(engine, "T4E-9HB")
    await rosa.client.get(address)
    assert looks() == before + 1


async def test_five_hundred_rows_come_in_pages_quickly(rosa, engine):
    random = Random(7)
    store_many(engine, [new_reference(random) for _ in range(500)])
    await rosa.see("/console")
    start = time.perf_counter()
    page = await rosa.see("/console")
    took = time.perf_counter() - start
    assert "Page 1 of 11" in page.text
    assert len(codes(page.text)) == 50
    assert len(codes((await rosa.see("/console", page="11")).text)) == 4
    # The aim is 0.3 s (0.06 s of work); the test leaves room for a busy machine.
    assert took < 1.5


async def test_a_row_says_when_a_call_suits(rosa):
    assert "Best time: after 3 pm" in (await rosa.see("/console")).text


@pytest.mark.parametrize(("answer", "tag"), [("no", True), (None, True), ("yes", False)])
async def test_without_a_yes_no_voicemail_may_be_left(rosa, engine, answer, tag):
    store_one(engine, "T4E-9HB", name="Ines", phone="+16175550100", ok_voicemail=answer)
    page = (await rosa.see("/console")).text
    row = page.partition("tel:+16175550100")[2].partition("</li>")[0]
    assert ("No voicemail" in row) == tag
