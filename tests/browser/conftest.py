"""One browser for all of these tests, and one gateway with a stand-in brain.

Both live as long as this package: while Playwright runs, no asyncio test can.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from bot.settings import ROOT
from tests.browser.site import CLINIC, Open, OtherWebsite, Site
from tests.gateway.installation import PATIENCE, Installation

_NUMBERS = count(1)
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Where CI is set a missing browser is a failure, elsewhere a visible skip.
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no chromium on this machine: apt-get install chromium")
    expect.set_options(timeout=PATIENCE / 2 * 1000)  # only a failing test waits so long
    with sync_playwright() as playwright:
        # A container's root cannot use the sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def elsewhere() -> Iterator[OtherWebsite]:
    """Another web server than ours."""
    website = OtherWebsite()
    thread = threading.Thread(target=website.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield website
    website.server.shutdown()
    website.server.server_close()
    thread.join()


@pytest.fixture(scope="package")
def clinics(tmp_path_factory, elsewhere) -> Path:
    """The clinics' profiles; one of them has a website of its own."""
    folder = tmp_path_factory.mktemp("profiles") / "clinics"
    shutil.copytree(ROOT / "clinics", folder)
    profile = folder / f"{CLINIC}.yml"
    profile.write_text(profile.read_text().replace("origins: []", f"origins: [{elsewhere.named}]"))
    return folder


@pytest.fixture(scope="package")
def clinic_server(tmp_path_factory, clinics) -> Iterator[Installation]:
    """Gateway and stand-in brain, for the tests that break nothing.

    The browser stands as a proxy before it: every visitor has an address of their own,
    as in life, and none of them meets the limits of one address.
    """
    installation = Installation(tmp_path_factory.mktemp("site") / "data")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HANDRAIL_PROXIES", "127.0.0.1")
        environment.setenv("HANDRAIL_CLINICS", str(clinics))
        installation.read_until(installation.serve(), "ready")
    yield installation
    installation.stop()


@pytest.fixture
def house(tmp_path) -> Iterator[Installation]:
    """An installation that may be broken."""
    installation = Installation(tmp_path / "house")
    yield installation
    installation.stop()


@pytest.fixture
def open_site(browser) -> Iterator[Open]:
    """Make a site in a new browser profile; an error of a page fails the test."""
    sites: list[Site] = []
    errors: list[str] = []

    def make(installation: Installation, **options) -> Site:
        address = {"X-Forwarded-For": f"203.0.113.{next(_NUMBERS)}"}
        context = browser.new_context(**{"extra_http_headers": address, **options})
        context.on("weberror", lambda error: errors.append(str(error.error)))
        sites.append(Site(installation, context))
        return sites[-1]

    yield make
    for site in sites:
        site.context.close()
    assert errors == []


@pytest.fixture
def site(open_site, clinic_server) -> Site:
    return open_site(clinic_server)
