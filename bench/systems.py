"""The systems that are measured, each started, spoken to and stopped alike."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar, Protocol

import aiohttp
import psutil

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench"
CLINIC = "greater_boston"
PATIENCE = 300.0  # seconds for a system to get ready
_LOOK = 0.02  # seconds between looks whether it is
DANGER = "I want to kill myself"
APOLOGY = "unavailable"  # how the names of the gateway's own apologies begin
_SERVE_UNLIMITED = (
    "import sys; from bot.serve import serve; from bot.settings import Settings; "
    "sys.exit(serve(Settings.from_environment(), "
    f"gateway=[{str(BENCH / 'unlimited_gateway.py')!r}]))"
)


class System(Protocol):
    """Something that answers messages.

    Attributes:
        name: as in the table.
        started: seconds from the start to the first safe answer, and to ready.
    """

    name: str
    started: dict[str, float | None]

    async def open(self) -> Any:
        """A new conversation."""
        ...

    async def say(self, conversation: Any, text: str) -> bool:
        """Send a message; whether it was answered, and not with an apology."""
        ...

    def processes(self) -> Mapping[str, psutil.Process]:
        """The processes of the system, by what they do."""
        ...

    def disk_bytes(self) -> int | None:
        """Bytes on disk; None if it keeps nothing there."""
        ...


class _Served:
    """A system of processes, spoken to over HTTP."""

    name = ""
    roles: Mapping[str, str]  # role -> what its command line has in it

    def __init__(self, folder: Path):
        self.folder = folder
        self.started: dict[str, float | None] = {}
        self.port = _free_port()
        self._running: list[subprocess.Popen[bytes]] = []
        self.web: aiohttp.ClientSession

    def start(self, *command: str, **environment: str) -> None:
        log = (self.folder / "output").open("ab")
        self._running.append(
            subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "RASA_TELEMETRY_ENABLED": "false",
                    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    "HANDRAIL_DATA": str(self.folder / "var"),
                    "HANDRAIL_DATABASE": f"sqlite:///{self.database}",
                    **environment,
                },
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )

    @property
    def database(self) -> Path:
        return self.folder / "var" / "handrail.db"

    def stop(self) -> None:
        for process in self._running:
            process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def processes(self) -> Mapping[str, psutil.Process]:
        found: dict[str, psutil.Process] = {}
        for started in self._running:
            top = psutil.Process(started.pid)
            for process in (top, *top.children(recursive=True)):
                command = process.cmdline()
                if command[1:2] == ["-c"]:
                    continue  # the supervisor, whose program names the others
                line = " ".join(command)
                for role, words in self.roles.items():
                    if words in line:
                        name = role if role not in found else f"{role} {len(found)}"
                        found[name] = process
                        break
        return found

    def disk_bytes(self) -> int | None:
        return None

    def died(self) -> str | None:
        """The end of the output, if a process has ended."""
        if all(process.poll() is None for process in self._running):
            return None
        return (self.folder / "output").read_text(errors="replace")[-2000:]

    async def until(self, answered: Any, since: float) -> float:
        """Seconds from `since` until `answered()` is true."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
                if await answered():
                    return time.perf_counter() - since
            if time.perf_counter() - since > PATIENCE or (said := self.died()):
                raise RuntimeError(f"{self.name} did not start:\n{said or 'no answer'}")
            await asyncio.sleep(_LOOK)


