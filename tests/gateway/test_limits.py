"""Limits: what they count, and that none of them stands before help."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress

import httpx
import pytest
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from bot.gateway import body
from bot.gateway import limits as module
from bot.gateway.limits import Limits, Pace, sender_address
from bot.gateway.run import server
from bot.safety.replies import is_crisis_response
from bot.settings import ROOT, Settings
from bot.store import Alerts, reading
from bot.turns import Button, TurnState
from tests.gateway.conftest import WITHOUT_PHONE, says
from tests.gateway.test_api import Visitor, arrive


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Clock:
    return Clock()


@pytest.fixture
def limits(seconds) -> Limits:
    """What the gateway of these tests counts with."""
    return Limits(seconds)


@pytest.fixture
async def visitor(web) -> Visitor:
    return await arrive(web)


@pytest.fixture
def few(monkeypatch):
    """Small limits; take effect on a `Limits` made afterwards."""
    monkeypatch.setattr(module, "OF_CONVERSATION", "2/minute")
    monkeypatch.setattr(module, "OPENINGS", "3/minute")


async def use_up(visitor) -> None:
    for number in range(2):
        assert (await visitor.say("hello", f"used{number}")).status_code == 200


# --- beyond the limit -----------------------------------------------------------------------


async def test_whoever_is_too_fast_is_told_kindly_and_when_to_go_on(few, seconds, visitor):
    await use_up(visitor)
    seconds.now += 15
    response = await visitor.say("hello again", "m3")
    assert (response.status_code, response.headers["retry-after"]) == (429, "45")
    for help_line in ("988", "911", "888-278-0716"):
        assert help_line in response.json()["error"]
    seconds.now += 45
    assert (await visitor.say("hello again", "m3")).status_code == 200


async def test_it_is_told_in_the_visitors_language(few, web):
    visitor = await arrive(web, language="es")
    await use_up(visitor)
    assert "espere" in (await visitor.say("hola", "m3")).json()["error"]


@pytest.mark.parametrize("text", ["uneasy", "friend-in-danger", "danger", "overdose"])
async def test_danger_is_answered_beyond_the_limit_and_noted_without_the_brain(
    few, visitor, brain, screen, engine, text
):
    await use_up(visitor)
    asked = len(brain.requests)
    response = await visitor.say(text, "m3")
    assert response.status_code == 200
    [message] = response.json()["messages"]
    assert is_crisis_response(message["response"], screen.WORDS[text])
    assert len(brain.requests) == asked
    with reading(engine) as db:
        alerts = Alerts(db).of(visitor.id)
    assert len(alerts) == (0 if text == "uneasy" else 1)


async def test_the_help_button_works_beyond_the_limit(few, visitor):
    await use_up(visitor)
    response = await visitor.send({"id": "m3", "help_now": True})
    assert response.json()["messages"][0]["response"] == "help_now"


async def test_a_yes_to_the_direct_question_counts_beyond_the_limit(few, visitor, brain):
    yes = Button("Yes", "affirm")
    state = TurnState(tier="concern", open_question="concern")
    brain.answer = lambda _: says("Are you thinking about suicide?", yes, state=state)
    await use_up(visitor)
    [offered] = (await visitor.history()).json()["messages"][-1]["buttons"]
    response = await visitor.send({"id": "m3", "button": offered["id"]})
    assert is_crisis_response(response.json()["messages"][0]["response"], "crisis_self")


async def test_a_screen_that_fails_counts_as_danger_beyond_the_limit(few, visitor):
    await use_up(visitor)
    response = await visitor.say("break the screen", "m3")
    assert is_crisis_response(response.json()["messages"][0]["response"], "concern")


async def test_a_flood_is_answered_unread_with_crisis_help(
    few, monkeypatch, visitor, screen, brain
):
    monkeypatch.setattr(Limits, "message", lambda *_: Pace(wait=60, read=False))
    read = len(screen.read_texts)
    response = await visitor.say("hello")
    assert response.status_code == 200
    [message] = response.json()["messages"]
    assert is_crisis_response(message["response"], "crisis_self")
    assert message["seq"] is None
    assert (len(screen.read_texts), brain.requests) == (read, [])


async def test_opening_too_many_conversations_is_refused_with_help(few, web):
    for _ in range(3):
        await arrive(web)
    response = await web.post("/api/conversations", json={"clinic": WITHOUT_PHONE})
    assert response.status_code == 429
    assert "988" in response.json()["error"]
    assert "888" not in response.json()["error"]


async def test_one_visitors_flood_leaves_others_their_turn(few, web, visitor):
    other = await arrive(web)
    for number in range(20):
        await visitor.say("hello", f"flood{number}")
    assert (await other.say("hello")).status_code == 200


async def test_a_stranger_cannot_use_up_a_visitors_messages(few, web, visitor):
    stranger = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=web._transport.app, client=("203.0.113.9", 1)),
        base_url="http://handrail",
    )
    async with stranger:
        for number in range(5):
            await Visitor(stranger, {"conversation": visitor.id, "token": "x"}).say(
                "hello", f"x{number}"
            )
    assert (await visitor.say("hello")).status_code == 200


async def test_more_turns_than_the_brain_can_take_are_answered_by_ourselves(
    web, brain, monkeypatch
):
    monkeypatch.setattr("bot.gateway.asking.MOST_ASKING", 1)
    first, second = [await arrive(web) for _ in range(2)]
    thinking, done = brain.hold()
    waiting = asyncio.create_task(first.say("hello"))
    await thinking.wait()
    calm = (await second.say("hello", "m1")).json()["messages"][0]
    danger = (await second.say("danger", "m2")).json()["messages"][0]
    done.set()
    assert calm["response"].startswith("unavailable")
    assert is_crisis_response(danger["response"], "crisis_self")
    assert (await waiting).json()["messages"][0]["response"] == "echo"


async def test_a_body_that_does_not_arrive_is_given_up(visitor, monkeypatch):
    monkeypatch.setattr(body, "BODY_SECONDS", 0.01)
    never = asyncio.Event()

    async def slowly():
        yield b"{"
        await never.wait()

    response = await visitor.send_raw(slowly())
    assert response.status_code == 408


# --- counting ----------------------------------------------------------------------------------


def test_reading_beyond_the_limits_is_bounded_for_one_address_and_in_all(monkeypatch, seconds):
    monkeypatch.setattr(module, "OF_ADDRESS", "1/minute")
    monkeypatch.setattr(module, "READ_OF_ADDRESS", "2/minute")
    monkeypatch.setattr(module, "READ_IN_ALL", "3/minute")
    counted = Limits(seconds)
    one = [counted.message("one", "c") for _ in range(5)]
    assert [pace.wait for pace in one] == [0, 60, 60, 60, 60]
    assert [pace.read for pace in one] == [True, True, True, False, False]
    other = [counted.message("other", "c") for _ in range(3)]
    assert [pace.read for pace in other] == [True, True, False]
    seconds.now += 60
    assert counted.message("one", "c") == Pace()


def test_counts_do_not_grow_without_end(monkeypatch, seconds):
    monkeypatch.setattr(module, "_MOST_KEYS", 10)
    counted = Limits(seconds)
    for number in range(50):
        counted.opening(f"address {number}")
    assert len(counted._counts._counts) == 10


def test_counts_that_have_ended_are_forgotten(monkeypatch, seconds):
    monkeypatch.setattr(module, "OPENINGS", "5/minute;9/hour")
    counted = Limits(seconds)
    for number in range(50):
        counted.opening(f"address {number}")
    seconds.now += 60
    counted.opening("another address")
    assert len(counted._counts._counts) == 50 + 2  # those of the hour, and its own
    seconds.now += 3600
    counted.opening("another address")
    assert len(counted._counts._counts) == 2


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_whose_address_counts(peer, expected):
    assert sender_address(peer) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        # Somebody's word about themselves is not believed.
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", "127.0.0.1"),
        # Only what our own proxies have added counts: the last one that is not ours.
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:5555", "198.51.100.1"),
        ("fd00::1", "[2001:db8:1:3::9]:443", "2001:db8:1:3::9"),
    ],
)
async def test_only_our_own_proxies_are_believed(settings, peer, forwarded, expected):
    async def who(scope, receive, send):
        await PlainTextResponse(scope["client"][0])(scope, receive, send)

    networks = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
    config = server(who, dataclasses.replace(settings, proxies=networks))
    config.load()
    transport = httpx.ASGITransport(app=config.loaded_app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail") as web:
        response = await web.get("/", headers={"X-Forwarded-For": forwarded})
    assert response.text == expected


async def test_without_proxies_nobody_is_believed(settings):
    config = server(None, settings)
    assert config.proxy_headers is False


@pytest.mark.parametrize("text", ["here", "10.0.0.0/99", "10.0.0.1, *"])
def test_a_proxy_that_is_no_network_is_named(text):
    with pytest.raises(ValueError, match="HANDRAIL_PROXIES"):
        Settings.from_environment({"HANDRAIL_PROXIES": text})


def test_an_address_is_not_kept_in_clear(seconds):
    request = HTTPConnection({"type": "http", "client": ("203.0.113.7", 1), "headers": []})
    counted = Limits(seconds)
    sender = counted.sender(request)
    assert sender == counted.sender(request)
    assert "203.0.113.7" not in sender
    assert sender != Limits(seconds).sender(request)


def test_the_limits_stand_in_the_operators_page():
    page = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    for limit in (module.OPENINGS, module.OF_CONVERSATION, module.OF_ADDRESS):
        minute, hour = [int(part.split("/")[0]) for part in limit.split(";")]
        assert f"{minute} a minute, {hour:,} an hour |" in page
    assert "300 messages a minute from one\naddress, 1,200 in all" in page
    assert (module.READ_OF_ADDRESS, module.READ_IN_ALL) == ("300/minute", "1200/minute")
