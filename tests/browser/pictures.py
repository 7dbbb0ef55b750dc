"""Make docs/img/chat-*.png: the real assistant in a real browser, with a clock that stands still.

`tools/screenshots [NAME...]` runs it. Needs a trained model (`make train`) and chromium.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
import socket
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from bot.commands.assistant import InProcessBrain, load_assistant
from bot.gateway.app import create_app
from bot.logs import configure_logs
from bot.nlu.sentence_encoder import encode
from bot.safety.replies import load_replies
from bot.safety.screen import load_screen
from bot.settings import ROOT, Settings

FOLDER = ROOT / "docs/img"
COLOURS = 256
PATIENCE = 60_000  # ms
# In Boston: a Wednesday at 10 in the morning, and the Saturday after it at 9 in the evening.
OPEN = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)
CLOSED = datetime(2026, 11, 22, 2, 0, tzinfo=timezone.utc)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@dataclasses.dataclass(frozen=True)
class Picture:
    """What is said on which screen, and when."""

    said: str
    screen: dict
    language: str = "en"
    now: datetime = OPEN


PICTURES = {
    "desktop": Picture("What is IOP?", DESKTOP),
    "phone": Picture("Find what fits", PHONE),
    "dark": Picture("Can I keep working?", DESKTOP | {"color_scheme": "dark"}),
    "spanish": Picture("¿Qué es IOP?", DESKTOP, "es"),
    "crisis": Picture("I don't want to be alive anymore", PHONE),
    "closed": Picture("Talk to a person", DESKTOP, now=CLOSED),
}


class House:
    """The assistant in this process; its clock shows `now`."""

    def __init__(self, data: Path):
        self.now = OPEN
        self.settings = dataclasses.replace(
            Settings.from_environment(), data=data, database=f"sqlite:///{data / 'handrail.db'}"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        assistant = await load_assistant(self.settings)
        await assistant.brain.ready()
        app = create_app(
            clinics=assistant.clinics,
            screen=load_screen(classifier_path=self.settings.safety_model, encode=encode),
            replies=load_replies(),
            engine=assistant.engine,
            brain=InProcessBrain(assistant.brain),
            clock=lambda: self.now,
        )
        config = uvicorn.Config(
            app, port=self.port, log_level="error", ws="none", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        await self.server.serve()

    def open(self) -> None:
        """Return when it listens."""
        self._thread.start()
        while not (self.server and self.server.started):
            if not self._thread.is_alive():
                sys.exit("the assistant did not start")
            time.sleep(0.1)

    def close(self) -> None:
        """Stop serving."""
        if self.server:
            self.server.should_exit = True
        self._thread.join()


def take(browser: Browser, house: House, name: str) -> None:
    """One picture: open the chat, say something, wait for the answer."""
    picture = PICTURES[name]
    house.now = picture.now
    context = browser.new_context(
        device_scale_factor=1.5, reduced_motion="reduce", **picture.screen
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{house.address}/?lang={picture.language}")
    answers = page.locator(".row.assistant")
    opened = time.monotonic()
    page.locator("handrail-chat .launcher").click()
    answers.wait_for()
    greeted = time.monotonic()
    choice = page.locator(".choice", has_text=picture.said)
    pressed = choice.count() > 0
    asked = time.monotonic()
    if pressed:
        choice.first.click()
    else:
        page.locator("#field").fill(picture.said)
        page.keyboard.press("Enter")
    answers.nth(1).wait_for()
    answered = time.monotonic()
    print(f"{name}: greeted in {greeted - opened:.2f} s, answered in {answered - asked:.2f} s")
    expect(page.locator(".delivery")).to_have_count(0)
    page.mouse.move(1, 1)
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
    path = FOLDER / f"chat-{name}.png"
    page.screenshot(path=path)
    context.close()
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
        few.save(path, optimize=True)


def main(names: list[str]) -> None:
    """The pictures with these names, or all."""
    configure_logs("pictures", logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        house = House(Path(folder))
        house.open()
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        try:
            for name in names or PICTURES:
                take(browser, house, name)
        finally:
            browser.close()
            house.close()


if __name__ == "__main__":
    main(sys.argv[1:])
