"""A gateway on a real store and the real clinics, with a brain that follows a script."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from bot.clinic.profile import load_clinics
from bot.gateway.app import create_app
from bot.gateway.brain import BrainError
from bot.gateway.limits import Limits
from bot.gateway.own_words import OwnWords
from bot.gateway.turn import Turns
from bot.safety.reading import Evidence, Reading
from bot.safety.replies import load_replies
from bot.settings import ROOT
from bot.store import migrate, open_engine
from bot.texts.messages import load_texts
from bot.turns import BotMessage, Button, TurnReply, TurnRequest, TurnState
from tests.gateway.installation import Installation
from tests.keys import VAULT

CLINIC = "greater_boston"
WITHOUT_PHONE = "time_wellness_georgia"
# A Wednesday, 10 in the morning in Boston: the line is open.
OPEN = datetime(2026, 11, 18, 15, 0, tzinfo=timezone.utc)
# Thanksgiving.
CLOSED = datetime(2026, 11, 26, 15, 0, tzinfo=timezone.utc)
SHORT = 0.3  # seconds; a deadline for the tests in which the brain is too slow


class WordScreen:
    """A screen for tests: single words stand for tiers."""

    WORDS = {  # noqa: RUF012
        "uneasy": "concern",
        "friend-in-danger": "crisis_other",
        "danger": "crisis_self",
        "overdose": "emergency",
        "suicidio": "crisis_self",
    }

    def __init__(self) -> None:
        self.read_texts: list[str] = []

    def read(self, text: str) -> Reading:
        self.read_texts.append(text)
        if "break the screen" in text:
            raise RuntimeError("the screen broke")
        for word, tier in self.WORDS.items():
            start = text.lower().find(word)
            if start >= 0:
                evidence = (Evidence(start, start + len(word), f"test_{tier}"),)
                return Reading(tier=tier, categories=("test",), evidence=evidence)
        return Reading()


class ScriptedBrain:
    """Answers as it is told to; records what it was asked.

    Attributes:
        answer: gives the reply, or raises; an echo unless replaced.
        seconds: how long it thinks.
        requests: every request that reached it.
    """

    def __init__(self) -> None:
        self.answer: Callable[[TurnRequest], TurnReply] = echo
        self.seconds = 0.0
        self.requests: list[TurnRequest] = []
        self.is_ready = True
        self._held: tuple[asyncio.Event, asyncio.Event] | None = None

    def hold(self) -> tuple[asyncio.Event, asyncio.Event]:
        """Make it think: the first event says that it was asked, the second lets it answer."""
        self._held = asyncio.Event(), asyncio.Event()
        return self._held

    async def turn(self, request: TurnRequest) -> TurnReply:
        self.requests.append(request)
        if self._held is not None:
            thinking, done = self._held
            thinking.set()
            await done.wait()
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return self.answer(request)

    async def ready(self) -> bool:
        return self.is_ready

    async def close(self) -> None:
        pass


def echo(request: TurnRequest) -> TurnReply:
    """A reply that repeats what was said, without any crisis help."""
    return says(f"You said: {request.text[:50]}")


def says(
    text: str, *buttons: Button, response: str = "echo", state: TurnState | None = None
) -> TurnReply:
    """A reply of one message."""
    return TurnReply([BotMessage(text, response, list(buttons))], state or TurnState())


def dead(_: TurnRequest) -> TurnReply:
    """What a brain that is not there does."""
    raise BrainError("ConnectError")


@pytest.fixture
def house(tmp_path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "data")
    yield installation
    installation.stop()


@pytest.fixture(scope="session")
def clinics():
    return load_clinics(ROOT / "clinics")


@pytest.fixture(scope="session")
def replies():
    return load_replies()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "handrail.db"


@pytest.fixture
def engine(database: Path) -> Iterator[sa.engine.Engine]:
    engine = open_engine(f"sqlite:///{database}", VAULT)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def screen() -> WordScreen:
    return WordScreen()


@pytest.fixture
def brain() -> ScriptedBrain:
    return ScriptedBrain()


@pytest.fixture
def deadline() -> float:
    """Seconds for the brain: plenty, so that a busy machine changes nothing."""
    return 30.0


@pytest.fixture
def words(clinics, replies) -> OwnWords:
    return OwnWords(clinics, replies, load_texts())


@pytest.fixture
def turns_with(clinics, screen, words, engine, brain) -> Callable[..., Turns]:
    """Makes a gateway's `Turns` with what is given besides."""
    return functools.partial(
        Turns, clinics=clinics, screen=screen, words=words, engine=engine, brain=brain
    )


@pytest.fixture
def turns(turns_with, deadline) -> Turns:
    return turns_with(deadline=deadline, encoded=lambda text: f"encoding of {text}")


@pytest.fixture
def limits() -> Limits:
    """Limits that nobody reaches: at every look an hour has passed."""
    return Limits(itertools.count(step=3600).__next__)


@pytest.fixture
def at() -> datetime:
    """What the gateway's clock says: the line is open."""
    return OPEN


@pytest.fixture
async def web(
    clinics, screen, replies, engine, brain, deadline, at, limits
) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client on the gateway."""
    app = create_app(
        clinics=clinics,
        screen=screen,
        replies=replies,
        engine=engine,
        brain=brain,
        clock=lambda: at,
        limits=limits,
        deadline=deadline,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://handrail") as client:
        yield client
