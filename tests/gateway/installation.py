"""Processes for tests: an installation with a data folder, a port and what runs on them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from bot.settings import ROOT

HERE = Path(__file__).parent
GATEWAY, BRAIN = str(HERE / "lexicon_gateway.py"), str(HERE / "stand_in_brain.py")
PATIENCE = 180.0  # seconds; only a failing test waits so long
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

    def start(self, *command: str, **settings: str) -> subprocess.Popen[str]:
        """Start Python with `command`; `settings` are HANDRAIL_* variables."""
        environment = {
            **os.environ,
            "HANDRAIL_DATA": str(self.data),
            "HANDRAIL_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        environment.pop("HANDRAIL_DATABASE", None)
        environment.update(settings)
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

    def serve(self, *, load_brain: bool = True, brains: int = 1) -> subprocess.Popen[str]:
        if load_brain:
            self.load_brain()
        process = self.start("-c", SERVE, HANDRAIL_BRAINS=str(brains))
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

    def child(self, name: str) -> int | None:
        """Process id of the living process that runs `name` here; None if there is none."""
        for process in psutil.process_iter(["cmdline", "environ"]):
            ours = (process.info["environ"] or {}).get("HANDRAIL_DATA") == str(self.data)
            if ours and (process.info["cmdline"] or [""])[-1] == name:
                return process.pid
        return None

    def kill(self, name: str) -> int:
        """End the process that runs `name` here with SIGKILL; returns its process id."""
        process = self.child(name)
        assert process is not None, f"no {name} runs on {self.data}"
        os.kill(process, signal.SIGKILL)
        return process

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
