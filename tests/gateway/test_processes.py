"""Real processes over HTTP: the supervisor, the gateway, and a small brain that fails."""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from bot.safety.replies import is_crisis_response
from bot.serve import BUSY, UNUSABLE
from bot.settings import ROOT

HERE = Path(__file__).parent
GATEWAY, BRAIN = str(HERE / "lexicon_gateway.py"), str(HERE / "stand_in_brain.py")
PATIENCE = 60.0  # seconds; only a failing test waits so long
IN_DANGER = "I want to kill myself tonight"
SERVE = (
    "import sys; from bot.serve import serve; from bot.settings import Settings; "
    f"sys.exit(serve(Settings.from_environment(), gateway=[{GATEWAY!r}], brain=[{BRAIN!r}]))"
)


class Installation:
    """One data folder and port, and the processes on it."""

    def __init__(self, data: Path):
        self.data = data
        data.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
        self.processes: list[subprocess.Popen[str]] = []
        self.lines: list[str] = []

    def start(self, *command: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "HANDRAIL_DATA": str(self.data),
            "HANDRAIL_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        environment.pop("HANDRAIL_DATABASE", None)
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=(self.data / "stderr").open("w"),
            text=True,
        )
        self.processes.append(process)
        return process

    def serve(self, *, load_brain: bool = True) -> subprocess.Popen[str]:
        if load_brain:
            self.load_brain()
        process = self.start("-c", SERVE)
        self.read_until(process, "answers at")
        return process

    def load_brain(self) -> None:
        (self.data / "load").touch()

    def read_until(self, process: subprocess.Popen[str], words: str) -> str:
        """The next line of the process's output that has these words."""
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"{words!r} was never said: {self.lines}")

    def status(self, path: str) -> int | None:
        try:
            return self.web.get(path).status_code
        except httpx.HTTPError:
            return None

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for another process: it can only be looked at, again and again."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, "this never came true"
            time.sleep(0.02)

    def child(self, name: str) -> int:
        """Process id of a living child whose command line has `name`."""
        listed = subprocess.run(
            ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
        ).stdout
        environment = f"HANDRAIL_DATA={self.data}"
        for line in listed.splitlines():
            pid, _, args = line.strip().partition(" ")
            if name in args and pid.isdigit():
                try:
                    environ = Path(f"/proc/{pid}/environ").read_text()
                except OSError:
                    continue
                if environment in environ.split("\0"):
                    return int(pid)
        return 0

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()
                assert process.stdout is not None
                process.stdout.close()
        self.web.close()


class Visitor:
    """A browser with one conversation."""

    def __init__(self, installation: Installation):
        self._web = installation.web
        opened = self._web.post("/api/conversations", json={"clinic": "greater_boston"}).json()
        self._address = f"/api/conversations/{opened['conversation']}/messages"
        self._headers = {"Authorization": f"Bearer {opened['token']}"}

    def send(self, text: str, message_id: str | None = None) -> list[dict]:
        body = {"id": message_id or uuid.uuid4().hex, "text": text}
        response = self._web.post(self._address, json=body, headers=self._headers)
        assert response.status_code == 200, response.text
        return response.json()["messages"]

    def ask(self, text: str) -> str:
        return self.send(text)[0]["text"]

    def response(self, text: str) -> str:
        return self.send(text)[0]["response"]


@pytest.fixture
def house(tmp_path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "data")
    yield installation
    installation.stop()


