"""The page of figures."""

from __future__ import annotations

import re
from datetime import timezone

from bot.console.figures import Talk, figures
from bot.store import Messages, writing
from bot.store.records import Outgoing
from tests.console.night import CLINIC, IOP, MORNING, NIGHT


def big(html: str) -> list[str]:
    return re.findall(r'class="big">([^<]+)<', html)


async def test_conversations_completion_and_time_to_the_first_call_are_counted(rosa, clock):
    assert big((await rosa.see("/console/figures")).text) == ["5", "0 %", "no calls yet"]
    await rosa.post(f"/console/records/{IOP}/attempt", outcome="busy")
    assert big((await rosa.see("/console/figures")).text)[2] == "10 h 53 min"


async def test_what_was_not_answered_is_counted_by_topic_for_supervisors_alone(rosa, sam, engine):
    with writing(engine) as db:
        for _ in range(3):
            Messages(db).add_outgoing(
                f"{CLINIC}.iop", Outgoing("We do not know.", "repair_first", (), MORNING), None
            )
    assert "repair first" in (await sam.see("/console/figures")).text
    assert "repair first" not in (await rosa.see("/console/figures")).text


def test_without_conversations_nothing_is_divided():
    assert figures([], [], [], timezone.utc).completion == "no conversations"


def test_a_level_or_a_hand_off_is_an_end():
    talks = [
        Talk(NIGHT, "none", "iop", "none"),
        Talk(NIGHT, "none", None, "callback"),
        Talk(NIGHT, "none", None, "none"),
    ]
    assert figures(talks, [], [], timezone.utc).completion == "67 %"
