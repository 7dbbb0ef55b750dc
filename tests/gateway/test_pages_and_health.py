from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from bot.gateway.protection import CONTENT_SECURITY_POLICY
from tests.gateway.conftest import CLINIC, WITHOUT_PHONE


class Page(HTMLParser):
    """A page's tags and visible text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


async def page(web, address, **more) -> Page:
    response = await web.get(address, **more)
    assert response.status_code == 200
    return Page(response.text)


@pytest.mark.parametrize("address", ["/", "/chat", f"/chat?clinic={WITHOUT_PHONE}", "/?lang=es"])
async def test_crisis_lines_and_the_help_button_stand_in_the_page_itself(web, address):
    found = await page(web, address)
    links = {link.get("href") for link in found.all("a")}
    assert {"tel:911", "tel:988", "sms:988"} <= links
    assert [b for b in found.all("button") if "data-help" in b and "hidden" not in b]


async def test_the_clinics_own_lines_stand_in_the_page(web, clinics):
    clinic = clinics[CLINIC]
    found = await page(web, f"/chat?clinic={CLINIC}")
    links = {link.get("href") for link in found.all("a")}
    assert {f"tel:{clinic.phone.e164}", f"tel:{clinic.crisis_line.e164}"} <= links


async def test_a_clinic_without_a_phone_shows_none(web, clinics):
    found = await page(web, f"/chat?clinic={WITHOUT_PHONE}")
    assert clinics[WITHOUT_PHONE].name in found.text
    assert clinics[CLINIC].phone.display not in found.text


async def test_the_page_speaks_the_asked_language_or_the_browsers(web):
    asked = await page(web, "/chat?lang=es", headers={"Accept-Language": "en"})
    browser = await page(web, "/chat", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.8"})
    neither = await page(web, "/chat", headers={"Accept-Language": "de"})
    assert [p.all("html")[0]["lang"] for p in (asked, browser, neither)] == ["es", "es", "en"]
    assert "Necesito ayuda ahora" in asked.text


async def test_the_transcript_is_a_log_and_every_field_has_a_label(web):
    found = await page(web, "/chat")
    assert [d for d in found.all("div") if d.get("role") == "log" and d.get("aria-label")]
    labelled = {label.get("for") for label in found.all("label")}
    assert {field["id"] for field in found.all("textarea")} <= labelled
    assert all(button.get("type") for button in found.all("button"))


async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(web):
    for address in ("/", "/chat"):
        response = await web.get(address)
        found = Page(response.text)
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        for _, attributes in found.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for script in found.all("script"):
            assert str(script["src"]).startswith("/static/")
        assert not re.search(r"(src|href)=\"(https?:)?//", response.text)


@pytest.mark.parametrize("query", ['"><script>alert(1)</script>', "../../etc/passwd", ""])
async def test_an_unknown_clinic_is_refused_and_not_repeated(web, query):
    response = await web.get("/chat", params={"clinic": query})
    assert response.status_code == 404
    assert "<script>alert" not in response.text


@pytest.mark.parametrize("name", ["chat.js", "chat.css", "icon.svg"])
async def test_the_pages_files_are_served(web, name):
    response = await web.get(f"/static/{name}")
    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("address", ["/", "/healthz", "/nowhere", "/api/conversations"])
async def test_every_answer_carries_the_security_headers(web, address):
    headers = (await web.get(address)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers


async def test_the_script_never_writes_html(web):
    script = (await web.get("/static/chat.js")).text
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert forbidden not in script


# --- health ---------------------------------------------------------------


async def test_ready_when_brain_and_store_are(web):
    assert (await web.get("/healthz")).json() == {"alive": True}
    response = await web.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "brain": True,
        "store": True,
        "notices": {"waiting": 0, "failing": 0, "dead": 0},
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
