"""What the chat stores and asks for, and how a visitor gets rid of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import (
    TAG,
    WORDS,
    answers,
    field,
    html,
    own,
    panel,
    say,
    stored,
    transcript,
)

NEUTRAL = "https://neutral.example/weather"
EXIT_TAG = TAG.replace("defer", f'data-exit="{NEUTRAL}" defer')


@pytest.fixture
def quick(site):
    """A site whose quick exit goes to a neutral page, with an open chat."""
    site.context.route(NEUTRAL, lambda route: route.fulfill(body="sunny", content_type="text/html"))
    return site


def conversation(page: Page) -> str:
    """The id of the tab's conversation."""
    return page.evaluate("document.querySelector('handrail-chat').line.kept.key.conversation")


def ended(house, page_token: tuple[str, str]) -> bool:
    name, token = page_token
    address = f"/api/conversations/{name}/messages"
    return house.web.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 404


def key(page: Page) -> tuple[str, str]:
    return tuple(
        page.evaluate(
            "(({conversation, token}) => [conversation, token])"
            "(document.querySelector('handrail-chat').line.kept.key)"
        )
    )


def options(page: Page, name: str) -> None:
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name=name).click()


def test_nothing_is_stored_or_requested_before_it_is_opened(site):
    page = site.visit()
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()
    assert site.requests == [site.own + "/clinic", site.own + "/widget.js"]
    assert stored(page) == [0, 0]
    assert site.context.cookies() == []


def test_only_its_own_server_is_ever_asked_and_no_cookie_is_set(site):
    page = site.chat()
    say(page, "hello")
    assert [url for url in site.requests if not url.startswith((site.own, "data:"))] == []
    assert site.context.cookies() == []


def test_the_conversation_stays_in_the_tab(site):
    page = site.chat()
    say(page, "hello")
    assert stored(page) == [1, 0]


def test_a_conversation_is_remembered_on_the_device_only_when_asked(site):
    page = site.chat()
    say(page, "for next time")
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Remember this chat on this device").check()
    assert stored(page) == [1, 1]
    page.close()
    again = site.chat()
    expect(own(again)).to_have_text("for next time")
    again.get_by_role("button", name="Options").click()
    again.get_by_label("Remember this chat on this device").uncheck()
    assert stored(again) == [1, 0]


def test_clearing_ends_it_on_both_sides_and_begins_under_a_new_id(site):
    page = site.chat()
    say(page, "forget this")
    before = key(page)
    options(page, "Clear this chat")
    page.get_by_role("button", name="Yes, clear it").click()
    expect(own(page)).to_have_count(0)
    expect(answers(page)).to_have_count(1)
    site.house.until(lambda: ended(site.house, before))
    assert key(page)[0] != before[0]


def test_clearing_asks_first(site):
    page = site.chat()
    say(page, "keep this")
    options(page, "Clear this chat")
    page.get_by_role("button", name="No, keep it").click()
    expect(own(page)).to_have_text("keep this")


def test_clearing_without_a_server_is_told_to_it_later(site):
    page = site.chat()
    say(page, "forget this")
    before = key(page)
    page.route("**/api/**", lambda route: route.abort())
    options(page, "Clear this chat")
    page.get_by_role("button", name="Yes, clear it").click()
    expect(own(page)).to_have_count(0)
    page.unroute_all()
    site.house.until(lambda: page.wait_for_timeout(50) or ended(site.house, before))


def test_clearing_in_one_tab_clears_the_other(site):
    first, second = site.chat(), site.chat()
    say(first, "gone in both")
    expect(own(second)).to_have_count(1)
    options(first, "Clear this chat")
    first.get_by_role("button", name="Yes, clear it").click()
    expect(own(second)).to_have_count(0)
    expect(transcript(second).get_by_text("This chat was ended.")).to_be_visible()
    second.get_by_role("button", name="Start a new chat").click()
    expect(answers(second)).to_have_count(1)


