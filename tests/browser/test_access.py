"""Everybody can use it: keyboard, screen readers, zoom, small screens, colours, directions."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import (
    WORDS,
    answers,
    complaints,
    field,
    html,
    open_chat,
    own,
    panel,
    say,
    transcript,
    write,
)

# 1280 x 1024 at 400 %.
ZOOMED = {"width": 320, "height": 256}
PHONE = {"width": 320, "height": 568}

# Writes down every change of text inside whatever a screen reader announces.
HEAR = """() => {
  window.heard = [];
  const root = document.querySelector("handrail-chat").shadowRoot;
  const live = (node) => {
    for (let one = node; one instanceof Element; one = one.parentElement) {
      const how = one.getAttribute("aria-live");
      if (how) return how !== "off";
      if (["log", "status", "alert"].includes(one.getAttribute("role"))) return true;
    }
    return false;
  };
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      const at = target instanceof Element ? target : target.parentElement;
      for (const node of addedNodes) if (live(at)) heard.push(node.textContent);
    }
  }).observe(root, { childList: true, subtree: true, characterData: true });
}"""


def heard(page: Page, words: str) -> int:
    """How often `words` were announced."""
    return page.evaluate("(words) => heard.filter((text) => text.includes(words)).length", words)


def focused(page: Page) -> str:
    return page.evaluate(
        "(e => e ? e.id || e.className || e.textContent : '')"
        "(document.querySelector('handrail-chat').shadowRoot.activeElement)"
    )


@pytest.mark.parametrize(
    ("options", "direction"),
    [
        ({"color_scheme": "light"}, "ltr"),
        ({"color_scheme": "dark"}, "ltr"),
        ({"color_scheme": "light"}, "rtl"),
        ({"viewport": PHONE}, "ltr"),
        ({"viewport": ZOOMED}, "rtl"),
        ({"forced_colors": "active"}, "ltr"),
    ],
    ids=["light", "dark", "rtl", "320px", "400%", "forced-colors"],
)
def test_axe_finds_nothing_to_complain_about(open_site, clinic_server, options, direction):
    page = open_site(clinic_server, **options).visit(page=html(direction=direction))
    assert complaints(page) == []
    open_chat(page)
    say(page, "hello")
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator(".row.urgent")).to_be_visible()
    page.get_by_role("button", name="Options").click()
    assert complaints(page) == []


@pytest.mark.parametrize("size", [PHONE, ZOOMED], ids=["320px", "400%"])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_nothing_sticks_out_and_help_stays_in_view(open_site, clinic_server, size, direction):
    page = open_site(clinic_server, viewport=size).chat(page=html(direction=direction))
    for number in range(4):
        say(page, f"number {number} " + "unbreakable" * 9)
        expect(page.get_by_role("button", name=WORDS["help"])).to_be_in_viewport()
        expect(page.get_by_role("button", name=WORDS["exit"])).to_be_in_viewport()
    inside = "e => [...e.querySelectorAll('*')].every((one) => one.scrollWidth <= innerWidth)"
    assert panel(page).evaluate(inside)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_phone_shows_the_chat_on_its_whole_screen(open_site, clinic_server):
    size = {"width": 390, "height": 844}
    page = open_site(
        clinic_server, viewport=size, has_touch=True, is_mobile=True, reduced_motion="reduce"
    ).chat()
    expect(panel(page)).to_be_focused()  # not the field: no keyboard before a word was read
    assert panel(page).bounding_box() == {"x": 0, "y": 0, **size}


def test_every_target_is_large_enough(site):
    page = site.chat()
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator(".row.urgent")).to_be_visible()
    page.get_by_role("button", name="Options").click()
    small = page.locator("#panel :is(button, textarea, label.item, .dial a)").evaluate_all(
        """all => all.filter((one) => {
            const { width, height } = one.getBoundingClientRect();
            return one.checkVisibility() && (width < 24 || height < 24)
              && !one.classList.contains("unseen");
        }).map((one) => one.outerHTML)"""
    )
    assert small == []


def test_the_keyboard_alone_is_enough(site):
    page = site.visit()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(field(page)).to_be_focused()
    expect(answers(page)).to_have_count(1)
    page.keyboard.type("hello")
    page.keyboard.press("Tab")
    assert focused(page) == "icon send"
    page.keyboard.press("Space")
    expect(answers(page)).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_focused()


def test_escape_closes_the_menu_first_and_focus_returns(site):
    page = site.chat()
    page.get_by_role("button", name="Options").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Options")).to_be_focused()
    expect(panel(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page.get_by_role("button", name=WORDS["open"])).to_be_focused()


def test_a_message_is_announced_once_with_its_choices(site):
    page = site.visit()
    page.evaluate(HEAR)
    open_chat(page)
    say(page, "do you treat anxiety?")
    assert heard(page, "do you treat anxiety?") == 1
    assert heard(page, "Talk to a person") == 1
    page.locator("#panel").evaluate("(e) => e.getRootNode().querySelector('[aria-live=polite]')")


def test_history_is_not_announced_again(site):
    page = site.chat()
    say(page, "said before")
    page.get_by_role("button", name="Close chat").click()
    page.reload()
    page.evaluate(HEAR)
    open_chat(page)
    expect(answers(page)).to_have_count(2)
    say(page, "said now")
    assert heard(page, "said before") == 0
    assert heard(page, "said now") == 1


def test_waiting_is_announced_once_and_shown_without_motion_to_who_wants_none(
    open_site, clinic_server
):
    page = open_site(clinic_server, reduced_motion="reduce").chat()
    page.evaluate(HEAR)
    write(page, "think 2.4")
    dots = page.locator(".typing i").first
    expect(dots).to_be_visible()
    assert dots.evaluate("e => getComputedStyle(e).animationName") == "none"
    expect(answers(page)).to_have_count(2)
    expect(dots).to_be_hidden()
    assert heard(page, "An answer is being written") == 1


def test_an_answer_never_takes_the_focus(site):
    page = site.chat()
    write(page, "think 1")
    page.get_by_role("button", name="Options").focus()
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Options")).to_be_focused()


@pytest.fixture
def reading_above(site):
    """Somebody has scrolled up in a long conversation, and an answer is on its way."""
    page = site.chat()
    for number in range(4):
        say(page, f"number {number}\n\n" + "line\n\n" * 5)
    write(page, "think 1")
    expect(own(page)).to_have_count(5)
    page.locator(".scroll").evaluate("e => { e.scrollTop = 0; }")
    return page


def test_an_answer_does_not_scroll_away_what_is_being_read(reading_above):
    page = reading_above
    expect(answers(page)).to_have_count(6)
    assert page.locator(".scroll").evaluate("e => e.scrollTop") == 0
    page.get_by_role("button", name="New message").click()
    expect(answers(page).last).to_be_in_viewport()


def test_the_sign_of_something_new_goes_once_one_has_scrolled_there(reading_above):
    newer = reading_above.get_by_role("button", name="New message")
    expect(newer).to_be_visible()
    reading_above.locator(".scroll").evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(newer).to_be_hidden()


def test_a_long_answer_is_shown_from_its_first_line(site):
    page = site.chat()
    page.get_by_role("button", name=WORDS["help"]).click()
    reply = page.locator(".row.urgent .bubble")
    expect(reply).to_be_visible()
    expect(reply.locator("p").first).to_be_in_viewport()


def test_the_log_has_a_name_and_the_field_a_label(site):
    page = site.chat()
    expect(transcript(page)).to_have_accessible_name("Conversation")
    expect(field(page)).to_have_accessible_name("Your message")
    expect(panel(page)).to_have_accessible_name("Greater Boston Behavioral Health")


def test_in_a_right_to_left_page_the_chat_stands_on_the_left(site):
    page = site.chat(page=html(direction="rtl"))
    say(page, "hello")
    box = panel(page).bounding_box()
    assert box is not None
    assert box["x"] < 100
    mine, theirs = own(page).last.bounding_box(), answers(page).last.bounding_box()
    assert mine is not None
    assert theirs is not None
    assert mine["x"] < theirs["x"]


def test_in_a_right_to_left_page_a_sentence_keeps_its_full_stop_at_its_end(site):
    page = site.chat(page=html(direction="rtl"))
    sentence = page.locator("#panel p.intro span", has_text="browser history.")
    stop, before = sentence.evaluate("""(span) => {
      const text = span.firstChild, range = document.createRange();
      return [1, 2].map((back) => {
        range.setStart(text, text.length - back);
        range.setEnd(text, text.length - back + 1);
        return range.getBoundingClientRect().left;
      });
    }""")
    assert stop > before
    expect(page.locator("#count")).to_be_hidden()  # what says nothing takes no room


def test_a_clinic_gives_it_its_colours(site):
    head = "<style>handrail-chat { --handrail-accent: #5b2a86; --handrail-on-accent: #fff7d6; }"
    page = site.chat(page=html(head=head + "</style>"))
    header = page.locator("#panel header")
    assert header.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(91, 42, 134)"
    assert header.evaluate("e => getComputedStyle(e).color") == "rgb(255, 247, 214)"
