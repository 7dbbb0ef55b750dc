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
from collections.abc import Callable

import pytest

from bot.safety.replies import is_crisis_response
from bot.serve import BUSY, UNUSABLE
from bot.settings import ROOT
from tests.gateway.installation import BRAIN, GATEWAY, PATIENCE, SERVE, Installation

TWO = ("brain 1", "brain 2")
IN_DANGER = "I want to kill myself tonight"


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


def seconds_of(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


# --- the gateway alone -------------------------------------------------------------


def test_a_gateway_stops_at_once_and_cleanly_while_somebody_looks_on(house):
    gateway = house.start(GATEWAY)
    house.until(lambda: house.status("/healthz") == 200)
    opened = house.web.post("/api/conversations", json={"clinic": "greater_boston"}).json()
    path = f"/api/conversations/{opened['conversation']}/events"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    with house.web.stream("GET", path, headers=headers) as stream:
        lines = stream.iter_lines()
        assert "event: message" in itertools.islice(lines, 8)
        gateway.terminate()
        assert not [line for line in lines if line.startswith("event:")]  # it ends
    assert gateway.wait(PATIENCE) == 0
    assert (house.data / "stderr").read_text() == ""


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
        ("HANDRAIL_BRAINS", "0", "HANDRAIL_BRAINS must be a number from 1 to 64"),
        ("HANDRAIL_BRAIN", "first", "HANDRAIL_BRAIN must be a number from 1 to 64"),
        ("HANDRAIL_DATABASE", "sqlite://", "forgets everything"),
        ("HANDRAIL_CLINICS", "/nowhere", "/nowhere"),
        ("HANDRAIL_MODEL", "/nowhere/handrail.tar.gz", "`handrail train`"),
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
    assert slow < 10  # not 30: the deadline is 3 s
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
        house.kill(BRAIN)
        assert [one.result(PATIENCE) for one in talking] == [15, 15, 15, 15]
    house.until(lambda: house.status("/readyz") == 200)
    assert Visitor(house).ask("after").endswith(": after")


def test_one_of_two_brains_killed_under_load_costs_nobody_the_brains_answer(house):
    supervisor = house.serve(brains=2)
    house.read_until(supervisor, "ready")

    def talk(_: int) -> set[str]:
        visitor = Visitor(house)
        return {visitor.response(f"message {number}") for number in range(15)}

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        talking = [pool.submit(talk, number) for number in range(4)]
        house.until(lambda: (house.data / "said.txt").exists())
        house.kill(BRAIN)
        assert [one.result(PATIENCE) for one in talking] == [{"echo"}] * 4
    house.read_until(supervisor, "ended (SIGKILL); starting it again")
    house.until(lambda: house.web.get("/readyz").json()["brains"] == dict.fromkeys(TWO, True))


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
        house.until(lambda: (house.data / "thinking").exists())
        supervisor.send_signal(number)
        assert thinking.result(PATIENCE) == "1: think 1"
    assert supervisor.wait(PATIENCE) == 0
    assert house.child(GATEWAY) is house.child(BRAIN) is None


def test_a_killed_gateway_is_started_again(house):
    supervisor = house.serve()
    house.kill(GATEWAY)
    house.read_until(supervisor, "gateway ended (SIGKILL)")
    house.until(lambda: house.status("/healthz") == 200)


def test_a_killed_supervisor_takes_its_processes_along_and_can_be_started_again(house):
    house.serve().kill()
    house.until(lambda: house.child(GATEWAY) is house.child(BRAIN) is None)
    house.serve()
    assert house.status("/healthz") == 200


def test_a_taken_port_ends_the_start_with_the_reason_and_nothing_else(house):
    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port))
        other.listen()
        process = house.start("-c", SERVE)
        said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == UNUSABLE
    [reason] = (house.data / "stderr").read_text().splitlines()
    assert "HANDRAIL_PORT" in reason
    assert "ready" not in said


@pytest.mark.parametrize("folder", ["/proc/nowhere", __file__])
def test_a_data_folder_that_cannot_be_used_is_told_in_one_line(house, folder):
    process = house.start("-c", SERVE, HANDRAIL_DATA=folder)
    assert process.wait(PATIENCE) == UNUSABLE
    [reason] = (house.data / "stderr").read_text().splitlines()
    assert folder in reason
    assert "HANDRAIL_DATA" in reason


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
    for word in ("secret", "555-0142", "kill myself"):
        assert word not in logged


def _parsed(line: str) -> dict:
    try:
        return json.loads(line)
    except ValueError:
        return {}


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel ends orphans")
def test_a_process_whose_supervisor_is_gone_before_it_runs_does_not_live_on():
    gone = "from bot.serve import _die_with_parent; _die_with_parent(supervisor=-1); print('lives')"
    ended = subprocess.run([sys.executable, "-c", gone], cwd=ROOT, capture_output=True, check=True)
    assert ended.stdout == b""
