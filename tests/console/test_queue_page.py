"""The queue over HTTP."""

from __future__ import annotations

import re

from tests.console.night import CALLS_US, ELSEWHERE, IN_CRISIS, IOP, PARENT, SPANISH


def codes(html: str) -> list[str]:
    """The records of a page, in order."""
    return re.findall(r'href="/console/records/([A-Z0-9-]+)"', html)


async def test_the_person_in_danger_is_first_and_the_row_says_why(rosa):
    page = await rosa.see("/console")
    assert codes(page.text) == [IN_CRISIS, PARENT, SPANISH, IOP] or codes(page.text) == [
        IN_CRISIS, PARENT, IOP, SPANISH
    ]  # fmt: skip
    first = page.text.split("<li class=")[1]
    assert "Crisis: spoke of wanting to end their life. No contact details" in page.text
    assert "no contact details" in first or "No contact details" in first


async def test_calls_that_nobody_need_make_are_in_a_list_of_their_own(rosa):
    assert CALLS_US not in codes((await rosa.see("/console")).text)
    assert codes((await rosa.see("/console", tab="expected")).text) == [CALLS_US]


async def test_records_of_other_clinics_are_not_there(rosa, sam):
    assert ELSEWHERE not in (await rosa.see("/console")).text
    assert ELSEWHERE in (await sam.see("/console")).text
    assert (await rosa.see(f"/console/records/{ELSEWHERE}")).status_code == 404
    assert (await rosa.post(f"/console/records/{ELSEWHERE}/claim")).status_code == 404
    assert (await rosa.post("/console/search", q=ELSEWHERE)).text.count("Not Yours") == 0
