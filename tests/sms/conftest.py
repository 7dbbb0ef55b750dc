"""A gateway that takes texts, and a Twilio that signs as its own library does."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa

from bot.clinic.profile import Sms
from bot.gateway.app import create_app
from bot.gateway.sms import TwilioDoor
from bot.sending import Provider
from bot.store import Messages, migrate, open_engine, reading, writing
from bot.store.sms_contacts import Contact, SmsContacts
from bot.store.tables import conversation, sms_contact, sms_outbox
from bot.store.vault import vault_of
from tests.gateway.conftest import (  # noqa: F401
    CLINIC,
    brain,
    database,
    deadline,
    limits,
    replies,
    screen,
    turns,
    words,
)
from tests.gateway.conftest import clinics as shipped_clinics  # noqa: F401
from tests.keys import VAULT
from tests.sms.provider import NEW, OLD, PUBLIC, signed
from tests.store.conftest import postgres  # noqa: F401
from tests.worker.conftest import Clock

NUMBER = "+18335550100"
VISITOR = "+16175550142"


@pytest.fixture(scope="session")
def clinics(shipped_clinics):  # noqa: F811
    """The real clinics; one of them has a number for texts."""
    boston = shipped_clinics[CLINIC].copy(update={"sms": Sms(number=NUMBER)})
    return {**shipped_clinics, CLINIC: boston}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """A database with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("sms") / "handrail.db"
    engine = open_engine(f"sqlite:///{path}", VAULT)
    migrate(engine)
    engine.dispose()  # SQLite then writes everything into the one file
    return path


@pytest.fixture
def engine(prepared, database) -> Iterator[sa.engine.Engine]:  # noqa: F811
    database.write_bytes(prepared.read_bytes())
    engine = open_engine(f"sqlite:///{database}", VAULT)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def prepared_postgres(postgres) -> str:  # noqa: F811
    """The same on a PostgreSQL server; whoever uses it leaves it empty."""
    engine = open_engine(postgres, VAULT)
    migrate(engine)
    engine.dispose()
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def both_databases(request) -> Iterator[sa.engine.Engine]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("engine")
        return
    engine = open_engine(request.getfixturevalue("prepared_postgres"), VAULT)
    with writing(engine) as db:
        for table in (sms_contact, conversation):
            db.execute(sa.delete(table))
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Provider | None:
    """Takes texts when the store has failed: nobody does."""
    return None


@pytest.fixture
def app(clinics, screen, replies, engine, brain, deadline, clock, limits, provider):  # noqa: F811
    return create_app(
        clinics=clinics,
        screen=screen,
        replies=replies,
        engine=engine,
        brain=brain,
        clock=clock,
        limits=limits,
        deadline=deadline,
        twilio=TwilioDoor(PUBLIC, (NEW, OLD)),
        provider=provider,
    )


class Phone:
    """Somebody's phone, with Twilio between it and the gateway.

    Attributes:
        answer: Twilio's latest answer from the gateway.
    """

    def __init__(self, web: httpx.AsyncClient, app, engine: sa.engine.Engine, number=VISITOR):
        self.web, self.app, self.engine, self.number = web, app, engine, number
        self._count = itertools.count(1)
        self.answer = httpx.Response(0)

    async def posts(self, body: str, signature: str | None = None, **more) -> httpx.Response:
        """The webhook with this body, signed with the present token unless told otherwise."""
        self.answer = await self.web.post(
            "/sms/twilio",
            content=body,
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "x-twilio-signature": signed(body) if signature is None else signature,
                **more,
            },
        )
        return self.answer

    def body(self, text: str, **fields) -> str:
        return urlencode(
            {
                "MessageSid": f"SM{next(self._count):032x}",
                "AccountSid": "AC1",
                "From": self.number,
                "To": NUMBER,
                "Body": text,
                "NumMedia": "0",
                "FromCity": "",
                **fields,
            }
        )

    async def texts(self, text: str, **fields) -> list[str]:
        """Send a text; gives what was put into the outbox for it."""
        before = len(self.outbox())
        await self.posts(self.body(text, **fields))
        await self.settled()
        return [row["text"] for row in self.outbox()[before:]]

    async def settled(self) -> None:
        """Everything that came in is answered."""
        texting = self.app.state.texting
        while texting._at_work:
            for task in [*texting._at_work.values()]:
                await task

    def outbox(self) -> list[dict]:
        with reading(self.engine) as db:
            rows = db.execute(sa.select(sms_outbox).order_by(sms_outbox.c.seq)).mappings()
            mine = [vault_of(db).open(sms_outbox, row) for row in rows]
        contact = self.contact()
        return [row for row in mine if contact and row["contact"] == contact.conversation]

    def contact(self) -> Contact | None:
        with reading(self.engine) as db:
            return SmsContacts(db).with_number(self.number, CLINIC)

    def transcript(self) -> list[tuple[str, str]]:
        contact = self.contact()
        with reading(self.engine) as db:
            return [
                (each.direction, each.text)
                for each in (Messages(db).after(contact.conversation) if contact else [])
            ]


@pytest.fixture
async def web(app) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        yield client
    await Phone(client, app, app.state.texting._engine).settled()


@pytest.fixture
def phone(web, app, engine) -> Phone:
    return Phone(web, app, engine)
