"""The demo clinic page, the chat page, and the health pages."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from bot.clinic.profile import Website
from bot.gateway.protection import CONTENT_SECURITY_POLICY
from tests.gateway.conftest import CLINIC, CLOSED, WITHOUT_PHONE
from tests.gateway.text_browser import Page

SITE = "https://www.clinic.example"


async def page(web, address, **more) -> Page:
    response = await web.get(address, **more)
    assert response.status_code == 200
    return Page(response.text)


@pytest.mark.parametrize("address", ["/", "/chat", f"/chat?clinic={WITHOUT_PHONE}", "/?lang=es"])
async def test_crisis_lines_stand_in_the_page_itself(web, address):
    links = {link.get("href") for link in (await page(web, address)).all("a")}
    assert {"tel:911", "tel:988", "sms:988"} <= links


async def test_the_clinics_own_lines_stand_in_the_page(web, clinics):
    clinic = clinics[CLINIC]
    for address in (f"/?clinic={CLINIC}", f"/chat?clinic={CLINIC}"):
        links = {link.get("href") for link in (await page(web, address)).all("a")}
        assert {f"tel:{clinic.phone.e164}", f"tel:{clinic.crisis_line.e164}"} <= links


@pytest.mark.parametrize("lang", ["en", "es"])
async def test_a_clinic_without_a_phone_shows_none(web, clinics, lang):
    for address in ("/", "/chat"):
        found = await page(web, f"{address}?clinic={WITHOUT_PHONE}&lang={lang}")
        assert clinics[CLINIC].phone.display not in found.text
    home = await page(web, f"/?clinic={WITHOUT_PHONE}&lang={lang}")
    assert clinics[WITHOUT_PHONE].name in home.text


@pytest.mark.parametrize("at", [CLOSED])
async def test_the_demo_page_says_when_the_line_opens(web, at: datetime):
    assert "Our line opens tomorrow (Friday) at 8:30 AM" in (await page(web, "/")).text


async def test_the_demo_page_shows_both_clinics_their_programs_and_the_chat(web, clinics):
    for clinic in clinics.values():
        found = await page(web, f"/?clinic={clinic.id}&lang=en")
        [script] = found.all("script")
        assert (script["src"], script["data-clinic"]) == ("/widget.js", clinic.id)
        assert len(found.all("details")) == len(clinic.levels_offered)
        links = {link.get("href") for link in found.all("a")}
        for other in clinics:
            assert f"/?clinic={other}&lang=en" in links
        assert f"/?clinic={clinic.id}&lang=es" in links


async def test_the_page_speaks_the_asked_language_or_the_browsers(web):
    asked = await page(web, "/chat?lang=es", headers={"Accept-Language": "en"})
    browser = await page(web, "/chat", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.8"})
    neither = await page(web, "/chat", headers={"Accept-Language": "de"})
    assert [p.all("html")[0]["lang"] for p in (asked, browser, neither)] == ["es", "es", "en"]
    assert "Necesito ayuda ahora" in asked.text


async def test_every_field_of_the_chat_has_a_label(web):
    found = await page(web, "/chat")
    labelled = {label.get("for") for label in found.all("label")}
    assert {field["id"] for field in found.all("textarea")} <= labelled


async def test_the_widget_is_told_clinic_language_and_phone_on_the_chat_page(web, clinics):
    [chat] = (await page(web, f"/chat?clinic={CLINIC}&lang=es")).all("handrail-chat")
    assert (chat["clinic"], chat["language"], chat["mode"]) == (CLINIC, "es", "page")
    assert chat["phone"] == clinics[CLINIC].phone.display


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(web):
    for address in ("/", "/chat", "/chat?frame=1"):
        response = await web.get(address)
        found = Page(response.text)
        for _, attributes in found.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert [script["src"] for script in found.all("script")] == ["/widget.js"]
        for link in found.all("link"):
            assert str(link["href"]).startswith("/static/")
        assert not re.search(r"src=\"(https?:)?//", response.text)


@pytest.mark.parametrize("query", ['"><script>alert(1)</script>', "../../etc/passwd", ""])
async def test_an_unknown_clinic_is_refused_and_not_repeated(web, query):
    response = await web.get("/chat", params={"clinic": query})
    assert response.status_code == 404
    assert "<script>alert" not in response.text


@pytest.mark.parametrize("address", ["/chatt", "/chat?clinic=nowhere"])
async def test_an_address_that_leads_nowhere_is_told_to_people_with_the_crisis_lines(web, address):
    response = await web.get(address, headers={"Accept": "text/html,*/*", "Accept-Language": "es"})
    found = Page(response.text)
    links = {link.get("href") for link in found.all("a")}
    assert response.status_code == 404
    assert {"tel:911", "tel:988", "sms:988", f"/chat?clinic={CLINIC}&lang=es"} <= links
    assert (await web.get(address)).json()["error"]


@pytest.mark.parametrize("name", ["lang", "frame", "x"])
async def test_other_parameters_are_not_repeated(web, name):
    attack = '"><script>alert(1)</script>\r\nX-Injected: yes'
    for address in ("/", "/chat"):
        response = await web.get(address, params={name: attack})
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "x-injected" not in response.headers


@pytest.mark.parametrize("name", ["site.css", "icon.svg", "widget.js"])
async def test_the_pages_files_are_served(web, name):
    response = await web.get(f"/static/{name}")
    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("address", ["/", "/chat", "/healthz", "/nowhere", "/api/conversations"])
async def test_every_answer_carries_the_security_headers(web, address):
    headers = (await web.get(address)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == ("same-origin" if address == "/chat" else "no-referrer")
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers


class TestInAFrame:
    @pytest.fixture
    def clinics(self, clinics):
        named = clinics[CLINIC].copy(update={"website": Website(origins=(SITE,))})
        return {**clinics, CLINIC: named}

    async def test_the_clinics_own_sites_may_show_the_chat(self, web):
        headers = (await web.get(f"/chat?clinic={CLINIC}&frame=1")).headers
        policy = headers["content-security-policy"]
        assert policy.endswith(f"; frame-ancestors 'self' {SITE}")
        assert policy.startswith("default-src 'none'")
        assert "x-frame-options" not in headers

    async def test_nobody_else_may_and_only_in_this_mode(self, web):
        other = (await web.get(f"/chat?clinic={WITHOUT_PHONE}&frame=1")).headers
        assert other["content-security-policy"].endswith("; frame-ancestors 'self'")
        whole = (await web.get(f"/chat?clinic={CLINIC}")).headers
        assert whole["content-security-policy"].endswith("; frame-ancestors 'none'")
        assert whole["x-frame-options"] == "DENY"

    async def test_its_forms_stay_in_the_frame(self, web):
        response = await web.post("/chat", data={"clinic": CLINIC, "frame": "1", "do": "begin"})
        assert SITE in response.headers["content-security-policy"]
        assert {"type": "hidden", "name": "frame", "value": "1"} in Page(response.text).all("input")


# --- health ---------------------------------------------------------------


async def test_ready_when_brain_and_store_are(web):
    assert (await web.get("/healthz")).json() == {"alive": True}
    response = await web.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "brain": True,
        "brains": {"brain": True},
        "store": True,
        "notices": {"waiting": 0, "failing": 0, "dead": 0},
        "texts": {"unanswered": 0, "waiting": 0, "failing": 0, "late": 0, "lost": 0},
        "reasons": [],
    }


async def test_not_ready_without_a_brain_and_says_so(web, brain):
    brain.is_ready = False
    response = await web.get("/readyz")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["the brain does not answer yet"]
    assert (await web.get("/healthz")).status_code == 200


async def test_not_ready_without_a_store_and_does_not_say_where_it_is(web, engine, database):
    engine.dispose()
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.mkdir()
    response = await web.get("/readyz")
    assert response.status_code == 503
    assert response.json()["store"] is False
    assert response.json()["notices"] is None
    assert str(database) not in response.text
