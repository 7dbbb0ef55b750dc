"""The chat page in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.gateway.installation import GATEWAY, Installation

CHROMIUM = shutil.which("chromium")

# Where CI is set a missing browser is a failure, elsewhere a visible skip.
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no chromium on this machine: apt-get install chromium", allow_module_level=True)

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # A container's root cannot use the sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def chat(tmp_path_factory) -> Iterator[Installation]:
    """Gateway and stand-in brain, for the tests that break nothing."""
    installation = Installation(tmp_path_factory.mktemp("chat") / "data")
    installation.read_until(installation.serve(), "ready")
    yield installation
    installation.stop()


@pytest.fixture
def visit(browser) -> Iterator[Visit]:
    """Open a page in a new browser profile; errors of the page fail the test."""
    contexts, errors, foreign = [], [], []

    def open_page(installation: Installation, path: str = "/chat", **options) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        own = f"http://127.0.0.1:{installation.port}"
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(own) else foreign.append(r.url))
        page.goto(own + path)
        expect(answers(page).first).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert foreign == []


def answers(page: Page):
    return page.locator(".said.assistant")


def say(page: Page, text: str) -> None:
    before = answers(page).count()
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_count(before + 1)


def test_a_visitor_talks_with_the_keyboard_alone(chat, visit):
    page = visit(chat)
    say(page, "do you treat anxiety?")
    expect(answers(page).last).to_contain_text("do you treat anxiety?")
    expect(page.get_by_label("Your message")).to_be_focused()
    expect(page.get_by_text("Not sent.")).to_have_count(0)


def test_a_chosen_button_stays_readable_and_its_neighbours_go(chat, visit):
    page = visit(chat)
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.locator(".said.visitor")).to_contain_text("Talk to a person")
    expect(answers(page)).to_have_count(2)
    expect(page.locator(".choice")).to_have_count(0)
    expect(page.get_by_label("Your message")).to_be_focused()


def test_help_needs_no_typing(chat, visit):
    page = visit(chat)
    page.get_by_role("button", name="I need help now").click()
    expect(answers(page).last.get_by_role("link", name="988").first).to_be_visible()


def test_what_a_visitor_types_is_only_ever_text(chat, visit):
    page = visit(chat)
    say(page, '<img src=x onerror="document.title=1"><b>bold</b>')
    expect(answers(page).last).to_contain_text("<b>bold</b>")
    assert page.locator(".log img, .log b").count() == 0


def test_a_reload_keeps_the_conversation(chat, visit):
    page = visit(chat)
    say(page, "remember this")
    page.reload()
    expect(page.locator(".said.visitor")).to_have_text("You said:remember this")
    expect(answers(page)).to_have_count(2)


def test_the_language_switch_keeps_the_conversation(chat, visit):
    page = visit(chat)
    say(page, "hello")
    page.get_by_role("link", name="Español").click()
    expect(page.get_by_role("button", name="Necesito ayuda ahora")).to_be_visible()
    expect(answers(page)).to_have_count(2)


def test_without_a_server_the_lines_show_and_the_message_is_sent_later(house, visit):
    gateway = house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    page = visit(house)
    gateway.terminate()
    gateway.wait()
    page.get_by_label("Your message").fill("is anybody there?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not sent.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_text("I can't reach our server")).to_be_visible()
    for line in ("Call 911", "Call 988", "Text 988"):
        expect(page.get_by_role("link", name=line)).to_be_visible()
    house.start(GATEWAY)
    expect(answers(page)).to_have_count(2, timeout=30_000)
    expect(page.get_by_text("Not sent.")).to_have_count(0)
    expect(page.get_by_text("I can't reach our server")).to_be_hidden()
    expect(page.locator(".said.visitor")).to_have_count(1)


def test_a_conversation_that_the_server_lost_goes_on_in_a_new_one(chat, visit):
    page = visit(chat)
    page.evaluate(
        """() => {
            const key = Object.keys(sessionStorage)[0];
            const kept = JSON.parse(sessionStorage.getItem(key));
            kept.conversation = "greater_boston.unknown";
            sessionStorage.setItem(key, JSON.stringify(kept));
        }"""
    )
    page.reload()
    expect(answers(page).first).to_be_visible()
    say(page, "hello again")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (320, 568)], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/", "/chat?lang=es"])
def test_axe_finds_nothing_to_complain_about(chat, visit, path, size, scheme):
    width, height = size
    page = visit(chat, path, color_scheme=scheme, viewport={"width": width, "height": height})
    page.locator("[data-help]").click()
    expect(answers(page)).to_have_count(2)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("path", ["/", "/chat", "/chat?lang=es"])
def test_nothing_sticks_out_sideways(chat, visit, path, width):
    page = visit(chat, path, viewport={"width": width, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_help_stays_in_view_however_long_the_conversation(chat, visit):
    for height in (568, 844):
        page = visit(chat, viewport={"width": 320, "height": height})
        for number in range(6):
            say(page, f"number {number}")
        expect(page.locator("[data-help]")).to_be_in_viewport()
