"""One browser for all of these tests, and one gateway with a stand-in brain.

Both live as long as this package: while Playwright runs, no asyncio test can.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import Open, Site
from tests.gateway.installation import Installation

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Where CI is set a missing browser is a failure, elsewhere a visible skip.
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        # A container's root cannot use the sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def clinic_server(tmp_path_factory) -> Iterator[Installation]:
    """Gateway and stand-in brain, for the tests that break nothing."""
    installation = Installation(tmp_path_factory.mktemp("site") / "data")
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
        context = browser.new_context(**options)
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
