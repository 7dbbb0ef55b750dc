"""How many evaluations of the level-of-care rules one core makes in a second.

Random complete and incomplete answers, every one different work; each figure is the
median of several runs, in seconds of processor time, so that other work on the
machine does not count. Run: python -m bench.care_rules
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from bot.care.engine import load_rules
from bot.care.questionnaire import load_questionnaire
from bot.care.rules import valid_values
from bot.vocabulary import ITEMS

CASES = 20_000
RUNS = 7
TARGET = 100_000  # evaluations a second on one core


def random_answers(chance: random.Random, known: float) -> dict[str, str]:
    """Answers in which each item is known with probability `known`."""
    return {item: chance.choice(valid_values(item)) for item in ITEMS if chance.random() < known}


def per_second(work: Callable[[dict[str, str]], Any], cases: list[dict[str, str]]) -> float:
    """Median calls of `work` in a processor second over the runs; one run warms up."""
    rates = []
    for _ in range(RUNS + 1):
        start = time.process_time()
        for answers in cases:
            work(answers)
        rates.append(len(cases) / (time.process_time() - start))
    return statistics.median(rates[1:])


def main() -> int:
    """Print the figures; exit code 1 if the slowest evaluation misses the target."""
    chance = random.Random(20261122)  # noqa: S311 - not for secrets
    start = time.perf_counter()
    rules, questionnaire = load_rules(), load_questionnaire()
    print(f"load rules and questionnaire: {(time.perf_counter() - start) * 1e3:.0f} ms")
    slowest = float("inf")
    for known in (1.0, 0.8, 0.4):
        cases = [random_answers(chance, known) for _ in range(CASES)]
        rate = per_second(rules.evaluate, cases)
        slowest = min(slowest, rate)
        print(f"evaluate, {known:4.0%} of the items known: {rate:10,.0f} a second")
    rate = per_second(questionnaire.next_item, cases)
    print(f"next_item, 40% of the items known:   {rate:10,.0f} a second")
    met = "met" if slowest >= TARGET else "missed"
    print(f"target of {TARGET:,} evaluations a second: {met}")
    return 0 if slowest >= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
