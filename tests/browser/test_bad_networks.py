"""Dropped, delayed and doubled requests, a dead server, a conversation that is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.site import (
    WORDS,
    answers,
    field,
    open_chat,
    own,
    panel,
    said,
    say,
    transcript,
    write,
)
from tests.gateway.installation import GATEWAY

MESSAGES = "**/api/conversations/*/messages"
EVENTS = "**/api/conversations/*/events"
NOT_SENT = "Not sent."


def times(page: Page, pattern: str, first: Callable[[Route], None], many: int = 1) -> None:
    """Treat the first POSTs to an address as `first` does, all others as usual."""
    numbers = count()

    def handle(route: Route) -> None:
        if route.request.method != "POST" or next(numbers) >= many:
            route.fallback()
        else:
            first(route)

    page.route(pattern, handle)


def answer_with(status: int, **headers: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status, headers=headers, body="{}")


def doubled(route: Route) -> None:
    route.fetch()
    route.continue_()


def answer_lost(route: Route) -> None:
    """The server takes the message, and its answer is lost on the way."""
    route.fetch()
    route.abort()


def test_a_dropped_request_is_sent_again_by_itself(site):
    page = site.chat()
    times(page, MESSAGES, lambda route: route.abort())
    write(page, "hello")
    expect(answers(page)).to_have_count(2)
    expect(page.locator(".delivery")).to_have_count(0)


def test_a_lost_answer_comes_later_and_nothing_is_said_twice(site):
    page = site.chat()
    times(page, MESSAGES, answer_lost)
    write(page, "only once")
    expect(answers(page)).to_have_count(2)
    expect(page.locator(".delivery")).to_have_count(0)
    page.reload()
    expect(answers(page)).to_have_count(2)
    assert said(page)[1:] == ["only once", "only once"]


def test_a_doubled_request_is_one_message(site):
    page = site.chat()
    times(page, MESSAGES, doubled)
    say(page, "twice on the wire")
    say(page, "and on")
    assert said(page)[1:] == ["twice on the wire", "twice on the wire", "and on", "and on"]


def test_messages_stand_in_the_servers_order_however_late_they_are(site):
    page = site.chat()
    held: list[Route] = []
    times(page, MESSAGES, held.append)
    write(page, "first typed, last to arrive")
    expect(page.locator(".delivery")).to_have_text("Sending…")
    say(page, "second typed")
    held[0].continue_()
    expect(answers(page)).to_have_count(3)
    assert said(page)[1:] == ["second typed"] * 2 + ["first typed, last to arrive"] * 2


def test_not_sent_says_so_and_can_be_tried_again(site):
    page = site.chat()
    down = ["down"]
    page.route(MESSAGES, lambda route: route.abort() if down else route.fallback())
    page.route(EVENTS, lambda route: route.abort())
    write(page, "hello?")
    expect(transcript(page).get_by_text(NOT_SENT)).to_be_visible()
    down.clear()
    page.get_by_role("button", name="Try again").click()
    expect(answers(page)).to_have_count(2)
    expect(transcript(page).get_by_text(NOT_SENT)).to_have_count(0)


def test_after_ten_seconds_without_a_server_the_lines_show_and_help_still_works(site):
    site.context.clock.install()
    page = site.chat()
    page.route("**/api/**", lambda route: route.abort())
    write(page, "is anybody there?")
    expect(transcript(page).get_by_text(NOT_SENT)).to_be_visible()
    expect(page.locator(".lines")).to_be_hidden()
    page.clock.run_for(10_000)
    lines = page.locator(".lines")
    expect(lines).to_contain_text("I can't reach our server")
    for line in ("Call 911", "Call 988", "Text 988", "Call our team 888-278-0716"):
        expect(lines.get_by_role("link", name=line)).to_be_visible()
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(lines).to_contain_text("You can reach a person right now")


def test_a_server_killed_mid_message_gets_it_when_it_is_back(house, open_site):
    gateway = house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    page = open_site(house).chat()
    page.route(MESSAGES, lambda route: (gateway.kill(), gateway.wait(), route.fallback()))
    write(page, "do not lose this")
    expect(transcript(page).get_by_text(NOT_SENT)).to_be_visible()
    page.unroute(MESSAGES)
    house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    # The browser is told that the network is back, rather than wait for the next attempt.
    page.context.set_offline(True)
    page.context.set_offline(False)
    expect(answers(page)).to_have_count(2)
    expect(transcript(page).get_by_text(NOT_SENT)).to_have_count(0)
    expect(own(page)).to_have_count(1)


def test_an_unsent_message_outlives_the_page(site):
    page = site.chat()
    page.route("**/api/**", lambda route: route.abort())
    write(page, "kept")
    expect(transcript(page).get_by_text(NOT_SENT)).to_be_visible()
    page.unroute_all()
    page.reload()
    expect(answers(page)).to_have_count(2)
    assert said(page)[1:] == ["kept", "kept"]


def test_a_cut_stream_loses_and_doubles_nothing(site):
    """Another tab speaks while this one is cut off."""
    here = site.chat()
    there = site.chat()
    expect(answers(there)).to_have_count(1)
    here.context.set_offline(True)
    here.context.set_offline(False)
    say(there, "while you were away")
    expect(answers(here)).to_have_count(2)
    assert said(here) == said(there)


def test_without_streams_the_chat_looks_by_itself(site):
    site.context.route(EVENTS, lambda route: route.fulfill(status=502, body="no streams here"))
    here, there = site.chat(), site.chat()
    say(there, "by looking")
    expect(answers(here)).to_have_count(2)
    assert said(here) == said(there)


def test_a_stream_in_small_pieces_is_read_whole(site):
    message = {"seq": 90, "from": "staff", "text": "Hello from Ana.\nHow are you?"}
    body = f": here\r\n\r\nid: 90\r\nevent: message\r\ndata: {json.dumps(message)}\r\n\r\n"
    site.context.route(
        EVENTS, lambda route: route.fulfill(body=body, content_type="text/event-stream")
    )
    page = site.chat()
    staff = page.locator(".row.staff")
    expect(staff.locator(".bubble")).to_contain_text("Hello from Ana.")
    expect(staff.get_by_text("Our team said:")).to_be_visible()


@pytest.mark.parametrize("status", [401, 404])
def test_a_conversation_that_is_gone_goes_on_in_a_new_one(site, status):
    page = site.chat()
    say(page, "before")
    times(page, MESSAGES, answer_with(status))
    write(page, "after")
    expect(transcript(page).get_by_text("The earlier chat has ended.")).to_be_visible()
    expect(answers(page)).to_have_count(4)
    assert said(page)[-2:] == ["after", "after"]
    expect(page.locator(".delivery")).to_have_count(0)


def test_a_conversation_gone_before_the_page_came_begins_anew(site):
    page = site.chat()
    page.route(MESSAGES + "*", answer_with(404))
    page.reload()
    expect(transcript(page).get_by_text("The earlier chat has ended.")).to_be_visible()
    expect(answers(page)).to_have_count(1)


@pytest.mark.parametrize(
    ("status", "words"), [(413, "Too long to send."), (422, "This could not be sent.")]
)
def test_a_message_that_is_not_taken_says_why(site, status, words):
    page = site.chat()
    times(page, MESSAGES, answer_with(status))
    write(page, "what now")
    expect(transcript(page).get_by_text(words)).to_be_visible()
    page.unroute_all()
    page.reload()
    expect(answers(page)).to_have_count(1)
    expect(own(page)).to_have_count(0)


def test_a_message_that_is_too_long_for_the_server_can_be_shortened(site):
    page = site.chat()
    times(page, MESSAGES, answer_with(413))
    write(page, "my long story")
    expect(field(page)).to_have_value("my long story")


def test_too_fast_shows_the_lines_waits_as_the_server_says_and_sends_again(site):
    site.context.clock.install()
    page = site.chat()
    times(page, MESSAGES, answer_with(429, **{"Retry-After": "7"}))
    write(page, "hurry")
    lines = page.locator(".lines")
    expect(lines).to_contain_text("That was fast.")
    for line in ("Call 911", "Call 988", "Text 988", "Call our team 888-278-0716"):
        expect(lines.get_by_role("link", name=line)).to_be_visible()
    page.clock.run_for(6_000)
    expect(page.locator(".delivery")).to_have_text("Sending…")
    page.clock.run_for(1_500)
    expect(answers(page)).to_have_count(2)
    expect(lines).to_be_hidden()
    assert said(page)[1:] == ["hurry", "hurry"]


def test_a_site_that_may_not_use_the_chat_still_shows_the_lines(site):
    page = site.visit()
    page.route("**/api/conversations", answer_with(403))
    page.get_by_role("button", name=WORDS["open"]).click()
    expect(page.locator(".lines")).to_contain_text("The chat can't start on this page.")
    expect(page.locator(".lines").get_by_role("link", name="Call 988")).to_be_visible()


def test_a_message_typed_before_the_greeting_came_is_not_lost(site):
    page = site.visit()
    held: list[Route] = []
    times(page, "**/api/conversations", held.append)
    page.get_by_role("button", name=WORDS["open"]).click()
    expect(panel(page)).to_be_visible()
    write(page, "quick")
    expect(page.locator(".delivery")).to_have_text("Sending…")
    held[0].continue_()
    expect(answers(page)).to_have_count(2)
    assert said(page)[1:] == ["quick", "quick"]


def test_without_storage_the_chat_works_until_the_page_is_left(site):
    site.context.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(
             window, name, { get() { throw new DOMException("off", "SecurityError"); } });"""
    )
    page = site.visit()
    open_chat(page)
    say(page, "hello")
