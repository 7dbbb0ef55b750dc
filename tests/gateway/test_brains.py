"""Several brains: who has which conversation, and who takes it when one fails."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from bot.gateway import brains as brains_module
from bot.gateway.brain import BrainError, BrainGoneError, BrainLostError
from bot.gateway.brains import TURNS_AT_ONCE, Brains
from bot.turns import TurnReply, TurnRequest
from tests.gateway.conftest import CLINIC, OPEN, ScriptedBrain, says

REQUEST = TurnRequest(f"{CLINIC}.1", "m1", CLINIC, "web", "hello", OPEN)


def of(conversation: int, *, urgent: bool = False) -> TurnRequest:
    return dataclasses.replace(REQUEST, conversation=f"{CLINIC}.{conversation}", urgent=urgent)


class Member(ScriptedBrain):
    """A brain that can be told to be gone, to be lost in the middle, or to think on and on."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.fails: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.answer = lambda _: says(name)

    async def turn(self, request: TurnRequest) -> TurnReply:
        self.requests.append(request)
        if self.fails:
            raise self.fails
        await self.may_answer.wait()
        return self.answer(request)


@pytest.fixture
async def members() -> dict[str, Member]:
    return {name: Member(name) for name in ("a", "b", "c")}


@pytest.fixture
def brains(members) -> Brains:
    return Brains(members)


async def taken_by(brains: Brains, request: TurnRequest) -> str:
    return (await brains.turn(request)).messages[0].text


async def whose(brains: Brains, conversations: int = 300) -> list[str]:
    return [await taken_by(brains, of(number)) for number in range(conversations)]


async def test_each_conversation_has_its_brain_and_all_have_about_as_many(brains):
    first, again = await whose(brains), await whose(brains)
    assert first == again
    assert all(70 <= first.count(name) <= 130 for name in "abc")


@pytest.mark.parametrize("failure", [BrainGoneError("gone"), BrainLostError("lost")])
async def test_only_the_conversations_of_a_dead_brain_move_and_they_come_back(
    brains, members, failure
):
    before = await whose(brains)
    members["b"].fails = failure
    during = await whose(brains)
    members["b"].fails = None
    assert [one for one, name in zip(during, before, strict=True) if name != "b"] == [
        name for name in before if name != "b"
    ]
    moved = [one for one, name in zip(during, before, strict=True) if name == "b"]
    assert set(moved) == {"a", "c"}
    assert await whose(brains) == before


async def test_a_message_that_brains_die_of_does_not_take_all_of_them_along(brains, members):
    for member in members.values():
        member.fails = BrainLostError("lost")
    with pytest.raises(BrainLostError):
        await brains.turn(REQUEST)
    assert sum(len(member.requests) for member in members.values()) == 2


async def test_without_any_brain_there_is_no_answer(brains, members):
    for member in members.values():
        member.fails = BrainGoneError("gone")
    with pytest.raises(BrainGoneError):
        await brains.turn(REQUEST)


async def test_a_lost_connection_to_the_only_brain_is_tried_once_more(members):
    only = Brains({"a": members["a"]})
    members["a"].fails = BrainLostError("lost")
    with pytest.raises(BrainLostError):
        await only.turn(REQUEST)
    assert len(members["a"].requests) == 2


async def test_what_a_brain_cannot_answer_is_not_asked_of_another(brains, members):
    for member in members.values():
        member.fails = BrainError("status 500")
    with pytest.raises(BrainError):
        await brains.turn(REQUEST)
    assert sum(len(member.requests) for member in members.values()) == 1


async def test_a_stuck_brain_is_left_until_it_answers_again(brains, members, monkeypatch):
    monkeypatch.setattr(brains_module, "STUCK_SECONDS", 0.01)
    monkeypatch.setattr(brains_module, "_LOOK_SECONDS", 0.01)
    name = await taken_by(brains, REQUEST)
    stuck = members[name]
    stuck.may_answer.clear()
    stuck.is_ready = False
    asked = len(stuck.requests)
    others = {await taken_by(brains, REQUEST) for _ in range(3)}
    assert others < set("abc") - {name}
    assert len(stuck.requests) == asked + 1
    stuck.may_answer.set()
    stuck.is_ready = True
    while await taken_by(brains, REQUEST) != name:
        await asyncio.sleep(0)


async def test_a_slow_brain_is_waited_for_where_there_is_no_other(members, monkeypatch):
    monkeypatch.setattr(brains_module, "STUCK_SECONDS", 0.0)
    members["a"].seconds = 0.05
    assert await taken_by(Brains({"a": members["a"]}), REQUEST) == "a"


async def test_who_waits_for_a_stuck_brain_moves_to_another_at_once(brains, members, monkeypatch):
    name = await taken_by(brains, REQUEST)
    members[name].may_answer.clear()
    members[name].is_ready = False
    monkeypatch.setattr(brains_module, "STUCK_SECONDS", 0.05)
    answers = await asyncio.gather(*(taken_by(brains, REQUEST) for _ in range(3 * TURNS_AT_ONCE)))
    assert name not in answers
    assert len(members[name].requests) == 1 + TURNS_AT_ONCE


async def test_few_turns_are_with_a_brain_at_once_and_danger_goes_first(members):
    only, member = Brains({"a": members["a"]}), members["a"]
    member.may_answer.clear()
    calm = [asyncio.create_task(only.turn(of(number))) for number in range(TURNS_AT_ONCE + 2)]
    await asyncio.sleep(0)
    given_up = asyncio.create_task(only.turn(of(98)))
    urgent = asyncio.create_task(only.turn(of(99, urgent=True)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(member.requests) == TURNS_AT_ONCE
    given_up.cancel()
    member.may_answer.set()
    await asyncio.gather(*calm, urgent)
    order = [request.conversation.rpartition(".")[2] for request in member.requests]
    assert order == ["0", "1", "2", "3", "99", "4", "5"]


async def test_a_turn_that_is_given_up_frees_its_place(members):
    only, member = Brains({"a": members["a"]}), members["a"]
    member.may_answer.clear()
    asking = [asyncio.create_task(only.turn(of(number))) for number in range(9)]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    member.may_answer.set()
    answers = await asyncio.gather(*(taken_by(only, of(number)) for number in range(9)))
    assert answers == ["a"] * 9


async def test_one_ready_brain_is_enough(brains, members):
    members["a"].is_ready = members["b"].is_ready = False
    assert await brains.ready()
    assert await brains.states() == {"a": False, "b": False, "c": True}
    members["c"].is_ready = False
    assert not await brains.ready()
