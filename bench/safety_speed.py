"""How long the safety screen takes.

python -m bench.safety_speed [--weights FILE.npz]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bot.safety.screen import load_screen

SHORT = (
    "how long is the program and can I keep my job",
    "I don't want to be here anymore",
    "do you take my insurance?",
    "my husband lost his job and I can't sleep",
    "ok thanks",
)
LONG = {
    "10,000 characters of everyday text": (" ".join(SHORT) * 80)[:10_000],
    "10,000 characters of disclosures": ("I want to kill myself and I do not want to live. " * 220)[
        :10_000
    ],
    "10,000 emoji": "\U0001f48a" * 10_000,
}


def milliseconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Print medians and 95th percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="the classifier's weights; without: lexicon")
    chosen = parser.parse_args()
    screen = load_screen(chosen.weights)
    screen.read(SHORT[0])
    times = sorted(
        milliseconds(functools.partial(screen.read, text)) for _ in range(100) for text in SHORT
    )
    print(
        f"short messages: p50 {statistics.median(times):.2f} ms, "
        f"p95 {times[int(len(times) * 0.95)]:.2f} ms"
    )
    for name, text in LONG.items():
        best = statistics.median(
            milliseconds(functools.partial(screen.read, text)) for _ in range(5)
        )
        print(f"{name}: p50 {best:.1f} ms")


if __name__ == "__main__":
    main()
