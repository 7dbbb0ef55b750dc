"""Pages that the chat does not know: hostile styles, old libraries, strict policies, frames."""

from __future__ import annotations

import re

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
)

RESETS = """
<style>
  * { all: unset !important; }
  *, *::before { display: inline !important; position: static !important; font-size: 3px !important;
    color: red !important; background: red !important; visibility: hidden; opacity: 0;
    width: 1px; transform: scale(3); z-index: -1; }
  button, textarea, section, handrail-chat { display: none; border: 9px solid lime; }
  html { font-size: 62.5%; }
</style>"""

# What old libraries and broken tools have done to pages before the chat's script runs.
SPOILT_BEFORE = """
<script>
  Array.prototype.toJSON = function () { return "spoilt"; };
  Object.prototype.toJSON = function () { return "spoilt"; };
  String.prototype.toJSON = function () { return "spoilt"; };
  Array.prototype.contains = function () { return false; };
  Object.prototype.extra = "spoilt";
  for (const name of ["map", "filter", "find", "forEach", "includes", "some", "every",
      "indexOf", "reduce", "push", "concat", "flat", "at"]) {
    Array.prototype[name] = function () { throw new Error("spoilt: " + name); };
  }
  Array.from = () => { throw new Error("spoilt: from"); };
</script>"""
# And after it, while the chat runs.
SPOILT_AFTER = """
<script>
  addEventListener("load", () => {
    const spoilt = () => { throw new Error("spoilt"); };
    window.fetch = spoilt; window.setTimeout = spoilt; window.clearTimeout = spoilt;
    JSON.parse = spoilt; JSON.stringify = spoilt; Math.random = spoilt; Date.now = spoilt;
    document.createElement = spoilt; document.createElementNS = spoilt;
    window.AbortController = spoilt; window.URL = spoilt; window.Map = spoilt;
  });
</script>"""

NASTY = '<img src=x onerror="window.hit=1"><b>bold</b><script>window.hit=1</script>'


def test_the_pages_styles_do_not_reach_the_chat(open_site, clinic_server):
    site = open_site(clinic_server, reduced_motion="reduce")
    plain = site.chat()
    box = panel(plain).bounding_box()
    style = "e => { const s = getComputedStyle(e); return [s.fontSize, s.color, s.display]; }"
    expected = field(plain).evaluate(style)
    hostile = site.chat(path="/hostile", page=html(TAG, head=RESETS))
    assert panel(hostile).bounding_box() == box
    assert field(hostile).evaluate(style) == expected
    assert hostile.locator("handrail-chat").evaluate("e => getComputedStyle(e).opacity") == "1"
    say(hostile, "hello")


def test_the_chats_styles_do_not_reach_the_page(site):
    look = "() => JSON.stringify([...getComputedStyle(document.querySelector('#text'))].map(" + (
        "n => getComputedStyle(document.querySelector('#text')).getPropertyValue(n)))"
    )
    page = site.visit(page=html(""))
    before = page.evaluate(look)
    page = site.chat(path="/with")
    assert page.evaluate(look) == before


def test_no_global_name_is_left_behind(site):
    names = "Object.getOwnPropertyNames(window).sort()"
    without = site.visit(page=html("")).evaluate(names)
    page = site.visit(path="/with")
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_visible()
    assert page.evaluate(names) == without


@pytest.mark.parametrize("spoilt", [SPOILT_BEFORE, SPOILT_AFTER], ids=["before", "after"])
def test_spoilt_built_ins_do_not_break_it(site, spoilt):
    page = site.chat(page=html(TAG, head=spoilt))
    say(page, "hello")
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator(".row.urgent")).to_be_visible()
    page.reload()
    expect(own(page)).to_have_count(2)


