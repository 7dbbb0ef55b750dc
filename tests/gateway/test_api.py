"""The web chat's API over HTTP: what it gives, and how it refuses."""

from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.safety.replies import is_crisis_response
from bot.store import reading, tables, writing
from bot.turns import Button
from tests.events import append
from tests.gateway.conftest import CLINIC, CLOSED, WITHOUT_PHONE, dead, says

YES = Button("Yes", "affirm", {"item": "consent", "value": "yes"})


class Visitor:
    """A browser with one conversation."""

    def __init__(self, web, opened):
        self.web = web
        self.id = opened["conversation"]
        self.token = opened["token"]

    @property
    def address(self) -> str:
        return f"/api/conversations/{self.id}/messages"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def say(self, text, message_id="m1", **more):
        return await self.send({"id": message_id, "text": text, **more})

    async def send(self, body):
        return await self.web.post(self.address, json=body, headers=self.headers)

    async def send_raw(self, content):
        return await self.web.post(self.address, content=content, headers=self.headers)

    async def history(self, after=0):
        return await self.web.get(f"{self.address}?after={after}", headers=self.headers)


async def arrive(web, **more) -> Visitor:
    response = await web.post("/api/conversations", json={"clinic": CLINIC, **more})
    assert response.status_code == 201
    return Visitor(web, response.json())


@pytest.fixture
async def visitor(web) -> Visitor:
    return await arrive(web)


# --- talking ------------------------------------------------------------------------------


async def test_a_visitor_gets_a_conversation_a_token_and_a_greeting(web):
    response = await web.post("/api/conversations", json={"clinic": CLINIC})
    opened = response.json()
    assert opened["conversation"].startswith(f"{CLINIC}.")
    assert len(opened["token"]) >= 22  # 128 bits
    [greeting] = opened["messages"]
    assert (greeting["seq"], greeting["response"]) == (1, "greet")
    assert all(set(button) == {"id", "label"} for button in greeting["buttons"])


async def test_tokens_and_conversations_are_never_the_same_twice(web):
    visitors = [await arrive(web) for _ in range(5)]
    assert len({v.token for v in visitors}) == len({v.id for v in visitors}) == 5


async def test_a_message_gets_an_answer_with_its_state(visitor):
    response = await visitor.say("hello")
    assert response.status_code == 200
    assert response.json() == {
        "messages": [{"seq": 3, "text": "You said: hello", "buttons": [], "response": "echo"}],
        "state": {
            "tier": "none",
            "level": None,
            "handoff": "none",
            "open_question": None,
            "language": "en",
            "reference": None,
        },
    }


async def test_the_browser_learns_nothing_of_a_button_but_id_and_label(visitor, brain):
    brain.answer = lambda _: says("Shall I?", YES)
    response = await visitor.say("hello")
    [button] = response.json()["messages"][0]["buttons"]
    assert (set(button), button["label"]) == ({"id", "label"}, "Yes")
    assert "affirm" not in response.text
    pressed = await visitor.send({"id": "m2", "button": button["id"]})
    assert pressed.status_code == 200
    assert brain.requests[-1].pressed == YES


async def test_the_help_button_needs_no_words(visitor, brain):
    brain.answer = dead
    response = await visitor.send({"id": "m1", "help_now": True})
    [message] = response.json()["messages"]
    assert message["response"] == "help_now"


async def test_the_history_has_both_sides_in_order(visitor):
    await visitor.say("hello", "m1")
    messages = (await visitor.history()).json()["messages"]
    assert [(m["seq"], m["from"]) for m in messages] == [
        (1, "assistant"),
        (2, "visitor"),
        (3, "assistant"),
    ]
    assert (messages[1]["text"], messages[1]["id"]) == ("hello", "m1")
    assert [m["seq"] for m in (await visitor.history(after=2)).json()["messages"]] == [3]


async def test_a_repeated_message_gets_the_same_answer(visitor, brain):
    first = await visitor.say("hello", "same")
    again = await visitor.say("hello", "same")
    assert first.json() == again.json()
    assert len(brain.requests) == 1


async def test_two_messages_at_once_are_both_answered(visitor):
    one, two = await asyncio.gather(visitor.say("one", "a"), visitor.say("two", "b"))
    answers = {r.json()["messages"][0]["seq"]: r.json()["messages"][0]["text"] for r in (one, two)}
    assert answers == {3: "You said: one", 5: "You said: two"}


async def test_a_language_chosen_at_the_beginning_reaches_the_brain(web, brain):
    visitor = await arrive(web, language="es")
    await visitor.say("hello")
    assert brain.requests[0].language == "es"


async def test_the_browsers_language_chooses_the_greeting_and_the_brain_hears_of_it(web, brain):
    response = await web.post(
        "/api/conversations",
        json={"clinic": CLINIC},
        headers={"Accept-Language": "es-MX,es;q=0.9"},
    )
    assert "asistente" in response.json()["messages"][0]["text"]
    await Visitor(web, response.json()).say("hello")
    assert (brain.requests[0].language, brain.requests[0].greeted) == (None, "es")


