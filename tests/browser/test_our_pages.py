"""The demo clinic, the chat as a page and in a frame, on another website, without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bot.cli import main
from tests.browser.site import (
    CLINIC,
    WORDS,
    Site,
    answers,
    complaints,
    html,
    open_chat,
    own,
    panel,
    say,
)

NEUTRAL = "https://www.weather.gov/"
PAGES = [f"/?clinic={CLINIC}", f"/chat?clinic={CLINIC}", f"/chat?clinic={CLINIC}&frame=1"]


@pytest.fixture
def visitor(open_site, clinic_server) -> Site:
    """Of another website: browsers send no header there that only tests know."""
    return open_site(clinic_server, extra_http_headers={})


@pytest.fixture
def printed(capsys, clinics, clinic_server, monkeypatch) -> list[str]:
    """The tags that `handrail embed` prints."""
    monkeypatch.setenv("HANDRAIL_CLINICS", str(clinics))
    main(["embed", "--clinic", CLINIC, "--host", f"http://127.0.0.1:{clinic_server.port}"])
    return re.findall(r"^ *(<.*>)$", capsys.readouterr().out, re.MULTILINE)


def only(tags: list[str], sign: str) -> str:
    [tag] = [tag for tag in tags if sign in tag]
    return tag


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 568}},
    ],
    ids=["light", "dark", "320px"],
)
def test_axe_finds_nothing_to_complain_about_on_our_own_pages(open_site, clinic_server, options):
    site = open_site(clinic_server, **options)
    page = site.context.new_page()
    for path in PAGES:
        page.goto(site.own + path)
        if path.startswith("/chat"):
            expect(answers(page)).to_have_count(1)
        assert complaints(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_pinned_tag_works_on_the_clinics_own_website(visitor, printed, elsewhere):
    elsewhere.pages["/"] = html(only(printed, "integrity="))
    page = visitor.context.new_page()
    page.goto(f"{elsewhere.named}/")
    open_chat(page)
    say(page, "hello from another origin")
    page.reload()
    expect(own(page)).to_have_text("hello from another origin")
    assert visitor.context.cookies() == []


def test_the_pinned_tag_runs_no_other_script(visitor, printed, elsewhere):
    elsewhere.pages["/"] = html(only(printed, "integrity="))
    asked: list[str] = []
    visitor.context.route(
        "**/widget.*.js",
        lambda route: (
            asked.append(route.request.url),
            route.fulfill(
                body="window.hit = 1",
                content_type="text/javascript",
                headers={"Access-Control-Allow-Origin": "*"},
            ),
        ),
    )
    page = visitor.context.new_page()
    page.goto(f"{elsewhere.named}/")
    assert len(asked) == 1
    assert page.evaluate("'hit' in window") is False


def test_a_website_that_the_clinic_has_not_named_gets_the_lines_and_no_chat(
    visitor, printed, elsewhere
):
    elsewhere.pages["/"] = html(only(printed, "integrity="))
    page = visitor.context.new_page()
    page.goto(f"{elsewhere.unnamed}/")
    page.get_by_role("button", name=WORDS["open"]).click()
    expect(page.locator(".lines").get_by_role("link", name="Call 988")).to_be_visible()
    expect(answers(page)).to_have_count(0)


def test_quick_exit_from_a_frame_of_another_website_takes_the_whole_page_away(
    visitor, printed, elsewhere
):
    visitor.context.route(NEUTRAL, lambda route: route.fulfill(body="ok", content_type="text/html"))
    elsewhere.pages.update({"/before": html(""), "/": html(only(printed, "<iframe"))})
    page = visitor.context.new_page()
    page.goto(f"{elsewhere.named}/before")
    page.goto(f"{elsewhere.named}/")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".row.assistant")).to_have_count(1)
    frame.get_by_role("textbox", name=WORDS["field"]).fill("somebody is coming")
    frame.get_by_role("button", name=WORDS["send"]).click()
    expect(frame.locator(".row.assistant")).to_have_count(2)
    frame.get_by_role("button", name=WORDS["exit"]).click()
    page.wait_for_url(NEUTRAL)
    page.go_back()
    page.wait_for_url(f"{elsewhere.named}/before")
    page.goto(f"{elsewhere.named}/")
    expect(frame.locator(".row.assistant")).to_have_count(1)
    expect(frame.locator(".row.visitor")).to_have_count(0)


def test_no_other_website_may_frame_the_chat(visitor, printed, elsewhere):
    elsewhere.pages["/"] = html(only(printed, "<iframe"))
    page = visitor.context.new_page()
    page.goto(f"{elsewhere.unnamed}/")
    expect(page.frame_locator("iframe").locator("handrail-chat")).to_have_count(0)


def test_a_spanish_visitor_of_the_demo_page_stays_in_spanish(site):
    page = site.context.new_page()
    page.goto(f"{site.own}/?clinic={CLINIC}&lang=es")
    page.get_by_role("button", name="Chatee con nosotros").click()
    expect(answers(page)).to_contain_text("Hola")
    page.locator(".choice").first.click()
    expect(answers(page)).to_have_count(2)
    expect(panel(page).get_by_role("button", name="Salida rápida")).to_be_visible()


def spoken(page: Page) -> list[str]:
    return page.locator("ol.log > li").all_inner_texts()


def test_without_javascript_the_whole_conversation_goes_by_forms(open_site, clinic_server):
    site = open_site(clinic_server, java_script_enabled=False)
    page = site.context.new_page()
    page.goto(f"{site.own}/chat?clinic={CLINIC}")
    expect(page.get_by_role("link", name="988").first).to_be_visible()
    page.get_by_label("message").fill("do you treat anxiety?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("ol.log > li")).to_have_count(3)
    assert "do you treat anxiety?" in spoken(page)[-1]
    assert CLINIC not in page.url
    page.get_by_role("button", name=WORDS["help"]).click()
    expect(page.locator("ol.log > li").last).to_contain_text("988")
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("button", name="Necesito ayuda ahora")).to_be_visible()
    page.get_by_label("mensaje").fill("hola")
    page.get_by_role("button", name="Enviar").click()
    expect(page.locator("ol.log > li").last).to_contain_text("hola")
    page.get_by_role("button", name="Borrar").click()
    expect(page.locator("ol.log")).to_have_count(0)
    assert site.context.cookies() == []


def test_without_javascript_choices_can_be_pressed(open_site, clinic_server):
    site = open_site(clinic_server, java_script_enabled=False)
    page = site.context.new_page()
    page.goto(f"{site.own}/chat?clinic={CLINIC}")
    page.locator(".choices button").first.click()
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.locator("ol.log > li")).to_have_count(3)
    assert "Talk to a person" in spoken(page)[1]
