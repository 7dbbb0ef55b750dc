"""A console on a real store and the real clinics, with cheap password hashes and a clock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import argon2
import httpx
import pgserver
import pytest
import sqlalchemy as sa
from starlette.applications import Starlette

from bot.clinic.profile import load_clinics
from bot.console.app import routes
from bot.console.passwords import Passwords
from bot.console.users import add_user
from bot.gateway.protection import Protection
from bot.settings import ROOT
from bot.store import migrate, open_engine
from tests.console.night import CLINIC, MORNING, OTHER_CLINIC, store_night
from tests.keys import VAULT

PASSWORD = "four unrelated plain words"
HERE = "https://console.test"
STAFF = (
    ("rosa", "Rosa Delgado", "coordinator", [CLINIC]),
    ("ben", "Ben Ito", "coordinator", [CLINIC]),
    ("sam", "Sam Okafor", "supervisor", [CLINIC, OTHER_CLINIC]),
    ("ana", "Ana Auditor", "auditor", []),
    ("ada", "Ada Admin", "admin", []),
)


class Clock:
    """The time as a test sets it."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture(scope="session")
def clinics():
    return load_clinics(ROOT / "clinics")


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords(argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, passwords) -> Path:
    """A database with the night's records and the staff, to be copied."""
    path = tmp_path_factory.mktemp("console") / "handrail.db"
    engine = open_engine(f"sqlite:///{path}", VAULT)
    migrate(engine)
    add_staff(engine, passwords)
    store_night(engine)
    engine.dispose()  # SQLite then writes everything into the one file
    return path


@pytest.fixture
def engine(prepared, tmp_path) -> Iterator[sa.engine.Engine]:
    path = tmp_path / "handrail.db"
    path.write_bytes(prepared.read_bytes())
    engine = open_engine(f"sqlite:///{path}", VAULT)
    yield engine
    engine.dispose()


@pytest.fixture
def app(engine, clinics, clock, passwords) -> Starlette:
    return make_app(engine, clinics, clock, passwords)


@pytest.fixture
async def open_browser(app) -> AsyncIterator[Callable[[], httpx.AsyncClient]]:
    """Gives clients on the console, each with cookies of its own."""
    made = []

    def make() -> httpx.AsyncClient:
        made.append(client_of(app))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
async def rosa(open_browser) -> Browser:
    """A coordinator who has logged in."""
    return await Browser(open_browser()).log_in("rosa")


@pytest.fixture
async def ben(open_browser) -> Browser:
    """Another coordinator of the same clinic."""
    return await Browser(open_browser()).log_in("ben")


@pytest.fixture
async def sam(open_browser) -> Browser:
    """The supervisor of both clinics."""
    return await Browser(open_browser()).log_in("sam")


def add_staff(engine: sa.engine.Engine, passwords: Passwords) -> None:
    for name, full_name, role, clinics in STAFF:
        add_user(
            engine,
            passwords,
            name=name,
            full_name=full_name,
            role=role,
            clinics=clinics,
            password=PASSWORD,
            now=MORNING,
        )


def make_app(engine, clinics, clock, passwords) -> Starlette:
    from starlette.middleware import Middleware

    return Starlette(
        routes=routes(engine=engine, clinics=clinics, clock=clock, passwords=passwords),
        middleware=[Middleware(Protection)],
    )


def client_of(app: Starlette) -> httpx.AsyncClient:
    # __Host- cookies are Secure: the client must believe that it speaks TLS.
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=HERE)


class Browser:
    """Fills in and sends the forms of pages, as a browser without JavaScript does."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.csrf = ""

    async def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> Browser:
        page = await self.client.get("/console/login")
        token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
        answer = await self.post(
            "/console/login", token=token, back="/console", name=name, password=password, **fields
        )
        assert answer.status_code in (200, 303), answer.text
        await self.see("/console")
        return self

    async def see(self, path: str, **query: str) -> httpx.Response:
        page = await self.client.get(path, params=query or None, follow_redirects=True)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        self.csrf = found[1] if found else self.csrf
        return page

    async def post(self, path: str, **fields: str) -> httpx.Response:
        sent = {"csrf": self.csrf, **fields}
        origin = {"origin": str(self.client.base_url).rstrip("/")}
        return await self.client.post(path, data=sent, headers=origin)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the tests."""
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def both_databases(request, tmp_path) -> Iterator[sa.engine.Engine]:
    """A migrated, empty database of each kind."""
    url = (
        f"sqlite:///{tmp_path / 'both.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres")
    )
    engine = open_engine(url, VAULT)
    migrate(engine)
    yield engine
    engine.dispose()
