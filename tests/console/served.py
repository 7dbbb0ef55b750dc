"""The console on a real port, for real browsers."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import argon2
import uvicorn
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from bot.clinic.profile import load_clinics
from bot.console.app import routes
from bot.console.passwords import Passwords
from bot.console.website_page import Website
from bot.gateway.protection import Protection
from bot.settings import ROOT
from bot.store import migrate, open_engine
from tests.console.conftest import PASSWORD, Clock, add_staff
from tests.console.night import store_night
from tests.keys import VAULT


@contextlib.contextmanager
def console(folder: Path) -> Iterator[tuple[str, Clock]]:
    """Address and clock of a console with the night's records, while the block lasts."""
    engine = open_engine(f"sqlite:///{folder}/handrail.db", VAULT)
    migrate(engine)
    passwords = Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    add_staff(engine, passwords)
    store_night(engine)
    clock = Clock()
    app = Starlette(
        routes=[
            *routes(
                engine=engine,
                clinics=load_clinics(ROOT / "clinics"),
                clock=clock,
                passwords=passwords,
                website=Website(lambda *_: [("The tag", f"<script src={'x' * 300}></script>")], ""),
            ),
            Mount("/static", StaticFiles(directory=ROOT / "bot/gateway/static")),
        ],
        middleware=[Middleware(Protection)],
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    try:
        yield f"http://localhost:{port}", clock
    finally:
        server.should_exit = True
        thread.join(10)
        engine.dispose()


def log_in(page: Page, address: str, name: str = "rosa") -> None:
    """Log in as a person does."""
    page.goto(f"{address}/console")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()
