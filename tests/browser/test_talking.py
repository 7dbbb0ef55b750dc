"""A visitor talks: messages, choices, links, languages, files, other pages and tabs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.site import (
    TAG,
    WORDS,
    answers,
    field,
    html,
    open_chat,
    own,
    panel,
    said,
    say,
    write,
)


def test_one_script_tag_is_a_chat(site):
    page = site.chat()
    say(page, "do you treat anxiety?")
    expect(answers(page).last).to_contain_text("do you treat anxiety?")


def test_the_chosen_answer_stays_readable_and_its_neighbours_go(site):
    page = site.chat()
    page.get_by_role("button", name="Talk to a person").click()
    expect(own(page)).to_have_text("Talk to a person")
    expect(answers(page)).to_have_count(2)
    expect(page.locator(".choice")).to_have_count(0)
    expect(field(page)).to_be_focused()


def test_help_is_one_press_away_and_shows_the_lines_at_once(site):
    page = site.chat()
    page.get_by_role("button", name=WORDS["help"]).click()
    for line in ("Call 911", "Call 988", "Text 988", "Call our team 888-278-0716"):
        expect(page.locator(".lines").get_by_role("link", name=line)).to_be_visible()
    expect(page.locator(".row.urgent").get_by_role("link", name="Text 988")).to_have_attribute(
        "href", "sms:988"
    )


def test_numbers_can_be_dialled_and_lists_are_lists(site):
    page = site.chat()
    page.get_by_role("button", name=WORDS["help"]).click()
    reply = page.locator(".row.urgent .bubble")
    expect(reply.get_by_role("listitem").first).to_be_visible()
    for shown, address in {
        "911": "tel:911",
        "988": "tel:988",
        "741741": "sms:741741",
        "833-773-2445": "tel:+18337732445",
        "1-800-799-7233": "tel:+18007997233",
    }.items():
        expect(reply.get_by_role("link", name=shown, exact=True).first).to_have_attribute(
            "href", address
        )


def test_only_allow_listed_addresses_become_links(site):
    expected = {
        "see 988lifeline.org/chat.": ["https://988lifeline.org/chat"],
        "https://www.988lifeline.org": ["https://www.988lifeline.org/"],
        "https://evil.example/988lifeline.org": [],
        "https://988lifeline.org.evil.example": [],
        "https://988lifeline.org@evil.example": [],
        "https://988lifeline.org:8443/": [],
        "http://988lifeline.org": [],
        "javascript:988lifeline.org": [],
        "ana@988lifeline.org": [],
        "my id is 1988-4 and 9111": [],
    }
    page = site.chat()
    found = {}
    for text in expected:
        say(page, text)
        links = answers(page).last.get_by_role("link").all()
        found[text] = [link.evaluate("a => a.href") for link in links]
    assert found == expected


def test_a_visitors_own_words_are_never_links(site):
    page = site.chat()
    say(page, "call 988 or 988lifeline.org")
    assert own(page).last.get_by_role("link").count() == 0


def test_long_messages_are_counted_and_kept_until_shorter(site):
    page = site.chat()
    field(page).fill("a" * 3990)
    expect(page.locator("#count")).to_have_text("10 characters left")
    field(page).fill("a" * 4005)
    expect(page.locator("#count")).to_contain_text("shorten it by 5 characters")
    page.keyboard.press("Enter")
    expect(own(page)).to_have_count(0)
    expect(field(page)).to_have_value("a" * 4005)


def test_shift_and_enter_makes_a_new_line(site):
    page = site.chat()
    field(page).press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    field(page).press_sequentially("two")
    page.keyboard.press("Enter")
    expect(own(page)).to_have_text("one\ntwo")


def test_the_language_switch_greets_anew_before_the_first_word(site):
    page = site.chat()
    page.get_by_role("button", name="Español").click()
    expect(answers(page)).to_have_count(1)
    expect(answers(page)).to_contain_text("Hola")
    expect(page.get_by_role("button", name="Necesito ayuda ahora")).to_be_visible()


def test_the_language_switch_keeps_a_conversation(site):
    page = site.chat()
    say(page, "hello")
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("button", name="Salida rápida")).to_be_visible()
    assert said(page)[1:] == ["hello", "hello"]


def test_a_spanish_page_has_a_spanish_chat(site):
    page = site.visit(page=html(lang="es-US"))
    page.get_by_role("button", name="Chatee con nosotros").click()
    expect(answers(page)).to_contain_text("Hola")


@pytest.mark.parametrize(
    ("tag", "lang", "browser_language", "launcher"),
    [
        ('data-language="es" defer', "en", "en-US", "Chatee con nosotros"),
        ("defer", "es", "en-US", "Chatee con nosotros"),
        ("defer", "", "es-MX", "Chatee con nosotros"),
        ('data-language="en" defer', "es", "es-MX", "Chat with us"),
        ("defer", "fr", "es-MX", "Chat with us"),
    ],
    ids=["script", "page", "browser", "script-first", "neither"],
)
def test_the_script_the_page_and_the_browser_say_the_language_in_this_order(
    open_site, clinic_server, tag, lang, browser_language, launcher
):
    site = open_site(clinic_server, locale=browser_language)
    page = site.visit(page=html(TAG.replace("defer", tag), lang=lang))
    expect(page.get_by_role("button", name=launcher)).to_be_visible()


def test_on_a_spanish_page_the_first_answer_leaves_the_chat_in_spanish(site):
    page = site.visit(page=html(lang="es"))
    page.get_by_role("button", name="Chatee con nosotros").click()
    page.get_by_role("button", name="Hablar con una persona").click()
    expect(answers(page)).to_have_count(2)
    expect(page.get_by_role("button", name="Salida rápida")).to_be_visible()
    say(page, "IOP", label="Su mensaje")
    expect(page.get_by_role("button", name="Salida rápida")).to_be_visible()


def test_the_chat_follows_the_language_of_the_conversation(site):
    page = site.chat()
    say(page, "hola, necesito ayuda")
    expect(page.get_by_role("button", name="Salida rápida")).to_be_visible()
    say(page, "hello again", label="Su mensaje")
    expect(page.get_by_role("button", name="Quick exit")).to_be_visible()


def test_a_language_chosen_by_hand_stays(site):
    page = site.chat()
    page.get_by_role("button", name="Español").click()
    expect(answers(page)).to_contain_text("Hola")
    say(page, "hola", label="Su mensaje")
    say(page, "hello", label="Su mensaje")
    expect(page.get_by_role("button", name="Salida rápida")).to_be_visible()


def test_what_was_deleted_at_the_visitors_wish_goes_from_the_screen(site):
    page = site.chat()
    say(page, "my name is Ana")
    write(page, "delete it all")
    expect(answers(page)).to_have_count(1)
    expect(panel(page)).not_to_contain_text("Ana")
    expect(panel(page)).not_to_contain_text("delete it all")
    say(page, "hello")
    shown = said(page)
    page.reload()
    expect(own(page)).to_have_text("hello")
    expect(answers(page)).to_have_count(2)
    assert said(page) == shown


def test_the_chat_goes_on_on_the_next_page(site):
    page = site.chat()
    say(page, "remember this")
    site.publish("/programs", html())
    page.goto(site.own + "/programs")
    expect(panel(page)).to_be_visible()
    expect(answers(page)).to_have_count(2)
    assert said(page)[1:] == ["remember this", "remember this"]


def test_a_closed_chat_stays_closed_on_the_next_page(site):
    page = site.chat()
    page.get_by_role("button", name="Close chat").click()
    page.reload()
    expect(panel(page)).to_be_hidden()


def test_two_tabs_share_a_conversation_and_agree(site):
    first, second = site.chat(), site.chat()
    say(first, "from the first tab")
    expect(answers(second)).to_have_count(2)
    say(second, "from the second tab")
    expect(answers(first)).to_have_count(3)
    assert said(first) == said(second)


def test_the_chat_can_be_saved_as_a_file(site, tmp_path):
    page = site.chat()
    say(page, "what is IOP?")
    page.get_by_role("button", name="Options").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this chat").click()
    download.value.save_as(tmp_path / "chat.txt")
    text = Path(tmp_path / "chat.txt").read_text()
    assert "Automated assistant, not a person" in text
    assert "You said:\nwhat is IOP?" in text


def test_printing_prints_the_chat_alone(site):
    site.context.add_init_script("window.print = () => { top.printed = document.body.innerText; }")
    page = site.chat()
    say(page, "what is IOP?")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Print this chat").click()
    printed = page.evaluate("window.printed")
    assert "what is IOP?" in printed
    assert "Our clinic" not in printed


def test_the_element_can_fill_a_page_by_itself(site):
    whole = '<script src="/widget.js" defer></script>'
    whole += '<div><handrail-chat mode="page" clinic="greater_boston"></handrail-chat></div>'
    page = site.visit(page=html(whole))
    expect(answers(page)).to_have_count(1)
    expect(page.get_by_role("button", name=WORDS["open"])).to_have_count(0)
    page.keyboard.press("Escape")
    say(page, "hello")


def test_the_tag_given_twice_is_one_chat(site):
    page = site.visit(page=html(TAG + TAG))
    open_chat(page)
    assert page.locator("handrail-chat").count() == 1


def test_a_chat_taken_off_and_put_back_goes_on(site):
    page = site.chat()
    say(page, "hello")
    page.evaluate("document.body.append(document.querySelector('handrail-chat'))")
    expect(answers(page)).to_have_count(2)
    write(page, "still here")
    expect(answers(page)).to_have_count(3)