# --- ending a conversation ------------------------------------------------------------------


def rows(engine, conversation) -> dict[str, int]:
    """How many rows of each table belong to a conversation."""
    counts = {}
    with reading(engine) as db:
        for table in ("message", "button", "tracker_event", "alert"):
            column = tables.metadata.tables[table].c.conversation
            counts[table] = db.execute(
                sa.select(sa.func.count()).where(column == conversation)
            ).scalar_one()
    return counts


async def end(web, visitor):
    return await web.delete(f"/api/conversations/{visitor.id}", headers=visitor.headers)


async def test_an_ended_conversation_is_gone_on_both_sides(web, visitor, engine, brain):
    brain.answer = lambda _: says("Shall I?", YES)
    await visitor.say("hello")
    with writing(engine) as db:
        append(db, visitor.id, 1, ["{}"])
    response = await end(web, visitor)
    assert (response.status_code, response.content) == (204, b"")
    assert set(rows(engine, visitor.id).values()) == {0}
    assert (await visitor.say("are you there?", "m2")).status_code == 404
    assert (await visitor.history()).status_code == 404
    assert (await end(web, visitor)).status_code == 404
    assert len(brain.requests) == 1


async def test_what_staff_were_alerted_to_stays_with_them(web, visitor, engine):
    await visitor.say("danger")
    assert (await end(web, visitor)).status_code == 204
    left = rows(engine, visitor.id)
    assert (left["message"], left["alert"], left["tracker_event"]) == (3, 1, 0)
    assert (await visitor.history()).status_code == 404


async def test_nobody_else_can_end_a_conversation(web, visitor):
    other = await arrive(web)
    path = f"/api/conversations/{visitor.id}"
    assert (await web.delete(path, headers=other.headers)).status_code == 404
    assert (await web.delete(path)).status_code == 401
    assert (await visitor.history()).status_code == 200


async def test_a_message_under_way_is_answered_before_the_end(web, visitor, brain):
    thinking, done = brain.hold()
    message = asyncio.create_task(visitor.say("hello"))
    await thinking.wait()
    ending = asyncio.create_task(end(web, visitor))
    done.set()
    assert [(await task).status_code for task in (message, ending)] == [200, 204]


# --- about a clinic ---------------------------------------------------------------------------


async def test_a_page_learns_what_it_needs_of_a_clinic(web):
    about = (await web.get(f"/api/clinics/{CLINIC}")).json()
    assert about == {
        "id": CLINIC,
        "name": "Greater Boston Behavioral Health",
        "languages": ["en", "es"],
        "phone": {"display": "888-278-0716", "tel": "+18882780716"},
        "open": True,
        "opens": None,
        "origins": [],
        "exit": "https://www.weather.gov/",
        "accent": None,
    }


async def test_a_clinic_without_a_phone_is_never_open(web):
    about = (await web.get(f"/api/clinics/{WITHOUT_PHONE}")).json()
    assert (about["phone"], about["open"], about["opens"]) == (None, False, None)


@pytest.mark.parametrize("at", [CLOSED])
async def test_a_closed_line_says_when_it_opens(web, at):
    english = (await web.get(f"/api/clinics/{CLINIC}?language=en")).json()
    both = (await web.get(f"/api/clinics/{CLINIC}")).json()
    assert english["open"] is False
    assert english["opens"] == "Our line opens tomorrow (Friday) at 8:30 AM Eastern."
    assert set(both["opens"]) == {"en", "es"}
    assert both["opens"]["en"] == english["opens"]


@pytest.mark.parametrize(
    ("path", "status"), [("nowhere", 404), (f"{CLINIC}?language=fr", 422), ("..%2f..%2fetc", 404)]
)
async def test_an_unknown_clinic_or_language_is_refused(web, path, status):
    assert (await web.get(f"/api/clinics/{path}")).status_code == status


# --- somebody else's conversation ------------------------------------------------------------


async def test_a_foreign_and_an_unknown_conversation_are_refused_alike(web, visitor):
    other = await arrive(web)
    await visitor.say("mine alone")
    stranger = {"Authorization": f"Bearer {other.token}"}
    refusals = []
    for conversation in (visitor.id, f"{CLINIC}.{'0' * 32}"):
        address = f"/api/conversations/{conversation}/messages"
        refusals.append(await web.get(address, headers=stranger))
        refusals.append(await web.post(address, json={"id": "x", "text": "hi"}, headers=stranger))
    assert {r.status_code for r in refusals} == {404}
    assert len({r.text for r in refusals}) == 1
    assert "mine alone" not in refusals[0].text


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic x"}])
async def test_without_a_token_nothing_is_given(web, visitor, header):
    response = await web.get(visitor.address, headers=header)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("conversation", ["a%00b", "..%2f..%2fetc", "%F0%9F%98%80", "x" * 500])
