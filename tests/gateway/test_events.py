"""The event stream: nothing lost, nothing doubled, nothing that grows without end."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.gateway import events
from bot.store import Messages, writing
from bot.store.records import Outgoing
from tests.gateway.conftest import OPEN
from tests.gateway.listener import Listener
from tests.gateway.test_api import Visitor, arrive


@pytest.fixture
def app(web):
    return web._transport.app


@pytest.fixture
async def visitor(web) -> Visitor:
    return await arrive(web)


def stream(app, visitor, after: int | None = None, **headers: str) -> Listener:
    path = f"/api/conversations/{visitor.id}/events"
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    return Listener(app, path, {**visitor.headers, **headers})


def staff_writes(engine, visitor, text: str) -> None:
    """Somebody else writes: another gateway, a member of staff."""
    with writing(engine) as db:
        Messages(db).add_outgoing(visitor.id, Outgoing(text, "by_a_person", (), OPEN), None)


async def test_a_stream_begins_with_the_transcript_and_goes_on_with_what_is_said(app, visitor):
    async with stream(app, visitor) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"].startswith("text/event-stream")
        [greeting] = await listener.events(1)
        await visitor.say("hello")
        assert (await listener.event())["event"] == "typing"
        said, answered = await listener.events(2)
    history = (await visitor.history()).json()["messages"]
    assert [event["data"] for event in (greeting, said, answered)] == history
    assert [event["id"] for event in (greeting, said, answered)] == ["1", "2", "3"]
    assert {event["event"] for event in (greeting, said, answered)} == {"message"}


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_goes_on_after_the_last_seen_message(app, visitor, how):
    await visitor.say("hello")
    if how == "header":
        listener = stream(app, visitor, after=2)
    else:
        path = f"/api/conversations/{visitor.id}/events?after=2"
        listener = Listener(app, path, visitor.headers)
    async with listener:
        assert (await listener.event())["id"] == "3"


async def test_typing_has_no_id_and_shows_also_to_whoever_comes_later(app, visitor, brain):
    thinking, done = brain.hold()
    message = asyncio.create_task(visitor.say("hello"))
    await thinking.wait()
    async with stream(app, visitor, after=1) as listener:
        typing = await listener.event()
        assert (typing["event"], "id" in typing) == ("typing", False)
        done.set()
        assert [event["id"] for event in await listener.events(2)] == ["2", "3"]
    await message


async def test_what_somebody_else_has_written_is_found_at_the_next_look(app, visitor, engine):
    async with stream(app, visitor, after=1) as listener:
        staff_writes(engine, visitor, "Hello, this is Ana.")
        await app.state.streams.look()
        event = await listener.event()
    assert (event["id"], event["data"]["text"]) == ("2", "Hello, this is Ana.")


async def test_an_ended_conversation_ends_its_streams(app, visitor, web):
    async with stream(app, visitor, after=1) as listener:
        path = f"/api/conversations/{visitor.id}"
        assert (await web.delete(path, headers=visitor.headers)).status_code == 204
        assert (await listener.event())["event"] == "ended"
        assert await listener.event() is None


async def test_a_stream_of_somebody_else_is_refused(app, web, visitor):
    other = await arrive(web)
    path = f"/api/conversations/{visitor.id}/events"
    async with Listener(app, path, other.headers) as listener:
        assert listener.status == 404
        assert await listener.refusal() == {"error": "there is no such conversation"}
    async with Listener(app, path, {}) as listener:
        assert listener.status == 401


@pytest.mark.parametrize("after", ["-1", "x", "1" * 40])
async def test_a_wrong_place_is_refused(app, visitor, after):
    async with stream(app, visitor, **{"Last-Event-ID": after}) as listener:
        assert listener.status == 422


async def test_too_many_streams_of_one_conversation_are_refused_until_one_ends(app, visitor):
    open_streams = [stream(app, visitor) for _ in range(events.PER_CONVERSATION)]
    for listener in open_streams:
        await listener.__aenter__()
        await listener.event()
    async with stream(app, visitor) as refused:
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
    await open_streams.pop().__aexit__()
    async with stream(app, visitor) as listener:
        assert listener.status == 200
    for listener in open_streams:
        await listener.__aexit__()


async def test_streams_are_bounded_in_all(app, web, visitor, monkeypatch):
    monkeypatch.setattr(events, "IN_ALL", 1)
    other = await arrive(web)
    async with stream(app, visitor) as first:
        await first.event()
        async with stream(app, other) as second:
            assert second.status == 503


async def test_a_reader_that_does_not_read_holds_one_batch_at_most(app, visitor, engine):
    async with stream(app, visitor) as listener:
        await listener.event()
        listener.may_send.clear()
        for number in range(120):
            staff_writes(engine, visitor, f"number {number}")
        reads = []
        real = events.read_transcript
        events.read_transcript = lambda *a, **k: reads.append(real(*a, **k)) or reads[-1]
        try:
            for _ in range(20):
                app.state.watch.news(visitor.id)
                await asyncio.sleep(0)
            listener.may_send.set()
            assert [e["id"] for e in await listener.events(120)] == [str(n) for n in range(2, 122)]
        finally:
            events.read_transcript = real
    assert max(len(batch) for batch in reads) <= 50


async def test_a_stream_that_is_left_leaves_nothing_behind(app, visitor):
    async with stream(app, visitor) as listener:
        await listener.event()
        assert app.state.watch.count == 1
    assert app.state.watch.count == 0
    assert app.state.watch.conversations == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.one_of(
            st.just("say"),
            st.just("staff"),
            st.just("hang up"),
            st.integers(min_value=1, max_value=3),  # take so many events
        ),
        max_size=12,
    )
)
async def test_whatever_the_connection_does_every_message_comes_once_and_in_order(
    app, web, engine, steps
):
    visitor = await arrive(web)
    seen: list[dict] = []
    last, listener, said = 0, None, 1  # the greeting
    for number, step in enumerate(steps):
        if step == "say":
            await visitor.say(f"message {number}", f"m{number}")
            said += 2
        elif step == "staff":
            staff_writes(engine, visitor, f"from a person {number}")
            said += 1
        elif step == "hang up":
            if listener:
                await listener.__aexit__()
            listener = None
        else:
            if listener is None:
                listener = await stream(app, visitor, after=last).__aenter__()
            await app.state.streams.look()
            for _ in range(min(step, said - last)):
                while (event := await listener.event())["event"] != "message":
                    pass
                seen.append(event["data"])
                last = int(event["id"])
    if listener:
        await listener.__aexit__()
    async with stream(app, visitor, after=last) as rest:
        while last < said:
            event = await rest.event()
            if event["event"] == "message":
                seen.append(event["data"])
                last = int(event["id"])
    assert seen == (await visitor.history()).json()["messages"]
