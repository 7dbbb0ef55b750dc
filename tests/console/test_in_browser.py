"""The console in a real browser: keyboard, contrast, narrow screens, and no inline anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.night import IN_CRISIS, IOP, PARENT
from tests.console.served import console, log_in

CHROMIUM = shutil.which("chromium")

if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no chromium on this machine: apt-get install chromium", allow_module_level=True)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with console(tmp_path_factory.mktemp("served")) as (found, _):
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def watched(browser: Browser, **options: object) -> tuple[Page, list[str]]:
    """A new page, and what its console complains about, CSP among it."""
    page = browser.new_context(**options).new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


def test_a_coordinator_works_off_the_first_record_without_javascript(browser, address):
    page, _ = watched(browser, java_script_enabled=False)
    log_in(page, address)
    first = page.locator(".row a").first
    expect(first).to_contain_text("No contact details")
    first.click()
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("with you")).to_be_visible()
    page.get_by_label("How did it go?").select_option("message_sent")
    page.get_by_label("Note").first.fill("Wrote back in the chat.")
    page.get_by_role("button", name="Save the call").click()
    expect(page.get_by_text("Called: Wrote in the chat or by text")).to_be_visible()


def test_the_queue_refreshes_itself_within_our_own_security_policy(browser, address):
    page, complaints = watched(browser)
    log_in(page, address)
    complaints.clear()  # the login page itself is answered with 401
    page.evaluate("document.querySelector('#live').setAttribute('hx-trigger', 'now')")
    with page.expect_response(lambda answer: "live=1" in answer.url) as answered:
        page.evaluate("htmx.process(document.querySelector('#live'))")
        page.evaluate("htmx.trigger('#live', 'now')")
    assert answered.value.status in (200, 204)
    assert complaints == []


def test_an_idle_record_leaves_the_screen_and_what_was_typed_stays(browser, address):
    page, complaints = watched(browser)
    page.clock.install()
    log_in(page, address)
    complaints.clear()
    page.goto(f"{address}/console/records/{IOP}")
    note = page.get_by_label("Note").first
    note.fill("She prefers")
    page.clock.run_for("14:00")
    page.keyboard.press("Shift")
    page.clock.run_for("14:00")
    expect(page.get_by_role("heading", name="Dana Whitfield")).to_be_visible()
    page.clock.run_for("01:10")
    expect(page.get_by_role("alert")).to_contain_text("Hidden after 15 minutes")
    assert "Whitfield" not in page.content()
    assert "hospital" not in page.content()
    expect(note).to_have_value("She prefers")
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1180, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(browser, address, width, scheme):
    page, _ = watched(browser, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(f"{address}/console")
    problems = Axe().run(page)
    assert problems.violations_count == 0, problems.generate_report()
    log_in(page, address, "sam")
    paths = ("/console", *(f"/console/records/{code}" for code in (IN_CRISIS, IOP, PARENT)))
    for path in (*paths, "/console/notices", "/console/audit", "/console/figures"):
        page.goto(address + path)
        problems = Axe().run(page)
        assert problems.violations_count == 0, f"{path}\n{problems.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_admins_page_is_fit_for_everybody(browser, address):
    page, _ = watched(browser, viewport={"width": 320, "height": 800})
    log_in(page, address, "ada")
    for path in ("/console/users", "/console/embed"):
        page.goto(address + path)
        problems = Axe().run(page)
        assert problems.violations_count == 0, problems.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


@pytest.mark.parametrize(("who", "path"), [("ada", "users"), ("ana", "audit")])
def test_no_word_of_a_table_is_broken_in_two_on_a_phone(browser, address, who, path):
    page, _ = watched(browser, viewport={"width": 320, "height": 800})
    log_in(page, address, who)
    page.goto(f"{address}/console/{path}")
    broken = page.evaluate("""() => [...document.querySelectorAll("th, td, td button")]
      .flatMap((cell) => [...cell.childNodes])
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .flatMap((node) => [...node.data.matchAll(/\\S+/g)].filter((word) => {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        return range.getClientRects().length > 1;
      }).map((word) => word[0]))""")
    assert broken == []
