"""Claims: two people cannot both win, and a lease ends by itself."""

from __future__ import annotations

import threading

from bot.store import reading, writing
from bot.store.casework import LEASE, Casework
from tests.console.night import IN_CRISIS, IOP, MORNING
from tests.console.staffed import add_member, store_one


async def test_whoever_claims_first_has_it_and_the_other_is_told_who(rosa, ben):
    assert (await rosa.post(f"/console/records/{IN_CRISIS}/claim")).status_code == 303
    lost = await ben.post(f"/console/records/{IN_CRISIS}/claim")
    assert lost.status_code == 409
    assert "with Rosa Delgado" in lost.text


def test_of_many_who_click_at_once_one_wins(both_databases):
    engine = both_databases
    store_one(engine, IOP)
    members = [add_member(engine, f"person{number}") for number in range(6)]
    start = threading.Barrier(len(members))
    won = []

    def click(member: int) -> None:
        start.wait()
        with writing(engine) as db:
            if Casework(db).claim(IOP, member, MORNING):
                won.append(member)

    threads = [threading.Thread(target=click, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    with reading(engine) as db:
        assert Casework(db).named([IOP], ["greater_boston"])[0].case.claimed_by == won[0]


async def test_a_lease_ends_after_a_quarter_of_an_hour(rosa, ben, clock):
    await rosa.post(f"/console/records/{IOP}/claim")
    clock.later(minutes=10)
    await ben.see("/console")
    clock.later(seconds=LEASE.total_seconds() - 601)
    assert (await ben.post(f"/console/records/{IOP}/claim")).status_code == 409
    clock.later(seconds=2)
    assert (await ben.post(f"/console/records/{IOP}/claim")).status_code == 303


async def test_what_the_holder_does_prolongs_the_lease(rosa, ben, clock):
    await rosa.post(f"/console/records/{IOP}/claim")
    clock.later(minutes=10)
    await rosa.see(f"/console/records/{IOP}")
    await ben.see("/console")
    clock.later(minutes=10)
    assert (await ben.post(f"/console/records/{IOP}/claim")).status_code == 409


async def test_a_change_after_the_lease_has_passed_to_somebody_else_saves_nothing(rosa, ben, clock):
    await rosa.post(f"/console/records/{IOP}/claim")
    clock.later(minutes=14)
    await rosa.see("/console")
    await ben.see("/console")
    clock.later(minutes=2)
    await ben.post(f"/console/records/{IOP}/claim")
    late = await rosa.post(
        f"/console/records/{IOP}/attempt", outcome="reached", note="she was glad"
    )
    assert late.status_code == 409
    assert "she was glad" in late.text
    assert "Nothing was saved" in late.text
    assert "Called: Reached" not in (await ben.see(f"/console/records/{IOP}")).text


async def test_whoever_gives_it_free_lets_others_take_it(rosa, ben):
    await rosa.post(f"/console/records/{IOP}/claim")
    await rosa.post(f"/console/records/{IOP}/release")
    assert (await ben.post(f"/console/records/{IOP}/claim")).status_code == 303


async def test_a_colleague_who_is_handed_the_record_has_it_with_the_note(rosa, ben):
    await rosa.post(f"/console/records/{IOP}/claim")
    await rosa.post(f"/console/records/{IOP}/hand-over", to="ben", note="She prefers evenings.")
    page = await ben.see(f"/console/records/{IOP}")
    assert "with you" in page.text
    assert "She prefers evenings." in page.text
    assert (await rosa.post(f"/console/records/{IOP}/claim")).status_code == 409