def seconds_of(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


# --- the gateway alone -------------------------------------------------------------


def test_a_gateway_without_a_brain_is_safe_from_its_first_message(house):
    house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    visitor = Visitor(house)
    assert is_crisis_response(visitor.response(IN_DANGER), "crisis_self")
    assert visitor.response("do you treat anxiety?").startswith("unavailable")
    assert house.status("/readyz") == 503


def test_a_gateway_is_safe_while_its_database_cannot_be_used_and_then_recovers(house):
    database = house.data / "handrail.db"
    database.mkdir()  # SQLite cannot open a folder
    house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    visitor = Visitor(house)
    assert is_crisis_response(visitor.response(IN_DANGER), "crisis_self")
    assert house.web.get("/readyz").json()["store"] is False
    database.rmdir()
    house.until(lambda: house.web.get("/readyz").json()["store"])
    assert Visitor(house).send("hello")[0]["seq"] == 3


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("HANDRAIL_PORT", "telephone", "HANDRAIL_PORT"),
        ("HANDRAIL_DATABASE", "sqlite://", "forgets everything"),
        ("HANDRAIL_CLINICS", "/nowhere", "/nowhere"),
    ],
)
def test_settings_that_cannot_be_used_are_named(house, variable, value, reason):
    finished = subprocess.run(
        [sys.executable, "-m", "bot.gateway"],
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATA": str(house.data), variable: value},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == UNUSABLE
    assert reason in finished.stderr
    assert "Traceback" not in finished.stderr


# --- faults of the brain ------------------------------------------------------------


def test_the_gateway_answers_while_the_brain_still_loads(house):
    supervisor = house.serve(load_brain=False)
    assert re.search(r"http://localhost:\d+", house.lines[-1])
    assert house.status("/readyz") == 503
    house.load_brain()
    house.read_until(supervisor, "ready")
    assert house.status("/readyz") == 200
    assert Visitor(house).ask("hello") == "1: hello"


def test_every_fault_of_the_brain_is_answered_and_then_it_goes_on(house):
    supervisor = house.serve()
    house.read_until(supervisor, "ready")
    visitor = Visitor(house)
    assert visitor.ask("one") == "1: one"
    assert visitor.response("garble").startswith("unavailable")
    slow = seconds_of(lambda: visitor.response("think 30"))
    assert slow < 4.5
    assert visitor.response("die").startswith("unavailable")
    house.read_until(supervisor, "brain ended (SIGKILL)")
    assert is_crisis_response(visitor.response(IN_DANGER), "crisis_self")
    house.until(lambda: house.status("/readyz") == 200)
    assert visitor.ask("two") == "2: two"


def test_a_brain_killed_under_load_costs_no_answer(house):
    supervisor = house.serve()
    house.read_until(supervisor, "ready")
    numbers = itertools.count()

    def talk(_: int) -> int:
        visitor = Visitor(house)
        answers = [visitor.send(f"message {next(numbers)}") for _ in range(15)]
        return sum(len(answer) == 1 and bool(answer[0]["text"]) for answer in answers)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        talking = [pool.submit(talk, number) for number in range(4)]
        house.until(lambda: (house.data / "said.txt").exists())
        os.kill(house.child(BRAIN), signal.SIGKILL)
        assert [one.result(PATIENCE) for one in talking] == [15, 15, 15, 15]
    house.until(lambda: house.status("/readyz") == 200)
    assert Visitor(house).ask("after").endswith(": after")


# --- the supervisor -------------------------------------------------------------------


def test_a_second_start_on_the_same_folder_is_refused_with_the_first_ones_number(house):
    first = house.serve()
    finished = subprocess.run(
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env={**os.environ, "HANDRAIL_DATA": str(house.data), "HANDRAIL_PORT": str(house.port)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == BUSY
    assert f"process {first.pid}" in finished.stderr
    assert house.status("/healthz") == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_turns_in_flight_finish_before_a_clean_stop(house, number):
    supervisor = house.serve()
    house.read_until(supervisor, "ready")
    visitor = Visitor(house)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        thinking = pool.submit(visitor.ask, "think 1")
        house.until(lambda: _is_busy(house))
        supervisor.send_signal(number)
        assert thinking.result(PATIENCE) == "1: think 1"
    assert supervisor.wait(PATIENCE) == 0
    assert house.child(GATEWAY) == house.child(BRAIN) == 0


def _is_busy(house: Installation) -> bool:
    """Whether a turn is with the brain: its connection to the socket is open."""
    connections = Path("/proc/net/unix").read_text()
    return connections.count(str(house.data / "brain.sock")) > 1


def test_a_killed_gateway_is_started_again(house):
    supervisor = house.serve()
    os.kill(house.child(GATEWAY), signal.SIGKILL)
    house.read_until(supervisor, "gateway ended (SIGKILL)")
    house.until(lambda: house.status("/healthz") == 200)


def test_a_killed_supervisor_takes_its_processes_along_and_can_be_started_again(house):
    house.serve().kill()
    house.until(lambda: house.child(GATEWAY) == house.child(BRAIN) == 0)
    house.serve()
    assert house.status("/healthz") == 200


def test_a_taken_port_ends_the_start_with_the_reason(house):
    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port))
        other.listen()
        process = house.start("-c", SERVE)
        assert process.wait(PATIENCE) == UNUSABLE
    assert "HANDRAIL_PORT" in (house.data / "stderr").read_text()
    assert house.child(BRAIN) == 0


def test_the_log_is_structured_and_without_what_was_said(house):
    supervisor = house.serve()
    house.read_until(supervisor, "ready")
    visitor = Visitor(house)
    for text in ("my secret is 617-555-0142", "garble", IN_DANGER):
        visitor.send(text)
    supervisor.terminate()
    supervisor.wait(PATIENCE)
    logged = (house.data / "stderr").read_text()
    turns = [line for line in map(_parsed, logged.splitlines()) if line.get("event") == "turn"]
    assert [line["tier"] for line in turns] == ["none", "none", "crisis_self"]
    for word in ("secret", "617", "kill myself"):
        assert word not in logged


def _parsed(line: str) -> dict:
    try:
        return json.loads(line)
    except ValueError:
        return {}
