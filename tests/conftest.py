"""What every test may use. Rasa is imported without TensorFlow, as in our own processes."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from bot.nlu import without_tensorflow

without_tensorflow.install()

from bot.logs import configure_logs
from bot.settings import Settings

configure_logs("tests", level=logging.ERROR)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The whole dialogue suite as a comparison, see tests/brain/beside_rasa.py."""
    parser.addoption(
        "--beside-rasa", action="store_true", help="compare each turn with Rasa as it comes"
    )


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The project's own settings: its clinics and the model that `make train` made."""
    found = Settings.from_environment({})
    if not (found.model.is_file() and found.safety_model.is_file()):
        pytest.exit("there is no trained model: run `make train` (or `make test`)", returncode=1)
    return found


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop of the assistant that dialogue tests share."""
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture(scope="session")
def assistant(settings: Settings, loop, tmp_path_factory, request):
    """The whole assistant on a temporary database; conversations do not share anything."""
    from bot.commands.assistant import load_assistant

    folder = tmp_path_factory.mktemp("assistant")
    loaded = loop.run_until_complete(
        load_assistant(
            dataclasses.replace(settings, data=folder, database=f"sqlite:///{folder}/handrail.db")
        )
    )
    if request.config.getoption("--beside-rasa"):
        from tests.brain.beside_rasa import BesideRasa

        url = f"sqlite:///{folder}/rasa.db"
        beside = BesideRasa(loaded.brain, dataclasses.replace(settings, data=folder, database=url))
        loaded.brain.turn = beside.turn
    yield loaded
    loaded.engine.dispose()


@pytest.fixture
def ask(assistant, loop) -> Callable[..., object]:
    """Start a conversation: `ask("greater_boston", channel="sms", now=...)`."""
    from bot.brain import house
    from tests.dialogue.visitor import MONDAY_MORNING, Visitor

    house.install(assistant.brain.house)  # another test may have loaded a second assistant

    def start(
        clinic: str = "greater_boston",
        channel: str = "web",
        now: datetime = MONDAY_MORNING,
        language: str | None = None,
    ) -> Visitor:
        return Visitor(assistant, loop, clinic, channel, now, language)

    return start
