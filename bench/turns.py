"""What a turn costs: the whole product, the brain alone, stock Rasa and the floor, in one run.

    make bench                        all of it, about half an hour
    python -m bench.turns --quick  smaller figures, some minutes
    python -m bench.turns --only product floor
    python -m bench.turns --page   make the page anew from the figures that are there

All systems get the same scripted conversations (bench/conversations.yml) on the same
machine, one system at a time; the generator of the load runs on the same cores. Figures go
to bench/turns.json, and from there with plots to docs/performance.md (bench/turns_page.py).
Ratios within one run are what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import json
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench.systems import (
    ROOT,
    Floor,
    InProcess,
    Product,
    Stock,
    System,
    cpu_seconds,
    running,
    train_stock,
)
from bench.turns_page import write_page

FIGURES = ROOT / "bench" / "turns.json"
_SENTENCE = 4  # words; so long a text is made different every time, as people's are


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: how often each script is gone through by one visitor.
        seconds: of each load.
        clients: visitors at once, without a pause between their messages.
        turns: the numbers of turns of one conversation that are compared.
        longest: the last turn that the stock system is asked for: it gets slower and slower.
    """

    rounds: int = 6
    seconds: float = 15.0
    clients: tuple[int, ...] = (1, 4, 16, 64)
    turns: tuple[int, ...] = (5, 50, 200, 1000)
    longest: int = 200


QUICK = Plan(rounds=2, seconds=4.0, turns=(5, 50, 200), longest=50)
SYSTEMS = ("floor", "product", "product, 2 brains", "brain in-process", "stock Rasa")


def main() -> int:
    """Measure, write the figures, the plots and the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller and less sure")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--stock-epochs", type=int, default=1, help="speed does not depend on it")
    parser.add_argument("--page", action="store_true", help="write the page, measure nothing")
    chosen = parser.parse_args()
    if chosen.page:
        write_page(json.loads(FIGURES.read_text(encoding="utf-8")), ROOT)
        return 0
    plan = QUICK if chosen.quick else Plan()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as scratch:
        for name in SYSTEMS:
            if name in chosen.only:
                folder = Path(scratch) / name.replace(" ", "-").replace(",", "")
                folder.mkdir()
                figures[name] = measure_one(name, folder, plan, chosen.stock_epochs)
    result = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "plan": dataclasses.asdict(plan),
        "systems": figures,
    }
    if chosen.quick or chosen.only != SYSTEMS:
        print(json.dumps(result, indent=1))
        print("Part of the figures; bench/turns.json and the page are left as they are.")
        return 0
    FIGURES.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write_page(result, ROOT)
    return 0


def measure_one(name: str, folder: Path, plan: Plan, stock_epochs: int) -> dict[str, Any]:
    """The figures of one system, started and stopped for it."""
    say(f"{name}: starting")
    if name == "brain in-process":
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as apart:
            return apart.submit(measure_brain, folder, plan).result()
    if name == "stock Rasa":
        say("stock Rasa: training, unless that has been done (minutes)")
        system: Any = Stock(folder, train_stock(ROOT / "build" / "stock", stock_epochs))
        turns = tuple(turn for turn in plan.turns if turn <= plan.longest)
        plan = dataclasses.replace(plan, turns=turns)
    elif name == "floor":
        system = Floor(folder)
    else:
        system = Product(folder, brains=2 if "2" in name else 1)
    return asyncio.run(measure(system, plan))


def measure_brain(folder: Path, plan: Plan) -> dict[str, Any]:
    """The brain in this process; `folder` is its data folder."""
    return asyncio.run(measure(InProcess(folder), plan))


async def measure(system: Any, plan: Plan) -> dict[str, Any]:
    """Start a system and take all its figures."""
    scripts, one_round = read_conversations()
    async with running(system):
        for script in scripts:
            await talk(system, script)  # what is loaded on first use is loaded
        figures: dict[str, Any] = {"start": system.started}
        say(f"{system.name}: one visitor")
        figures.update(await one_visitor(system, scripts * plan.rounds))
        say(f"{system.name}: one long conversation")
        figures["turn"] = await long_conversation(system, one_round, plan.turns)
        figures["load"] = {}
        for clients in plan.clients:
            say(f"{system.name}: {clients} at once")
            figures["load"][str(clients)] = await load(system, scripts, clients, plan.seconds)
        figures["peak megabytes"] = {
            role: round(peak_bytes(process) / 1e6) for role, process in system.processes().items()
        }
    return figures


async def one_visitor(system: System, scripts: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Whole conversations one after the other: milliseconds a turn, CPU, disk."""
    before, disk = cpu_seconds(system), system.disk_bytes()
    answers = [answer for script in scripts for answer in await talk(system, script)]
    turns = [spent for spent, _ in answers]
    after, grown = cpu_seconds(system), system.disk_bytes()
    return {
        "milliseconds": spread(turns),
        "without an answer of its own": sum(not answered for _, answered in answers),
        "cpu seconds per 1000": {
            role: round((after[role] - before[role]) / len(turns) * 1000, 2) for role in after
        },
        "bytes per conversation": (
            None if disk is None or grown is None else round((grown - disk) / len(scripts))
        ),
        "turns per conversation": round(len(turns) / len(scripts), 1),
    }


