"""A hundred numbers text at once: how soon each is acknowledged, and whether all are answered.

The real product: `handrail serve` with its brain over the socket, and a worker that hands its
answers in at a stand-in for Twilio's REST API on this machine. Every third text signals danger.

    python -m bench.sms_burst [--numbers 100]

Prints figures, and the processor time of each process. Exit code 1 if anybody got no answer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import psutil

from bench.systems import CLINIC, ROOT, Product, cpu_seconds, running
from tests.sms.provider import NEW, PUBLIC, Rest, signed

NUMBER = "+18335550100"
TEXTS = ("what is the difference between iop and outpatient", "call me", "i want to kill myself")
LONGEST_SECONDS = 120.0  # for all answers


def product(folder: Path, rest: str) -> Product:
    """The product with one clinic that takes texts, and Twilio's REST API at `rest`."""
    clinics = folder / "clinics"
    clinics.mkdir()
    profile = (ROOT / f"clinics/{CLINIC}.yml").read_text(encoding="utf-8")
    (clinics / f"{CLINIC}.yml").write_text(f'{profile}\nsms:\n  number: "{NUMBER}"\n')
    return Product(
        folder,
        unlimited=False,
        HANDRAIL_CLINICS=str(clinics),
        HANDRAIL_PUBLIC_URL=PUBLIC,
        HANDRAIL_TWILIO_ACCOUNT="AC1",
        HANDRAIL_TWILIO_TOKENS=NEW,
        HANDRAIL_TWILIO_API=rest,
    )


async def greetings(product: Product, numbers: int) -> list[float]:
    """Seconds of as many requests at once that do nothing: what the machine makes of them now."""

    async def greet() -> float:
        began = time.perf_counter()
        async with product.web.get(f"{product.address}/healthz"):
            return time.perf_counter() - began

    return sorted(await asyncio.gather(*(greet() for _ in range(numbers))))


async def burst(product: Product, numbers: int) -> list[float]:
    """Seconds until each text was acknowledged; all are sent at the same moment."""

    async def text(number: int) -> float:
        body = urlencode(
            {
                "MessageSid": f"SM{number:032x}",
                "From": f"+1617555{number:04}",
                "To": NUMBER,
                "Body": TEXTS[number % len(TEXTS)],
                "NumMedia": "0",
                "FromCity": "",
            }
        )
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-twilio-signature": signed(body),
        }
        began = time.perf_counter()
        where = f"{product.address}/sms/twilio"
        async with product.web.post(where, data=body, headers=headers) as answer:
            said = await answer.text()
        if not said.endswith("<Response></Response>"):
            print(f"not acknowledged plainly: {answer.status} {said[:200]}")
        return time.perf_counter() - began

    return sorted(await asyncio.gather(*map(text, range(numbers))))


async def measure(product: Product, rest: Rest, numbers: int) -> int:
    """Print the figures; how many numbers have got an answer."""
    first: dict[str, float] = {}  # when each number had its first answer
    rest.on_text = lambda text: first.setdefault(text["To"], time.perf_counter())
    async with running(product):
        before = cpu_seconds(product)
        nothing = await greetings(product, numbers)
        began = time.perf_counter()
        seconds = await burst(product, numbers)
        while len(first) < numbers and time.perf_counter() - began < LONGEST_SECONDS:
            await asyncio.sleep(0.05)
        spent = {role: used - before[role] for role, used in cpu_seconds(product).items()}
    answered = sorted(moment - began for moment in first.values())
    print(f"{numbers} numbers, {psutil.cpu_count()} processors")
    print(f"as many requests for nothing: p50 {_at(nothing, 50):.3f} s, ", end="")
    print(f"p99 {_at(nothing, 99):.3f} s")
    print(f"acknowledged: p50 {_at(seconds, 50):.3f} s, p99 {_at(seconds, 99):.3f} s")
    if answered:
        print(
            f"answered: {len(answered)}, p50 {_at(answered, 50):.1f} s, last {answered[-1]:.1f} s"
        )
    apologies = sum("can't answer" in text for text in rest.texts)
    print(f"apologies instead of the assistant's answer: {apologies}")
    for role, used in spent.items():
        print(f"processor time of the {role}: {used:.1f} s")
    return len(answered)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=100)
    numbers = parser.parse_args().numbers
    rest = Rest()
    try:
        with tempfile.TemporaryDirectory() as folder:
            answered = asyncio.run(measure(product(Path(folder), rest.url), rest, numbers))
    finally:
        rest.stop()
    return 0 if answered == numbers else 1


def _at(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


if __name__ == "__main__":
    sys.exit(main())