def test_the_strictest_content_policy_is_enough(site):
    policy = "default-src 'none'; script-src 'self'; connect-src 'self'; "
    policy += "require-trusted-types-for 'script'"
    blocked: list[str] = []
    site.context.on("console", lambda message: blocked.append(message.text))
    page = site.chat(headers={"Content-Security-Policy": policy}, page=html().replace("data:,", ""))
    say(page, "hello")
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator(".row.urgent")).to_be_visible()
    assert panel(page).evaluate("e => getComputedStyle(e).position") == "fixed"
    assert [text for text in blocked if "Content Security Policy" in text] == []


def test_what_is_typed_is_none_of_the_pages_business(site):
    logger = """<script>window.keys = [];
      for (const kind of ["keydown", "keypress", "keyup", "input"])
        document.addEventListener(kind, (event) => keys.push(event.key));</script>"""
    page = site.chat(page=html(TAG, head=logger))
    field(page).press_sequentially("secret")
    assert page.evaluate("keys") == []


def hit(page: Page) -> bool:
    return page.evaluate("'hit' in window")


def test_messages_are_only_ever_text(site):
    page = site.chat()
    say(page, NASTY)
    expect(own(page).last).to_have_text(NASTY)
    expect(answers(page).last).to_contain_text("<b>bold</b>")
    assert page.locator(".log img, .log b, .log script").count() == 0
    assert not hit(page)


def test_what_the_server_says_of_a_clinic_is_only_ever_text(site):
    site.context.route(
        "**/api/clinics/*",
        lambda route: route.fulfill(
            json={
                "name": NASTY,
                "phone": {"display": NASTY, "tel": "javascript:1"},
                "open": True,
                "opens": NASTY,
                "accent": "red;background:url(https://evil.example)",
                "origins": ["javascript:1", "https://.*"],
                "exit": "javascript:1",
            }
        ),
    )
    page = site.chat()
    expect(page.get_by_role("heading", name="bold")).to_have_text(NASTY)
    say(page, "https://evil.example and 988")
    page.get_by_role("button", name=WORDS["help"]).click()
    links = page.locator("#panel a").evaluate_all("all => all.map((a) => a.href)")
    assert [link for link in links if not re.match(r"(tel|sms):\+?\d*$", link)] == []
    assert not hit(page)


def test_attributes_are_only_ever_text(site):
    quoted = NASTY.replace('"', "&quot;")
    tag = TAG.replace("888-278-0716", quoted).replace("defer", f'data-theme="{quoted}" defer')
    site.context.route("**/api/clinics/*", lambda route: route.fulfill(status=404))
    page = site.chat(page=html(tag))
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator(".lines")).to_contain_text("<b>bold</b>")
    assert not hit(page)


@pytest.mark.parametrize(
    "query",
    ["clinic=%22%3E%3Cscript%3Ewindow.hit=1%3C/script%3E", "lang=%22onload=%22window.hit=1", "x"],
)
def test_the_chat_page_takes_nothing_from_its_address_but_names(site, query):
    page = site.context.new_page()
    page.goto(f"{site.own}/chat?{query}")
    assert not hit(page)


def test_a_framed_chat_is_open_and_its_quick_exit_takes_the_whole_page_away(site):
    site.context.route(
        "https://www.weather.gov/", lambda route: route.fulfill(body="ok", content_type="text/html")
    )
    whole = '<script src="/widget.js" defer></script>'
    whole += '<handrail-chat mode="page" clinic="greater_boston"></handrail-chat>'
    site.publish("/framed", html(whole))
    page = site.visit(page=html('<iframe src="/framed" title="Chat" width="400" height="600">'))
    frame = page.frame_locator("iframe")
    expect(frame.locator(".row.assistant")).to_have_count(1)
    frame.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url("https://www.weather.gov/")


def test_an_open_chat_survives_a_page_that_scrolls_and_zooms(site):
    page = site.chat(page=html('<div style="height: 9999px; width: 3000px"></div>' + TAG))
    page.evaluate("scrollTo(900, 5000)")
    expect(page.get_by_role("button", name=WORDS["help"])).to_be_in_viewport()
    open_box = panel(page).bounding_box()
    assert open_box is not None
    assert open_box["x"] >= 0
