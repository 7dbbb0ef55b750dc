"""A clinic's website with the chat on it, and what a visitor does there."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.gateway.installation import Installation

CLINIC = "greater_boston"
TAG = f'<script src="/widget.js" data-clinic="{CLINIC}" data-phone="888-278-0716" defer></script>'
WORDS = {
    "open": "Chat with us",
    "field": "Your message",
    "help": "I need help now",
    "exit": "Quick exit",
    "send": "Send",
}


def html(body: str = TAG, head: str = "", lang: str = "en", direction: str = "ltr") -> str:
    """A small page with `body` at its end."""
    return (
        f'<!doctype html><html lang="{lang}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>Our clinic</title>{head}</head>'
        f'<body><main><h1>Our clinic</h1><p id="text">Welcome.</p></main>{body}</body></html>'
    )


class OtherWebsite:
    """A clinic's own web server, a real one: browsers ask who serves a page.

    It is one server under two names; only `named` stands in the clinic's profile.
    """

    def __init__(self) -> None:
        pages = self.pages = {}

        class Pages(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(pages.get(self.path, "").encode())

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.named = f"http://localhost:{self.server.server_port}"
        self.unnamed = f"http://127.0.0.1:{self.server.server_port}"


@dataclasses.dataclass
class Site:
    """Opens pages in one browser profile; each page of the site is made up here."""

    house: Installation
    context: BrowserContext
    requests: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("request", lambda request: self.requests.append(request.url))

    @property
    def own(self) -> str:
        return f"http://127.0.0.1:{self.house.port}"

    def publish(self, path: str, page: str, headers: dict[str, str] | None = None) -> None:
        """Put a page on the site."""
        self.context.route(
            self.own + path,
            lambda route: route.fulfill(
                body=page, content_type="text/html; charset=utf-8", headers=headers or {}
            ),
        )

    def visit(self, path: str = "/clinic", page: str | None = None, **options) -> Page:
        """Publish a page and go there in a new tab."""
        self.publish(path, page or html(), **options)
        tab = self.context.new_page()
        tab.goto(self.own + path)
        return tab

    def chat(self, **options) -> Page:
        """A page with the chat open and greeted."""
        tab = self.visit(**options)
        open_chat(tab)
        return tab

    def api(self) -> list[str]:
        return [url for url in self.requests if "/api/" in url]


def open_chat(page: Page) -> None:
    page.get_by_role("button", name=WORDS["open"]).click()
    expect(answers(page).first).to_be_visible()


def answers(page: Page) -> Locator:
    return page.locator(".row.assistant .bubble")


def own(page: Page) -> Locator:
    return page.locator(".row.visitor .bubble")


def panel(page: Page) -> Locator:
    return page.locator("#panel")


def transcript(page: Page) -> Locator:
    return page.get_by_role("log")


def field(page: Page, label: str = WORDS["field"]) -> Locator:
    return page.get_by_label(label)


def write(page: Page, text: str, label: str = WORDS["field"]) -> None:
    """Send `text`, in the field with this label, and wait for nothing."""
    field(page, label).fill(text)
    page.keyboard.press("Enter")


def say(page: Page, text: str, label: str = WORDS["field"]) -> None:
    """Send `text` and wait for its answer."""
    before = answers(page).count()
    write(page, text, label)
    expect(answers(page)).to_have_count(before + 1)


def said(page: Page) -> list[str]:
    """The transcript, in order; of the stand-in brain's answers without their number."""
    texts = page.locator(".row .bubble").all_inner_texts()
    return [re.sub(r"^\d+: ", "", text) for text in texts]


def complaints(page: Page) -> list[str]:
    """What axe has against the page as it is now."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']} {node['any']}" for one in found for node in one["nodes"]]


def stored(page: Page) -> list[int]:
    """How many things the tab and the device keep."""
    return page.evaluate("[sessionStorage.length, localStorage.length]")


Open = Callable[..., Site]
