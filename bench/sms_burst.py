"""A hundred numbers text at once: how soon each is acknowledged, and whether all are answered.

The real product: `handrail serve` with its brain over the socket, and a worker that hands its
answers in at a stand-in for Twilio's REST API on this machine. Every third text signals danger.

    python -m bench.sms_burst [--numbers 100]

Prints figures, and the processor time of each process. Exit code 1 if anybody got no answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode

import httpx
import psutil
from twilio.request_validator import RequestValidator

from bot.settings import ROOT

NUMBER, TOKEN, PUBLIC = "+18335550100", "bench-token", "https://chat.clinic.example"
TEXTS = ("what is the difference between iop and outpatient", "call me", "i want to kill myself")
LONGEST_SECONDS = 120.0  # for all answers


class Rest:
    """Twilio's REST API as far as texts go: takes all of them, and notes when."""

    def __init__(self) -> None:
        self.came: list[tuple[float, str, str]] = []
        rest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                rest.came.append((time.perf_counter(), body["To"][0], body["Body"][0]))
                content = json.dumps({"sid": f"SM{len(rest.came)}", "status": "queued"}).encode()
                self.send_response(201)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def numbers(self) -> set[str]:
        """Who has had an answer."""
        return {to for _, to, _ in self.came}


@contextmanager
def product(folder: Path, rest: str) -> Iterator[tuple[str, psutil.Process]]:
    """`handrail serve` on a new data folder; gives its address and process."""
    clinics = folder / "clinics"
    clinics.mkdir()
    profile = (ROOT / "clinics/greater_boston.yml").read_text(encoding="utf-8")
    (clinics / "greater_boston.yml").write_text(f'{profile}\nsms:\n  number: "{NUMBER}"\n')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "serve"],
        cwd=ROOT,
        env={
            **os.environ,
            "HANDRAIL_DATA": str(folder / "data"),
            "HANDRAIL_PORT": str(port),
            "HANDRAIL_CLINICS": str(clinics),
            "HANDRAIL_PUBLIC_URL": PUBLIC,
            "HANDRAIL_TWILIO_ACCOUNT": "AC1",
            "HANDRAIL_TWILIO_TOKENS": TOKEN,
            "HANDRAIL_TWILIO_API": rest,
        },
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("w"),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + LONGEST_SECONDS
        while not _is_ready(address):
            if time.monotonic() > end or process.poll() is not None:
                sys.exit(f"the product does not start:\n{(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield address, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


async def greetings(address: str, numbers: int) -> list[float]:
    """Seconds of as many requests at once that do nothing: what the machine makes of them now."""
    limits = httpx.Limits(max_connections=numbers)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as web:

        async def greet() -> float:
            began = time.perf_counter()
            await web.get("/healthz")
            return time.perf_counter() - began

        return sorted(await asyncio.gather(*(greet() for _ in range(numbers))))


async def burst(address: str, numbers: int) -> list[float]:
    """Seconds until each text was acknowledged; all are sent at the same moment."""
    limits = httpx.Limits(max_connections=numbers)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30) as web:

        async def text(number: int) -> float:
            fields = {
                "MessageSid": f"SM{number:032x}",
                "From": f"+1617555{number:04}",
                "To": NUMBER,
                "Body": TEXTS[number % len(TEXTS)],
                "NumMedia": "0",
                "FromCity": "",
            }
            body = urlencode(fields)
            signature = RequestValidator(TOKEN).compute_signature(
                f"{PUBLIC}/sms/twilio", dict(parse_qsl(body, keep_blank_values=True))
            )
            headers = {
                "content-type": "application/x-www-form-urlencoded",
                "x-twilio-signature": signature,
            }
            began = time.perf_counter()
            answer = await web.post("/sms/twilio", content=body, headers=headers)
            if not answer.text.endswith("<Response></Response>"):
                print(f"not acknowledged plainly: {answer.status_code} {answer.text[:200]}")
            return time.perf_counter() - began

        return sorted(await asyncio.gather(*map(text, range(numbers))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=100)
    numbers = parser.parse_args().numbers
    rest = Rest()
    with tempfile.TemporaryDirectory() as folder, product(Path(folder), rest.url) as running:
        address, process = running
        before = {child.pid: child.cpu_times() for child in process.children()}
        nothing = asyncio.run(greetings(address, numbers))
        began = time.perf_counter()
        seconds = asyncio.run(burst(address, numbers))
        while len(rest.numbers()) < numbers and time.perf_counter() - began < LONGEST_SECONDS:
            time.sleep(0.05)
        first = {}
        for moment, to, _ in rest.came:
            first.setdefault(to, moment - began)
        answered = sorted(first.values())
        apologies = sum("can't answer" in text for _, _, text in rest.came)
        print(f"{numbers} numbers, {psutil.cpu_count()} processors")
        print(f"as many requests for nothing: p50 {_at(nothing, 50):.3f} s, ", end="")
        print(f"p99 {_at(nothing, 99):.3f} s")
        print(f"acknowledged: p50 {_at(seconds, 50):.3f} s, p99 {_at(seconds, 99):.3f} s")
        print(
            f"answered: {len(answered)}, p50 {_at(answered, 50):.1f} s, last {answered[-1]:.1f} s"
        )
        print(f"apologies instead of the assistant's answer: {apologies}")
        for child in process.children():
            used, old = child.cpu_times(), before[child.pid]
            spent = used.user + used.system - old.user - old.system
            print(f"processor time of {child.cmdline()[-1]}: {spent:.1f} s")
    return 0 if len(answered) == numbers else 1


def _at(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


if __name__ == "__main__":
    sys.exit(main())