def test_a_chat_that_the_server_ended_says_so_and_waits(site):
    page = site.chat()
    say(page, "hello")
    name, token = key(page)
    site.house.web.delete(
        f"/api/conversations/{name}", headers={"Authorization": f"Bearer {token}"}
    )
    expect(transcript(page).get_by_text("This chat was ended.")).to_be_visible()


def test_quick_exit_leaves_wipes_and_ends(quick):
    page = quick.chat(page=html(EXIT_TAG))
    say(page, "somebody is coming")
    before = key(page)
    page.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url(NEUTRAL)
    quick.house.until(lambda: ended(quick.house, before))
    page.goto(quick.own + "/clinic")
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()
    assert stored(page) == [0, 0]


def test_quick_exit_wipes_a_remembered_chat_too(quick):
    page = quick.chat(page=html(EXIT_TAG))
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Remember this chat on this device").check()
    page.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url(NEUTRAL)
    page.goto(quick.own + "/clinic")
    assert stored(page) == [0, 0]


def test_quick_exit_blanks_the_page_before_anything_else(quick):
    """So it is blank even if the neutral page never comes."""
    quick.context.route(NEUTRAL, lambda route: route.fulfill(status=204))
    page = quick.chat(page=html(EXIT_TAG))
    say(page, "somebody is coming")
    page.get_by_role("button", name=WORDS["exit"]).click()
    expect(page.locator("body")).to_have_text("")
    expect(page).to_have_title("neutral.example")


def test_back_after_quick_exit_shows_nothing(quick):
    page = quick.chat(page=html(EXIT_TAG))
    say(page, "somebody is coming")
    quick.publish("/programs", html(EXIT_TAG))
    page.goto(quick.own + "/programs")
    expect(own(page)).to_have_count(1)
    page.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url(NEUTRAL)
    page.go_back()
    assert page.url == quick.own + "/clinic"
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()
    expect(own(page)).to_have_count(0)
    assert stored(page) == [0, 0]


def test_a_page_that_the_browser_kept_in_memory_forgets_too(site):
    """Chromium's automation has no back-forward cache: its event is made here."""
    page = site.chat()
    say(page, "secret")
    page.evaluate(
        """() => {
            sessionStorage.clear();
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }"""
    )
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()
    expect(own(page)).to_have_count(0)


def test_quick_exit_takes_the_chat_of_other_tabs_along(quick):
    first, second = quick.chat(page=html(EXIT_TAG)), quick.chat(page=html(EXIT_TAG))
    say(first, "in both tabs")
    expect(own(second)).to_have_count(1)
    first.get_by_role("button", name=WORDS["exit"]).click()
    expect(own(second)).to_have_count(0)


def test_shift_three_times_leaves(quick):
    page = quick.chat(page=html(EXIT_TAG))
    for _ in range(3):
        page.keyboard.press("Shift")
    page.wait_for_url(NEUTRAL)


def test_shift_as_a_modifier_or_slowly_does_not_leave(quick):
    quick.context.clock.install()
    page = quick.chat(page=html(EXIT_TAG))
    for letter in "ABCD":
        page.keyboard.press(f"Shift+{letter}")
    for _ in range(4):
        page.keyboard.press("Shift")
        page.clock.run_for(5_100)
    for key_ in ("Shift", "Shift", "x", "Shift"):
        page.keyboard.press(key_)
    expect(field(page)).to_have_value("ABCDx")


def test_shift_does_nothing_while_the_chat_is_closed(quick):
    page = quick.visit(page=html(EXIT_TAG))
    for _ in range(3):
        page.keyboard.press("Shift")
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//x", ""])
def test_quick_exit_goes_to_the_default_when_the_address_is_no_https(site, address):
    site.context.route(
        "https://www.weather.gov/", lambda route: route.fulfill(body="ok", content_type="text/html")
    )
    page = site.chat(page=html(TAG.replace("defer", f'data-exit="{address}" defer')))
    page.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url("https://www.weather.gov/")


def test_it_says_plainly_that_history_stays(site):
    page = site.chat()
    expect(panel(page)).to_contain_text("It cannot erase your browser history.")
