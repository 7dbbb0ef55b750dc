"""`handrail serve`: gateway, brains and worker as processes under one supervisor.

The supervisor imports none of them, so it is there at once. It restarts what has
died, stops all in order (first the gateway, so that turns in flight still find the
brain), and holds a lock on the data folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import functools
import http.client
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.settings import Settings

UNUSABLE = 2  # a process's exit code when a setting or data file must be mended
BUSY = 3  # another supervisor uses the data folder

_BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the next restart
_STEADY_SECONDS = 60.0  # after living so long, a process restarts without delay again
_HEAD_START_SECONDS = 10.0  # for the gateway to answer before the others start
_STOP_SECONDS = 10.0  # for a process to finish before it is killed
_LOOK_SECONDS = 0.1  # between looks at whether a process answers
_LOOK_PATIENCE = 2.0  # for one answer to such a look
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)  # loaded here: a forked child should load nothing


def serve(
    settings: Settings,
    *,
    gateway: Sequence[str] = ("-m", "bot.gateway"),
    brain: Sequence[str] = ("-m", "bot.brain"),
    worker: Sequence[str] = ("-m", "bot.worker"),
) -> int:
    """Run gateway, worker and as many brains as `settings` say until SIGTERM or SIGINT.

    Args:
        settings: handed on to the processes.
        gateway, brain, worker: what Python is started with.

    Returns:
        0 after a clean stop; 2 if it cannot run with these settings; 3 if another
        supervisor uses the same data folder. The reason is on stderr.
    """
    try:
        with _lock(settings.data):
            _try_to_listen(settings)
            return asyncio.run(_Supervisor(settings, gateway, brain, worker).run())
    except _Taken as taken:
        print(
            f"Handrail is already running on {settings.data} (process {taken}). "
            "Stop that one, or set HANDRAIL_DATA to another folder.",
            file=sys.stderr,
        )
        return BUSY
    except _CannotRunError as error:
        print(error, file=sys.stderr)
        return UNUSABLE


class _CannotRunError(Exception):
    """A setting must be mended first; the text says which and how."""


class _Taken(Exception):
    """Another process holds the lock; the text is its process id."""


@contextlib.contextmanager
def _lock(data: Path) -> Iterator[None]:
    """Hold the data folder; the system gives it free when this process ends in any way."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(data / "serve.lock", "a+", encoding="ascii")  # noqa: SIM115
    except OSError as error:
        raise _CannotRunError(
            f"the data folder {data} cannot be used: {error.strerror}. Let this user write there, "
            "or set HANDRAIL_DATA to another folder."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _Taken(file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_to_listen(settings: Settings) -> None:
    """Find a taken port now: what answers there would be taken for our own gateway."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise _CannotRunError(
            f"Handrail cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Set HANDRAIL_PORT or HANDRAIL_HOST to another one."
        ) from error


class _Child:
    """One process that is started again when it dies."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str]):
        self.name = name
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep_alive(self) -> int:
        """Run the process, again and again; returns its exit code if that cannot help.

        It cannot help if the gateway refuses its settings at the first start. One that
        has served before is started again whatever it says: visitors need it.
        """
        failures = 0
        for start in itertools.count(1):
            started = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *self._command,
                env=self._environment,
                # Ctrl-C reaches only the supervisor, which stops the others in order.
                start_new_session=True,
                preexec_fn=functools.partial(_die_with_parent, os.getpid())
                if sys.platform == "linux"
                else None,
            )
            code = await self._process.wait()
            if self._stopping:
                return code
            if start == 1 and code == UNUSABLE and self.name == "gateway":
                return code
            failures = 0 if time.monotonic() - started > _STEADY_SECONDS else failures + 1
            delay = _BACK_OFF[min(failures, len(_BACK_OFF)) - 1] if failures else 0.0
            _say(f"{self.name} ended ({_ending(code)}); starting it again in {delay:g} s")
            await asyncio.sleep(delay)
        raise AssertionError("starts are counted without end")

    async def stop(self) -> None:
        """Ask the process to finish; kill it if it does not within some seconds."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except asyncio.TimeoutError:
            _say(f"{self.name} does not stop; ending it")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class _Supervisor:
    """The processes, from start to stop."""

    def __init__(
        self,
        settings: Settings,
        gateway: Sequence[str],
        brain: Sequence[str],
        worker: Sequence[str],
    ):
        environment = _environment(settings)
        self._settings = settings
        self._gateway = _Child("gateway", gateway, environment)
        self._brains = [
            _Child(name, brain, {**environment, "HANDRAIL_BRAIN": str(number)})
            for number, name in enumerate(settings.sockets, start=1)
        ]
        self._worker = _Child("worker", worker, environment)

    async def run(self) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        _say("starting")
        answering = asyncio.Event()
        gateway = asyncio.create_task(self._gateway.keep_alive())
        progress = asyncio.create_task(self._tell_progress(answering))
        brains = [asyncio.create_task(_keep_alive_after(answering, b)) for b in self._brains]
        worker = asyncio.create_task(_keep_alive_after(answering, self._worker))
        stopped = asyncio.create_task(stop.wait())
        running = {gateway, *brains, worker, stopped}
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        progress.cancel()
        if stop.is_set():
            _say("stopping; messages under way are answered first")
        await self._gateway.stop()
        await self._worker.stop()
        await asyncio.gather(*(brain.stop() for brain in self._brains))
        for task in running:
            task.cancel()
        results = await asyncio.gather(gateway, *brains, worker, return_exceptions=True)
        _say("stopped")
        if stop.is_set():
            return 0
        # A process could not be started at all, or the gateway said that it cannot run.
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        return UNUSABLE

    async def _tell_progress(self, answering: asyncio.Event) -> None:
        """Print the address when the gateway answers, and when a brain is ready."""
        await self._until_answered("/healthz")
        answering.set()
        _say(f"Handrail answers at {_address(self._settings)} (the assistant is still loading)")
        await self._until_answered("/readyz")
        _say("ready")

    async def _until_answered(self, path: str) -> None:
        while await asyncio.to_thread(_status, self._settings, path) != 200:
            await asyncio.sleep(_LOOK_SECONDS)


async def _keep_alive_after(answering: asyncio.Event, child: _Child) -> int:
    """Start a process when the gateway answers, or has had its time.

    The gateway answers danger by itself; the others would take the processor from its start.
    """
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(answering.wait(), _HEAD_START_SECONDS)
    return await child.keep_alive()


def _environment(settings: Settings) -> dict[str, str]:
    """The environment of the processes: ours, with these very settings."""
    return {
        **os.environ,
        "HANDRAIL_DATA": str(settings.data),
        "HANDRAIL_CLINICS": str(settings.clinics),
        "HANDRAIL_MODEL": str(settings.model),
        "HANDRAIL_DATABASE": settings.database,
        "HANDRAIL_HOST": settings.host,
        "HANDRAIL_PORT": str(settings.port),
        "HANDRAIL_BRAINS": str(settings.brains),
        "HANDRAIL_PUBLIC_URL": settings.public_url,
    }


def _address(settings: Settings) -> str:
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"


def _status(settings: Settings, path: str) -> int | None:
    """The HTTP status of a page of the gateway; None if it does not answer."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=_LOOK_PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _ending(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _die_with_parent(supervisor: int) -> None:
    """Have the kernel end this process when the supervisor is gone, however it went."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != supervisor:
        os._exit(0)  # it was gone before the kernel knew


def _say(line: str) -> None:
    print(f"handrail: {line}", flush=True)
