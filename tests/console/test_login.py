"""Logging in, staying in, being kept out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.console.login import wait_after
from bot.console.users import disable_user
from bot.store import reading
from bot.store.audit import Audit
from tests.console.conftest import PASSWORD, Browser
from tests.console.night import IOP, MORNING


async def attempt(open_browser, name: str, password: str) -> str:
    """What the login page answers."""
    browser = Browser(open_browser())
    page = await browser.client.get("/console/login")
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
    answer = await browser.post(
        "/console/login", token=token, back="/console", name=name, password=password
    )
    return re.sub(r'value="[^"]*"', "", answer.text) if answer.status_code != 303 else "in"


async def test_an_outsider_learns_nothing_from_the_answers(open_browser):
    wrong = await attempt(open_browser, "rosa", "wrong words entirely")
    unknown = await attempt(open_browser, "nobody", "wrong words entirely")
    assert wrong == unknown
    assert "That did not work" in wrong


async def test_after_five_failures_the_right_password_has_to_wait_too(open_browser, clock):
    for _ in range(5):
        await attempt(open_browser, "rosa", "wrong words entirely")
    assert await attempt(open_browser, "rosa", PASSWORD) != "in"
    clock.later(seconds=31)
    assert await attempt(open_browser, "rosa", PASSWORD) == "in"


async def test_an_address_that_tries_many_names_is_locked_out_of_all(open_browser):
    for number in range(20):
        await attempt(open_browser, f"name{number}", "wrong words entirely")
    assert await attempt(open_browser, "rosa", PASSWORD) != "in"


def test_the_wait_doubles_up_to_a_quarter_of_an_hour():
    waits = [wait_after(failures, 5).total_seconds() for failures in (4, 5, 6, 7, 50)]
    assert waits == [0, 30, 60, 120, timedelta(minutes=15).total_seconds()]


async def test_the_cookie_is_for_this_origin_alone(open_browser):
    browser = Browser(open_browser())
    page = await browser.client.get("/console/login")
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
    answer = await browser.post(
        "/console/login", token=token, back="/console", name="rosa", password=PASSWORD
    )
    [cookie] = [
        value for value in answer.headers.get_list("set-cookie") if value.startswith("__Host-")
    ]
    for attribute in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


async def test_a_quarter_of_an_hour_without_doing_anything_ends_the_session(rosa, clock):
    clock.later(minutes=14)
    assert (await rosa.see("/console")).status_code == 200
    clock.later(minutes=16)
    assert (await rosa.see("/console")).status_code == 401


async def test_a_page_that_refreshes_itself_keeps_nobody_in(rosa, clock):
    for _ in range(16):
        clock.later(minutes=1)
        answer = await rosa.client.get("/console", params={"live": 1})
    assert answer.headers["HX-Redirect"] == "/console/login"


async def test_what_was_typed_when_the_session_ended_comes_back_after_login(rosa, clock):
    await rosa.see(f"/console/records/{IOP}")
    clock.later(minutes=20)
    path = f"/console/records/{IOP}/attempt"
    out = await rosa.post(path, outcome="reached", note="a <b>long</b> call")
    assert out.status_code == 401
    fields = dict(re.findall(r'name="(token|kept_\w+)" value="([^"]*)"', out.text))
    back = await rosa.post(
        "/console/login",
        name="rosa",
        password=PASSWORD,
        back=path,
        token=fields["token"],
        kept_outcome="reached",
        kept_note="a <b>long</b> call",
    )
    assert "a &lt;b&gt;long&lt;/b&gt; call" in back.text
    assert fields["kept_outcome"] == "reached"
    rosa.csrf = re.search(r'name="csrf" value="([^"]+)"', back.text)[1]
    saved = await rosa.post(path, outcome="reached", note="a <b>long</b> call")
    assert saved.status_code == 303


@pytest.mark.parametrize("origin", [None, "https://evil.test", "null"])
async def test_a_form_from_elsewhere_does_nothing(rosa, origin):
    headers = {"origin": origin} if origin else {}
    sent = {"csrf": rosa.csrf}
    answer = await rosa.client.post(f"/console/records/{IOP}/claim", data=sent, headers=headers)
    assert answer.status_code == 403
    assert "new" in (await rosa.see("/console")).text


async def test_a_form_without_the_sessions_token_does_nothing(rosa):
    rosa.csrf = "0" * 64
    assert (await rosa.post(f"/console/records/{IOP}/claim")).status_code == 403


async def test_logging_out_ends_the_session_on_the_server(rosa):
    cookies = dict(rosa.client.cookies)
    await rosa.post("/console/logout")
    rosa.client.cookies.update(cookies)
    assert (await rosa.see("/console")).status_code == 401


async def test_a_user_who_is_disabled_is_out_at_once(rosa, engine):
    disable_user(engine, "rosa", MORNING)
    assert (await rosa.see("/console")).status_code == 401


@pytest.mark.parametrize(
    ("who", "may", "may_not"),
    [
        ("ana", "/console/audit", "/console/figures"),
        ("ana", "/console/audit", f"/console/records/{IOP}"),
        ("ada", "/console/users", f"/console/records/{IOP}"),
        ("ada", "/console/users", "/console/audit"),
        ("rosa", "/console/figures", "/console/audit"),
        ("rosa", "/console", "/console/users"),
    ],
)
async def test_each_role_sees_its_pages_and_no_others(open_browser, who, may, may_not):
    browser = await Browser(open_browser()).log_in(who)
    assert (await browser.see(may)).status_code == 200
    assert (await browser.see(may_not)).status_code == 403


async def test_logins_good_and_bad_are_audited_without_what_was_typed(open_browser, engine):
    await attempt(open_browser, "my secret password", "wrong words entirely")
    await attempt(open_browser, "rosa", PASSWORD)
    with reading(engine) as db:
        entries = [(entry.actor, entry.action) for entry in Audit(db).latest(2)]
    assert entries == [("rosa", "login"), ("unknown", "login.failed")]


@pytest.mark.parametrize("back", ["https://evil.test", "//evil.test", "/console\\@evil.test", ""])
async def test_login_leads_nowhere_but_into_the_console(open_browser, back):
    browser = Browser(open_browser())
    page = await browser.client.get("/console/login")
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
    answer = await browser.post(
        "/console/login", token=token, back=back, name="rosa", password=PASSWORD
    )
    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        (f"/console/records/{IOP}/attempt", f"/console/records/{IOP}"),
        ("/console/search", "/console"),
        ("/console/logout", "/console"),
    ],
)
async def test_the_address_of_a_form_typed_again_leads_to_its_page(rosa, address, page):
    answer = await rosa.client.get(address)
    assert (answer.status_code, answer.headers.get("location")) == (303, page)


async def test_a_mistyped_address_of_the_console_is_told_to_a_person(rosa):
    answer = await rosa.client.get("/console/recods")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
