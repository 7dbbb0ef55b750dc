"""Workers on real stores, with a real mail server and a real webhook receiver on loopback."""

from __future__ import annotations

import email
import email.policy
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook

from bot.clinic.profile import Clinic, Notifications, load_clinic
from bot.notify.notice import EMAIL, WEBHOOK, Event, notifications_for
from bot.settings import ROOT
from bot.store import migrate, open_engine, writing
from bot.store.outbox import Outbox
from bot.worker.delivery import Delivery
from bot.worker.mail import Mail
from bot.worker.webhook import Webhooks
from tests.keys import VAULT
from tests.store.conftest import empty_database, postgres  # noqa: F401
from tests.store.conftest import engine as either_engine  # noqa: F401

NOON = datetime(2026, 11, 18, 17, 0, tzinfo=timezone.utc)  # a Wednesday, noon in Boston
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONSOLE = "https://chat.clinic.example/console"
SENDER = "handrail@clinic.example"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class MailHouse:
    """A mail server: aiosmtpd, and what came in.

    Attributes:
        came: (recipient, bytes) of every e-mail, in order.
        says: the answer to the next e-mails; None: taken.
        on_mail: called with every e-mail before it is answered.
    """

    def __init__(self) -> None:
        self.came: list[tuple[str, bytes]] = []
        self.says: str | None = None
        self.on_mail: Callable[[], None] = lambda: None
        self.port = free_port()
        self.start()
        self.url = f"smtp://127.0.0.1:{self.port}?from={SENDER}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.says is not None:
            return self.says
        assert isinstance(envelope.content, bytes)
        self.came += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        self.on_mail()
        return "250 taken"

    @property
    def messages(self) -> list[EmailMessage]:
        return [
            email.message_from_bytes(content, policy=email.policy.default)  # type: ignore[misc]
            for _, content in self.came
        ]

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.came]

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()


class Receiver:
    """A webhook's other end.

    Attributes:
        came: headers and body of every request, in order.
        answers: HTTP status to answer; None: do not answer until `release` is set.
        drips: seconds between the lines of an answer that has no end until then.
    """

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: int | None = 200
        self.drips: float | None = None
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.came.append(({k.lower(): v for k, v in self.headers.items()}, body))
                if outer.drips is not None:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    with suppress(OSError):  # nobody reads it any more
                        while not outer.release.wait(outer.drips):
                            self.wfile.write(b"x-more: to come\r\n")
                    return
                if outer.answers is None:
                    outer.release.wait(30)
                    return
                self.send_response(outer.answers)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/in"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self._thread.start()

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.came]

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.engine.Engine]:
    """A migrated, empty SQLite database; `either_engine` is that and then PostgreSQL."""
    engine = open_engine(f"sqlite:///{tmp_path / 'handrail.db'}", VAULT)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mail_house() -> Iterator[MailHouse]:
    house = MailHouse()
    yield house
    house.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def shipped() -> Clinic:
    return load_clinic(ROOT / "clinics" / "greater_boston.yml")


@pytest.fixture
def clinic(shipped: Clinic) -> Clinic:
    """A clinic that tells one coordinator and one supervisor by e-mail."""
    return told(
        shipped, coordinators=["intake@clinic.example"], supervisors=["lead@clinic.example"]
    )


def told(clinic: Clinic, **targets: object) -> Clinic:
    return clinic.copy(update={"notifications": Notifications(**targets)})


def hooked(clinic: Clinic, url: str) -> Clinic:
    return told(clinic, webhook={"url": url, "secret_from": "HOOK_SECRET"})


def danger(number: int = 0, now: datetime = NOON) -> Event:
    return Event(
        clinic="greater_boston",
        conversation=f"greater_boston.{number}",
        reference=f"K7M-{number:03}",
        tier="crisis_self",
        at=now,
    )


def put(engine: sa.engine.Engine, clinic: Clinic, *events: Event) -> None:
    with writing(engine) as db:
        for event in events:
            Outbox(db).add(notifications_for(event, clinic))


def deliverer(
    engine: sa.engine.Engine,
    clock: Clock,
    *,
    smtp: str | None = None,
    clinic: Clinic | None = None,
    holder: str = "one",
    environment: dict[str, str] | None = None,
    patience: float = 10.0,
) -> Delivery:
    """A worker's delivery, as `bot.worker.run` makes it."""
    clinics = {clinic.id: clinic} if clinic else {}
    secrets = {"HOOK_SECRET": SECRET} if environment is None else environment
    return Delivery(
        engine,
        {
            EMAIL: Mail(smtp, CONSOLE, patience=patience),
            WEBHOOK: Webhooks(clinics, secrets, CONSOLE, clock, patience=patience),
        },
        holder=holder,
        clock=clock,
        random=Random(1),
        stop=threading.Event(),
    )


def verified(headers: dict[str, str], body: bytes) -> dict:
    """The body, proven genuine by the standard's own library."""
    return Webhook(SECRET).verify(body, headers)
