"""The chat without JavaScript: forms, the same conversation, the same guarantee."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.gateway import limits as module
from bot.gateway.limits import Limits, Pace
from bot.gateway.pages import blocks
from bot.store import Messages, reading
from bot.turns import Button
from tests.gateway.conftest import CLINIC, dead, says
from tests.gateway.text_browser import TextBrowser

CRISIS = "What you wrote makes me worried for your safety"


@pytest.fixture
async def browser(web) -> TextBrowser:
    return await TextBrowser(web).visit(f"/chat?clinic={CLINIC}")


def carried(browser: TextBrowser) -> dict[str, str]:
    """What the page's forms carry on."""
    [form] = [form for form in browser.page.forms if form.has_text]
    return dict(form)


async def test_nothing_is_begun_before_the_visitor_does_something(browser, engine):
    assert "welcome" in browser.text
    assert "conversation" not in carried(browser)
    with reading(engine) as db:
        assert db.exec_driver_sql("select count(*) from conversation").scalar_one() == 0


async def test_words_are_answered_and_stand_in_the_transcript(browser, brain):
    await browser.write("hello there")
    assert browser.response.status_code == 200
    assert "You said: hello there" in browser.text
    await browser.write("and again")
    assert browser.text.index("hello there") < browser.text.index("and again")
    assert [request.text for request in brain.requests] == ["hello there", "and again"]
    assert len({request.conversation for request in brain.requests}) == 1


async def test_choices_are_buttons_and_mean_what_they_mean(browser, brain):
    yes = Button("Yes", "affirm", {"item": "consent", "value": "yes"})
    brain.answer = lambda _: says("Shall I?", yes)
    await browser.write("hello")
    await browser.press("Yes")
    assert brain.requests[-1].pressed == yes


async def test_beginning_without_a_word_shows_the_greetings_choices(browser, brain):
    await browser.press("Start the chat")
    assert "Find what fits" in browser.page.buttons
    await browser.press("Find what fits")
    assert brain.requests[-1].pressed.label == "Find what fits"


async def test_danger_gets_crisis_help_without_the_brain(browser, brain):
    brain.answer = dead
    await browser.write("danger")
    assert CRISIS in browser.text


async def test_danger_gets_crisis_help_without_brain_and_store(browser, brain, engine, database):
    await browser.write("hello")
    brain.answer = dead
    engine.dispose()
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.mkdir()
    await browser.write("danger")
    assert (browser.response.status_code, CRISIS in browser.text) == (200, True)
    assert "danger" in browser.text


async def test_help_now_is_one_press_from_the_first_page_on(browser):
    await browser.press("I need help now")
    assert "You can reach a person right now" in browser.text


async def test_the_same_form_sent_twice_says_it_once(browser, brain, engine):
    await browser.write("hello")
    fields = {**carried(browser), "text": "only once", "do": "send"}
    await browser.send(fields)
    first = browser.text
    await browser.send(fields)
    assert browser.text == first
    assert [request.text for request in brain.requests] == ["hello", "only once"]


async def test_what_was_written_meanwhile_shows_on_request(browser, engine):
    from tests.gateway.test_events import staff_writes

    await browser.write("hello")

    class Them:
        id = carried(browser)["conversation"]

    staff_writes(engine, Them, "Hello, this is Ana.")
    await browser.press("Show new messages")
    assert "Hello, this is Ana." in browser.text


async def test_clearing_ends_it_on_both_sides(browser, engine):
    await browser.write("my secret")
    before = carried(browser)
    await browser.press("Clear this chat")
    assert "The chat was cleared." in browser.text
    assert "my secret" not in browser.text
    assert "conversation" not in carried(browser)
    with reading(engine) as db:
        assert Messages(db).after(before["conversation"]) == []


async def test_words_for_an_ended_conversation_begin_a_new_one(browser, brain):
    await browser.write("hello")
    old = carried(browser)
    await browser.press("Clear this chat")
    await browser.send({**old, "text": "danger", "do": "send"})
    assert CRISIS in browser.text or brain.requests[-1].text == "danger"
    assert "We start again from here." in browser.text
    assert carried(browser)["conversation"] != old["conversation"]


