"""Which websites may use the API."""

from __future__ import annotations

import pytest

from bot.clinic.profile import Website
from bot.gateway.origins import OWN, origin_of
from tests.gateway.conftest import CLINIC, WITHOUT_PHONE
from tests.gateway.test_api import Visitor

SITE = "https://www.clinic.example"
OTHER_CLINICS_SITE = "https://www.other.example"
FOREIGN = "https://elsewhere.example"
CONVERSATIONS = "/api/conversations"


@pytest.fixture
def clinics(clinics):
    sites = {CLINIC: SITE, WITHOUT_PHONE: OTHER_CLINICS_SITE}
    return {
        name: clinic.copy(update={"website": Website(origins=(sites[name],))})
        for name, clinic in clinics.items()
    }


async def begin(web, origin: str | None, clinic: str = CLINIC):
    headers = {"Origin": origin} if origin else {}
    return await web.post(CONVERSATIONS, json={"clinic": clinic}, headers=headers)


async def preflight(web, origin: str, path: str = CONVERSATIONS):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return await web.options(path, headers=asked)


async def test_the_clinics_website_may_talk_and_read_the_answer(web):
    asked = await preflight(web, SITE)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == SITE
    assert {"Authorization", "Content-Type", "Last-Event-ID"} <= set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    response = await begin(web, SITE)
    assert response.status_code == 201
    assert response.headers["access-control-allow-origin"] == SITE
    assert "origin" in response.headers["vary"].lower()
    assert "access-control-allow-credentials" not in response.headers
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", [CONVERSATIONS, f"/api/clinics/{CLINIC}", f"{CONVERSATIONS}/x"])
@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", f"{SITE}.evil.example", f"{SITE}:8443", "http://www.clinic.example"]
)
async def test_a_foreign_website_is_refused_with_a_reason(web, origin, path):
    for response in (
        await web.request("GET", path, headers={"Origin": origin}),
        await preflight(web, origin, path),
    ):
        assert response.status_code == 403
        assert "website origins" in response.json()["error"]
        assert "access-control-allow-origin" not in response.headers
        assert "origin" in response.headers["vary"].lower()


async def test_one_clinics_website_does_not_speak_for_another_clinic(web):
    response = await begin(web, OTHER_CLINICS_SITE, CLINIC)
    assert response.status_code == 403
    about = await web.get(f"/api/clinics/{CLINIC}", headers={"Origin": OTHER_CLINICS_SITE})
    assert about.status_code == 403


@pytest.mark.parametrize("issued_to", [SITE, None])
@pytest.mark.parametrize("used_on", [SITE, OTHER_CLINICS_SITE, None])
async def test_a_token_works_only_on_the_website_it_was_issued_to(web, issued_to, used_on):
    visitor = Visitor(web, (await begin(web, issued_to)).json())
    headers = {**visitor.headers, **({"Origin": used_on} if used_on else {})}
    expected = {True: 200, False: 404}[issued_to == used_on]
    message = {"id": "m1", "text": "hello"}
    answers = [
        await web.post(visitor.address, json=message, headers=headers),
        await web.get(visitor.address, headers=headers),
    ]
    assert [response.status_code for response in answers] == [expected, expected]
    ended = await web.delete(f"{CONVERSATIONS}/{visitor.id}", headers=headers)
    assert ended.status_code == {200: 204, 404: 404}[expected]


async def test_errors_can_be_read_by_the_clinics_website(web):
    response = await web.post(CONVERSATIONS, content=b"{", headers={"Origin": SITE})
    assert response.status_code == 400
    assert response.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, OWN),
        ({"host": "chat.example", "origin": "https://chat.example"}, OWN),
        ({"host": "chat.example:8000", "origin": "http://chat.example:8000"}, OWN),
        ({"host": "inside", "origin": SITE, "sec-fetch-site": "same-origin"}, OWN),
        ({"host": "chat.example", "origin": "https://chat.example.evil"}, None),
        ({"host": "chat.example", "origin": "https://chat.example:1"}, None),
        ({"host": "chat.example", "origin": SITE, "sec-fetch-site": "cross-site"}, None),
        ({"host": "", "origin": "null"}, None),
        ({"host": "", "origin": "https://[broken"}, None),
    ],
)
def test_our_own_pages_are_known_by_host_or_by_the_browsers_word(headers, origin):
    assert origin_of(headers) == (headers["origin"] if origin is None else origin)