async def test_odd_conversation_ids_are_unknown(web, conversation):
    response = await web.get(
        f"/api/conversations/{conversation}/messages", headers={"Authorization": "Bearer x"}
    )
    assert response.status_code == 404
    assert response.json()["error"]


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "🙂🙂🙂",
        "\x00\x01\x02",
        "",
        "/restart",
        '/inform{"level": "inpatient"}',
        "\ud800",
    ],
    ids=[
        "10,000 characters",
        "emoji",
        "control characters",
        "empty",
        "/restart",
        "/intent",
        "half",
    ],
)
async def test_any_text_gets_an_answer(visitor, text):
    response = await visitor.send_raw(json.dumps({"id": "m1", "text": text}))
    assert response.status_code == 200
    assert response.json()["messages"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"id": "m1", "text": "a"', "at character"),
        (b"\xff\xfe\xff", "not valid JSON"),
        (b"[" * 50_000, "not valid JSON"),
    ],
)
async def test_invalid_json_is_a_400_with_a_reason(visitor, content, reason):
    response = await visitor.send_raw(content)
    assert response.status_code == 400
    assert reason in response.json()["error"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ([], "object"),
        ("hello", "object"),
        ({"text": "hi"}, '"id" is missing'),
        ({"id": 7, "text": "hi"}, '"id" must be a string'),
        ({"id": "", "text": "hi"}, '"id" must be'),
        ({"id": "a b", "text": "hi"}, '"id" must be'),
        ({"id": "m" * 101, "text": "hi"}, '"id" must be'),
        ({"id": "m1"}, "exactly one"),
        ({"id": "m1", "text": "hi", "button": "b"}, "exactly one"),
        ({"id": "m1", "text": None}, '"text" must be a string'),
        ({"id": "m1", "text": {"a": 1}}, '"text" must be a string'),
        ({"id": "m1", "button": 3}, '"button" must be a string'),
        ({"id": "m1", "button": "unknown"}, "not known in this conversation"),
        ({"id": "m1", "help_now": "yes"}, '"help_now" can only be true'),
        ({"id": "m1", "text": "hi", "language": "fr"}, '"language" must be one of en, es'),
        ({"id": "m1", "text": "hi", "language": ["en"]}, '"language" must be one of en, es'),
    ],
)
async def test_a_wrong_body_is_a_422_with_a_reason(visitor, brain, body, reason):
    response = await visitor.send(body)
    assert response.status_code == 422
    assert reason in response.json()["error"]
    assert brain.requests == []


@pytest.mark.parametrize("body", [{}, {"clinic": 1}, {"clinic": "nowhere"}])
async def test_a_conversation_with_no_clinic_is_refused(web, body):
    response = await web.post("/api/conversations", json=body)
    assert response.status_code == 422
    assert "clinic" in response.json()["error"]


async def test_a_body_above_64_kb_is_refused(visitor):
    response = await visitor.say("x" * 70_000)
    assert response.status_code == 413
    assert "65536" in response.json()["error"]


async def test_a_body_that_hides_its_size_is_refused_too(visitor):
    async def chunks():
        for _ in range(80):
            yield b"x" * 1024

    response = await visitor.send_raw(chunks())
    assert response.status_code == 413


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "", "9999999999"])
async def test_a_wrong_after_is_refused(web, visitor, after):
    response = await web.get(f"{visitor.address}?after={after}", headers=visitor.headers)
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/../turn.py", 404),
        ("DELETE", "/api/conversations", 405),
        ("GET", "/api/conversations", 405),
    ],
)
async def test_unknown_addresses_and_methods_are_refused_in_json(web, method, path, status):
    response = await web.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.dictionaries(
            st.sampled_from(["id", "text", "button", "help_now", "language", "x"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.text(max_size=50),
                st.lists(st.text(max_size=5), max_size=2),
                st.sampled_from(["en", "m1", "danger"]),
            ),
        ).map(lambda fields: json.dumps(fields).encode()),
    )
)
async def test_no_body_at_all_breaks_anything(visitor, body):
    response = await visitor.send_raw(body)
    assert response.status_code in (200, 400, 422)
    answer = response.json()
    assert answer.get("messages") or answer.get("error")
    assert "Traceback" not in response.text


# --- faults ---------------------------------------------------------------------------------------


async def test_danger_is_answered_over_http_without_brain_and_store(
    visitor, brain, engine, database
):
    brain.answer = dead
    engine.dispose()
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.mkdir()
    response = await visitor.say("danger")
    assert response.status_code == 200
    [message] = response.json()["messages"]
    assert is_crisis_response(message["response"], "crisis_self")
    assert message["seq"] is None
    history = await visitor.history()
    assert history.status_code == 503
    assert str(database) not in history.text


async def test_a_mistake_of_ours_is_not_shown(visitor, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bot.gateway.api._answer", fail)
    response = await visitor.say("hello")
    assert response.status_code == 500
    assert "988" in response.json()["error"]
    assert "secret" not in response.text
    assert "Traceback" not in response.text