async def test_the_language_is_switched_inside_the_conversation(browser, brain):
    await browser.write("hello")
    conversation = carried(browser)["conversation"]
    await browser.press("Español")
    assert "Su mensaje" in browser.text
    await browser.write("hola")
    assert brain.requests[-1].language == "es"
    assert carried(browser)["conversation"] == conversation


async def test_nothing_of_a_conversation_stands_in_an_address(browser):
    await browser.write("my secret")
    token = carried(browser)["token"]
    for address in browser.addresses:
        assert "secret" not in address
        assert token not in address
    assert "set-cookie" not in browser.response.headers
    assert browser.response.headers["cache-control"] == "no-store"


async def test_quick_exit_is_a_plain_link_that_tells_nobody_where_from(browser):
    await browser.write("hello")
    [link] = [a for a in browser.page.all("a") if a.get("class") == "exit"]
    assert link["href"].startswith("https://")
    assert "noreferrer" in link["rel"]


async def test_somebody_elses_conversation_is_not_shown(browser, web):
    await browser.write("my secret")
    other = await TextBrowser(web).visit("/chat")
    await other.write("hello")
    mixed = {**carried(other), "conversation": carried(browser)["conversation"], "do": "look"}
    await other.send(mixed)
    assert "my secret" not in other.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.handrail"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    ],
)
async def test_a_form_of_another_website_is_refused(browser, brain, headers):
    await browser.send({**carried(browser), "text": "hello", "do": "send"}, **headers)
    assert browser.response.status_code == 403
    assert brain.requests == []


async def test_what_visitors_and_addresses_say_is_never_markup(browser, brain):
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    brain.answer = lambda request: says(attack)
    await browser.write(attack)
    assert "<script>alert" not in browser.response.text
    assert "<img" not in browser.response.text
    assert attack in browser.text
    for name in ("lang", "chosen", "id", "frame", "do", "button", "conversation", "token"):
        await browser.send({**carried(browser), name: attack})
        assert "<script>alert" not in browser.response.text
        assert browser.response.status_code in (200, 422)


async def test_an_unknown_button_is_explained_and_the_conversation_stays(browser):
    await browser.write("hello")
    await browser.send({**carried(browser), "button": "made-up"})
    assert browser.response.status_code == 422
    assert "988" in browser.text
    assert "You said: hello" in browser.text


async def test_whoever_is_too_fast_keeps_what_they_typed(browser, monkeypatch):
    await browser.write("hello")
    monkeypatch.setattr(Limits, "message", lambda *_: Pace(wait=40))
    await browser.write("hello again")
    assert (browser.response.status_code, browser.response.headers["retry-after"]) == (429, "40")
    assert browser.page.draft == "hello again"
    await browser.write("danger")
    assert (browser.response.status_code, CRISIS in browser.text) == (200, True)


async def test_danger_is_answered_even_where_no_conversation_may_be_opened(browser, monkeypatch):
    monkeypatch.setattr(Limits, "opening", lambda *_: 60)
    await browser.write("hello")
    assert browser.response.status_code == 429
    await browser.write("danger")
    assert (browser.response.status_code, "988" in browser.text) == (200, True)
    assert "conversation" in carried(browser)
    assert module.OPENINGS


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a=1&" * 50, b"clinic=nowhere", b"%"])
async def test_a_broken_form_is_refused(web, content):
    response = await web.post(
        "/chat",
        content=content,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code in (200, 400, 404)
    assert "Traceback" not in response.text


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["clinic", "lang", "id", "frame", "chosen", "conversation", "token", "do", "text"]
        ),
        st.one_of(st.text(max_size=40), st.sampled_from([CLINIC, "en", "begin", "clear", "help"])),
    )
)
async def test_no_form_at_all_breaks_anything(web, fields):
    browser = await TextBrowser(web).send(fields)
    assert browser.response.status_code in (200, 403, 404, 422)


def test_a_text_is_shown_in_paragraphs_and_lists():
    assert list(blocks("One.\nTwo.\n\nThree:\n- a\n- b\nFour.")) == [
        ("text", ["One.", "Two."]),
        ("text", ["Three:"]),
        ("list", ["a", "b"]),
        ("text", ["Four."]),
    ]
    assert list(blocks("")) == []
    assert re.sub(r"\s", "", "".join("".join(lines) for _, lines in blocks("a\n\n\nb"))) == "ab"
