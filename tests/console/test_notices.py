"""Notices that reached nobody are seen in the console, and can be tried again there."""

from __future__ import annotations

import re

import pytest

from bot.notify.notice import Notice
from bot.store import reading, writing
from bot.store.audit import Audit
from bot.store.outbox import Outbox
from tests.console.conftest import Browser
from tests.console.night import CLINIC, IN_CRISIS, MORNING

REFUSED = "the mail server refused the e-mail (SMTP 550)"
DOWN = "the mail server cannot be reached (ConnectionRefusedError)"


def notice(number: int, clinic: str = CLINIC) -> Notice:
    return Notice(
        key=f"key {number}",
        kind="new",
        clinic=clinic,
        subject=IN_CRISIS,
        channel="email",
        target=f"person{number}@clinic.example",
        payload={"clinic_name": "Boston", "code": IN_CRISIS, "urgency": "urgent"},
        rank=0,
        created=MORNING,
    )


@pytest.fixture
def failed(engine) -> dict[str, str]:
    """Ids of a dead notice, one that failed so far, one untried, and another clinic's dead one."""
    with writing(engine) as db:
        outbox = Outbox(db)
        outbox.add([notice(1), notice(2), notice(3), notice(4, "nowhere")])
        ids = {each.target[6]: each.id for each in outbox.undelivered()}
        named = dict(zip(("dead", "failing", "untried", "elsewhere"), sorted(ids), strict=True))
        found = {name: ids[number] for name, number in named.items()}
        outbox.give_up(found["dead"], REFUSED, MORNING)
        outbox.failed(found["failing"], DOWN, MORNING)
        outbox.give_up(found["elsewhere"], REFUSED, MORNING)
    return found


@pytest.fixture
async def ada(open_browser) -> Browser:
    """An admin."""
    return await Browser(open_browser()).log_in("ada")


def offered(page: str) -> set[str]:
    """Ids of the notices that the page offers to try again."""
    return set(re.findall(r'name="notice" value="([^"]+)"', page))


async def test_a_supervisor_sees_what_failed_at_their_clinics_and_why(sam, failed):
    page = await sam.see("/console/notices")
    assert offered(page.text) == {failed["dead"], failed["failing"]}
    assert "1 given up, 1 being tried" in page.text
    for words in (REFUSED, DOWN, "person1@clinic.example", IN_CRISIS, "urgent"):
        assert words in page.text


async def test_an_admin_sees_what_failed_everywhere(ada, failed):
    page = await ada.see("/console/notices")
    assert offered(page.text) == {failed["dead"], failed["failing"], failed["elsewhere"]}


async def test_a_dead_notice_is_due_again_at_once(sam, failed, engine):
    await sam.see("/console/notices")
    assert (await sam.post("/console/notices", notice=failed["dead"])).status_code == 303
    with reading(engine) as db:
        again = Outbox(db).find(failed["dead"])
    assert (again.dead, again.due, again.attempts) == (None, None, 0)


@pytest.mark.parametrize("which", ["elsewhere", "untried", "invented"])
async def test_what_is_not_offered_cannot_be_tried_again(sam, failed, engine, which):
    answer = await sam.post("/console/notices", notice=failed.get(which, which))
    assert answer.status_code == 404
    with reading(engine) as db:
        assert not [e for e in Audit(db).latest(10) if e.action == "notice.retried"]


async def test_looking_and_trying_again_are_in_the_audit(sam, failed, engine):
    await sam.see("/console/notices")
    await sam.post("/console/notices", notice=failed["dead"])
    with reading(engine) as db:
        retried, viewed, *_ = Audit(db).latest(2)
    assert (viewed.action, viewed.actor) == ("notices.viewed", "sam")
    assert (retried.action, retried.subject) == ("notice.retried", failed["dead"])


async def test_without_failures_it_says_that_everything_was_delivered(sam):
    assert "Everything was delivered" in (await sam.see("/console/notices")).text


async def test_coordinators_and_auditors_do_not_see_it(rosa, open_browser):
    ana = await Browser(open_browser()).log_in("ana")
    for other in (rosa, ana):
        assert (await other.see("/console/notices")).status_code == 403
