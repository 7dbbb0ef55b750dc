"""Pictures of the console with made-up visitors, made by tools/console-pictures."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bot.settings import ROOT
from tests.console.night import IN_CRISIS, IOP, PARENT
from tests.console.served import console, log_in

DESKTOP, PHONE = {"width": 1180, "height": 820}, {"width": 390, "height": 844}


def main(folder: Path, everything: bool) -> None:
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        with console(Path(data)) as (address, _):
            page = browser.new_context(viewport=DESKTOP).new_page()
            log_in(page, address)
            page.goto(f"{address}/console/records/{PARENT}")
            page.get_by_role("button", name="Take it").click()
            page.get_by_label("How did it go?").select_option("no_answer")
            page.get_by_label("Note").first.fill("Rang out. She asked for no voicemail.")
            page.get_by_role("button", name="Save the call").click()
            page.goto(f"{address}/console")
            page.screenshot(path=folder / "console-queue.png")
            page.goto(f"{address}/console/records/{IN_CRISIS}")
            page.screenshot(path=folder / "console-card.png", full_page=True)
            if everything:
                page.goto(f"{address}/console/records/{IOP}")
                page.screenshot(path=folder / "card-iop.png", full_page=True)
                for scheme, size in (("dark", DESKTOP), ("light", PHONE)):
                    other = browser.new_context(viewport=size, color_scheme=scheme).new_page()
                    log_in(other, address, "sam")
                    for name, path in (
                        ("queue", "/console"),
                        ("card", f"/console/records/{PARENT}"),
                        ("figures", "/console/figures"),
                        ("audit", "/console/audit"),
                    ):
                        other.goto(address + path)
                        other.screenshot(
                            path=folder / f"{name}-{scheme}-{size['width']}.png", full_page=True
                        )
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/img", len(sys.argv) > 1)