async def long_conversation(
    system: System, one_round: Sequence[str], numbers: Sequence[int]
) -> dict[str, float]:
    """Median milliseconds of a whole round of turns around each of `numbers`."""
    conversation = await system.open()
    turns: list[float] = []
    for text in itertools.islice(different(itertools.cycle(one_round)), numbers[-1]):
        started = time.perf_counter()
        await system.say(conversation, text)
        turns.append((time.perf_counter() - started) * 1000)
    found = {}
    for number in numbers:
        last = max(number, len(one_round))  # turn 5 is judged by the first round
        found[str(number)] = round(statistics.median(turns[last - len(one_round) : last]), 2)
    return found


async def load(
    system: System, scripts: Sequence[Sequence[str]], clients: int, seconds: float
) -> dict[str, Any]:
    """So many visitors at once, who do not stop to think, for so many seconds."""
    ends = time.perf_counter() + seconds
    turns: list[tuple[float, bool]] = []

    async def visitor(number: int) -> None:
        for script in itertools.islice(itertools.cycle(scripts), number, None):
            if time.perf_counter() > ends:
                return
            conversation = await system.open()
            for text in different(script):
                if time.perf_counter() > ends:
                    return
                started = time.perf_counter()
                answered = await system.say(conversation, text)
                turns.append((time.perf_counter() - started, answered))

    started = time.perf_counter()
    await asyncio.gather(*(visitor(number) for number in range(clients)))
    spent = time.perf_counter() - started
    answered = [milliseconds * 1000 for milliseconds, right in turns if right]
    return {
        "answered per second": round(len(answered) / spent, 1),
        "without an answer of its own": len(turns) - len(answered),
        "milliseconds": spread(answered),
    }


async def talk(system: System, script: Sequence[str]) -> list[tuple[float, bool]]:
    """One conversation; milliseconds of each turn, and whether it was answered."""
    conversation = await system.open()
    turns = []
    for text in different(script):
        started = time.perf_counter()
        answered = await system.say(conversation, text)
        turns.append(((time.perf_counter() - started) * 1000, answered))
    return turns


_number = itertools.count(10_000)


def different(texts: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """The texts, each question one that was not asked before: nothing comes from a cache.

    Short answers ("no", "34") are left alone: people say them all the time.
    """
    phone = f"617-{next(_number) % 700 + 200}-{next(_number) % 10_000:04}"
    for text in texts:
        text = text.replace("{phone}", phone)
        yield f"{text} {next(_number)}" if len(text.split()) >= _SENTENCE else text


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}


def peak_bytes(process: psutil.Process) -> int:
    """The most memory that a process has had (Linux: VmHWM)."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def machine() -> str:
    """The machine in a line."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {model}, {memory:.0f} GiB, {platform.system()}"


def read_conversations() -> tuple[list[list[str]], list[str]]:
    """The scripts, and the round of the long conversation."""
    path = ROOT / "bench" / "conversations.yml"
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return list(read["conversations"].values()), read["round"]


def say(line: str) -> None:
    """Tell what is going on."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