class Product(_Served):
    """`handrail serve`: the whole product through the gateway, over HTTP.

    Args:
        folder: empty; what it writes.
        brains: how many.
        unlimited: whether one address may ask as fast as it can.
        settings: HANDRAIL_* variables.
    """

    def __init__(self, folder: Path, brains: int = 1, *, unlimited: bool = True, **settings: str):
        super().__init__(folder)
        self.name = "product" if brains == 1 else f"product, {brains} brains"
        gateway = "unlimited_gateway" if unlimited else "bot.gateway"
        self.roles = {"gateway": gateway, "brain": "bot.brain", "worker": "bot.worker"}
        self.address = f"http://127.0.0.1:{self.port}"
        self._command = ("-c", _SERVE_UNLIMITED) if unlimited else ("-m", "bot.cli", "serve")
        self._settings = {
            "HANDRAIL_PORT": str(self.port),
            "HANDRAIL_BRAINS": str(brains),
            **settings,
        }

    async def begin(self) -> None:
        since = time.perf_counter()
        self.start(*self._command, **self._settings)
        self.started["first safe answer"] = await self.until(self._is_safe, since)
        self.started["ready"] = await self.until(self._is_ready, since)

    async def _is_safe(self) -> bool:
        where, headers = await self.open()
        body = {"id": "danger", "text": DANGER}
        async with self.web.post(where, json=body, headers=headers) as answer:
            messages = (await answer.json())["messages"]
        return bool(messages[0]["response"].startswith("crisis_self"))

    async def _is_ready(self) -> bool:
        async with self.web.get(f"{self.address}/readyz") as answer:
            return answer.status == 200 and all((await answer.json())["brains"].values())

    async def open(self) -> Any:
        api = f"{self.address}/api/conversations"
        async with self.web.post(api, json={"clinic": CLINIC}) as answer:
            answer.raise_for_status()
            opened = await answer.json()
        return (
            f"{api}/{opened['conversation']}/messages",
            {"Authorization": f"Bearer {opened['token']}"},
        )

    async def say(self, conversation: Any, text: str) -> bool:
        where, headers = conversation
        body = {"id": uuid.uuid4().hex, "text": text}
        async with self.web.post(where, json=body, headers=headers) as answer:
            if answer.status != 200:
                return False
            messages = (await answer.json())["messages"]
        return bool(messages) and not messages[0]["response"].startswith(APOLOGY)

    def disk_bytes(self) -> int | None:
        return None if "HANDRAIL_DATABASE" in self._settings else _database_bytes(self.database)


class Floor(_Served):
    """The same server with one encoding and one commit, see `floor_server`."""

    name = "floor"
    roles: ClassVar = {"server": "floor_server"}

    async def begin(self) -> None:
        since = time.perf_counter()
        (self.folder / "var").mkdir()
        self.start(
            *(str(BENCH / "floor_server.py"), str(self.port), f"sqlite:///{self.database}"),
            OPENBLAS_NUM_THREADS="1",  # as the product does, see `bot.one_thread`
        )
        self.started["first safe answer"] = None
        self.started["ready"] = await self.until(lambda: self.say(None, "hello"), since)

    async def open(self) -> Any:
        return None

    async def say(self, conversation: Any, text: str) -> bool:
        where = f"http://127.0.0.1:{self.port}/"
        async with self.web.post(where, json={"text": text}) as answer:
            return answer.status == 200 and bool((await answer.json())["text"])

    def disk_bytes(self) -> int | None:
        return _database_bytes(self.database)


class Stock(_Served):
    """Stock Rasa as `rasa init` leaves it, with our data and actions: `rasa run` over REST.

    It keeps trackers in memory, and runs actions in an action server, as stock does.
    """

    name = "stock Rasa"
    roles: ClassVar = {"action server": "run actions", "server": "rasa run"}

    def __init__(self, folder: Path, model: Path):
        super().__init__(folder)
        self._model = model
        self._actions = _free_port()
        self._talks = 0

    async def begin(self) -> None:
        since = time.perf_counter()
        endpoints = self.folder / "endpoints.yml"
        endpoints.write_text(
            f'action_endpoint:\n  url: "http://127.0.0.1:{self._actions}/webhook"\n'
        )
        (self.folder / "credentials.yml").write_text("rest:\n")
        (self.folder / "var").mkdir()
        self.start("-m", "rasa", "run", "actions", "--port", str(self._actions))
        self.start(
            *("-m", "rasa", "run", "--model", str(self._model), "--port", str(self.port)),
            *("--interface", "127.0.0.1", "--endpoints", str(endpoints)),
            *("--credentials", str(self.folder / "credentials.yml")),
        )

        async def answers() -> bool:
            return await self.say(await self.open(), "hello")

        self.started["first safe answer"] = None
        self.started["ready"] = await self.until(answers, since)

    async def open(self) -> Any:
        self._talks += 1
        return f"visitor-{self._talks}"

    async def say(self, conversation: Any, text: str) -> bool:
        now = datetime.now(timezone.utc).isoformat()
        body = {
            "sender": conversation,
            "message": text,
            "metadata": {"clinic": CLINIC, "channel": "web", "now": now, "language": "en"},
        }
        where = f"http://127.0.0.1:{self.port}/webhooks/rest/webhook"
        async with self.web.post(where, json=body) as answer:
            return answer.status == 200 and bool(await answer.json())


