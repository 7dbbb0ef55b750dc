"""The console's page about the chat on the clinic's website."""

from __future__ import annotations

import html

import argon2
import httpx
import pytest

from bot.console.passwords import Passwords
from bot.console.users import add_user
from bot.gateway.embed import load_bundle, snippets
from tests.console.conftest import PASSWORD, Browser
from tests.gateway.conftest import CLINIC, OPEN


@pytest.fixture
async def staff(web, engine):
    """Log in as a new member of staff with this role."""
    clients = []

    async def log_in(role: str) -> Browser:
        cheap = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        add_user(
            engine,
            cheap,
            name=role,
            full_name=role.title(),
            role=role,
            clinics=[] if role in ("admin", "auditor") else [CLINIC],
            password=PASSWORD,
            now=OPEN,
        )
        clients.append(httpx.AsyncClient(transport=web._transport, base_url="https://console.test"))
        return await Browser(clients[-1]).log_in(role)

    yield log_in
    for client in clients:
        await client.aclose()


async def test_an_admin_sees_the_snippets_and_a_preview(staff, clinics):
    admin = await staff("admin")
    page = await admin.see(f"/console/embed?clinic={CLINIC}")
    assert page.status_code == 200
    found = snippets(clinics[CLINIC], "https://console.test", load_bundle())
    for text in (found.script, found.pinned, found.frame, found.policy):
        assert html.escape(text, quote=True).replace("&#x27;", "&#39;") in page.text.replace(
            "&#34;", "&quot;"
        )
    assert f'<iframe src="/chat?clinic={CLINIC}&amp;frame=1"' in page.text
    policy = page.headers["content-security-policy"]
    assert "frame-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    framed = await admin.see(f"/chat?clinic={CLINIC}&frame=1")
    assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]


async def test_nobody_else_sees_it_and_an_unknown_clinic_is_named(staff):
    assert (await (await staff("coordinator")).see("/console/embed")).status_code == 403
    admin = await staff("admin")
    assert (await admin.see("/console/embed?clinic=%3Cscript%3E")).status_code == 404