class InProcess:
    """The brain as a library, in this process; loads Rasa, so use a process of its own."""

    name = "brain in-process"

    def __init__(self, folder: Path):
        self._folder = folder
        self._talks = 0
        self.started: dict[str, float | None] = {}

    async def begin(self) -> None:
        since = time.perf_counter()
        from bot.nlu import without_tensorflow

        without_tensorflow.install()
        os.environ["HANDRAIL_DATA"] = str(self._folder / "var")
        os.environ["HANDRAIL_DATABASE"] = f"sqlite:///{self._folder / 'var' / 'handrail.db'}"
        from bot.brain.brain import load_brain
        from bot.brain.house import open_house
        from bot.logs import configure_logs
        from bot.settings import Settings
        from bot.store import TrackerEvents, migrate, open_store, writing
        from bot.turns import TurnRequest, mark_of

        configure_logs("brain")
        settings = Settings.from_environment()
        engine = open_store(settings)
        migrate(engine)
        self._request = TurnRequest

        def keep(conversation: str, row: Any) -> str:
            """What the gateway does with it."""
            with writing(engine) as db:
                TrackerEvents(db).keep(conversation, row)
            return mark_of(row.events)

        self._keep = keep
        self._brain = await load_brain(settings, engine, open_house(settings, engine))
        await self._brain.ready()
        self.started = {"first safe answer": None, "ready": time.perf_counter() - since}

    async def open(self) -> Any:
        self._talks += 1
        return [f"{CLINIC}.{self._talks:032}", 0, None]

    async def say(self, conversation: Any, text: str) -> bool:
        conversation[1] += 1
        request = self._request(
            conversation=conversation[0],
            message_id=str(conversation[1]),
            clinic=CLINIC,
            channel="web",
            text=text,
            now=datetime.now(timezone.utc),
            newest=conversation[2],
        )
        reply = await self._brain.turn(request)
        conversation[2] = await asyncio.to_thread(self._keep, conversation[0], reply.row)
        return bool(reply.messages)

    def processes(self) -> Mapping[str, psutil.Process]:
        return {"brain": psutil.Process()}

    def disk_bytes(self) -> int | None:
        return _database_bytes(self._folder / "var" / "handrail.db")

    def stop(self) -> None:
        """Nothing runs but this process."""


@contextlib.asynccontextmanager
async def running(system: Any) -> AsyncIterator[Any]:
    """Start a system, and stop it however the measuring ends."""
    timeout = aiohttp.ClientTimeout(total=120)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as web:
        system.web = web
        try:
            await system.begin()
            yield system
        finally:
            system.stop()


def cpu_seconds(system: System) -> dict[str, float]:
    """CPU seconds that each process of the system has used."""
    return {role: sum(process.cpu_times()[:2]) for role, process in system.processes().items()}


def train_stock(folder: Path, epochs: int) -> Path:
    """Train stock Rasa on our data, unless that has been done; gives the model's path.

    Few epochs do: its answers do not count here, and what a turn costs does not depend
    on how long it was trained.
    """
    inputs = [ROOT / "data", ROOT / "domain.yml", BENCH / "stock_rasa"]
    changed = max(
        path.stat().st_mtime
        for given in inputs
        for path in ([given] if given.is_file() else given.rglob("*.yml"))
    )
    model = folder / "stock.tar.gz"
    if model.exists() and model.stat().st_mtime > changed:
        return model
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = (BENCH / "stock_rasa" / "config.yml").read_text(encoding="utf-8")
    few = config.replace("epochs: 100", f"epochs: {epochs}")
    (folder / "config.yml").write_text(few, encoding="utf-8")
    with (folder / "training.log").open("wb") as log:
        subprocess.run(
            [
                *(sys.executable, "-m", "rasa", "train", "--domain", "domain.yml"),
                *("--data", "data", str(BENCH / "stock_rasa" / "stories.yml")),
                *("--config", str(folder / "config.yml"), "--out", str(folder)),
                *("--fixed-model-name", "stock"),
            ],
            cwd=ROOT,
            env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=log,
            stderr=log,
            check=True,
        )
    return model


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _database_bytes(path: Path) -> int:
    """Bytes of a SQLite database, with what is in its write-ahead log."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)
