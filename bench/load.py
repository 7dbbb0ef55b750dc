"""The whole product under load: many visitors at once, and very many one after the other.

    python -m bench.load visitors                200 visitors do the whole triage, thinking 2-5 s
    python -m bench.load visitors --think 0 0    the same, each answering at once
    python -m bench.load conversations           10,000 short conversations; memory is watched

Each starts `handrail serve` on an empty database of its own (--database: on that one),
speaks HTTP with it, and checks every answer: whether there was one, whether it was the
assistant's own or an apology, and whether the transcript has it in its place. Results
go to bench/load.json; the tables and the picture of docs/scaling.md are made from it, by
every run and by `python -m bench.load docs`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import math
import os
import platform
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from bench.systems import APOLOGY, CLINIC, ROOT, Product, cpu_seconds, running

FIGURES = ROOT / "bench" / "load.json"
PAGE = ROOT / "docs" / "scaling.md"
PICTURE = ROOT / "docs" / "img" / "memory.png"
SAMPLE_SECONDS = 2.0
BUSY = 0.6  # of a core's time; more, and turns wait for each other
NOT_MEASURED = "Not measured yet: `make bench-load`.\n"

# What a visitor may answer to each question; whatever they say, the triage goes on.
ANSWERS = {
    "for_whom": ["me"],
    "safety_now": ["no"],
    "state": ["Massachusetts"],
    "age_band": ["I'm 34", "I'm 52", "adult"],
    "substance_use": ["no", "next to other things"],
    "withdrawal_risk": ["no"],
    "symptom_severity": ["mild", "moderate", "severe"],
    "daily_functioning": ["managing", "struggling"],
    "needs_24h_care": ["no"],
    "recent_care": ["none"],
    "stability": ["stable"],
    "weekly_enough": ["yes", "no"],
    "recurring_crises": ["no", "yes"],
    "medication_support": ["no"],
    "support_at_home": ["my wife helps a lot", "some"],
    "emotion_regulation": ["no", "yes"],
    "availability": ["evenings", "daytime"],
    "confirm": ["that's right"],
}
BEGINNING = "I want to find out which program fits"
MOST_QUESTIONS = 25
SHORT_TALK = ("hello", "is medication included in iop?", "thank you")


@contextlib.asynccontextmanager
async def serving(brains: int, database: str | None) -> AsyncIterator[Product]:
    """The product with all its brains, on an empty database or on the one at this URL."""
    settings = {"HANDRAIL_DATABASE": database} if database else {}
    with tempfile.TemporaryDirectory(prefix="handrail-load-") as folder:
        product = Product(
            Path(folder),
            brains,
            unlimited=False,
            # Every visitor comes from an address of their own, as in life: limits count them.
            HANDRAIL_PROXIES="127.0.0.1",
            **settings,
        )
        async with running(product):
            yield product


# --- visitors ---------------------------------------------------------------------------------


@dataclasses.dataclass
class Seen:
    """What the visitors saw, all together.

    Attributes:
        seconds: of every message, from sending it to having its answer.
        responses: how often each of the assistant's texts came.
        faults: what must not be, by kind.
        finished: conversations that came to their end.
    """

    seconds: list[float] = dataclasses.field(default_factory=list)
    responses: Counter[str] = dataclasses.field(default_factory=Counter)
    faults: Counter[str] = dataclasses.field(default_factory=Counter)
    finished: int = 0


class Visitor:
    """One visitor in one conversation, who remembers what was said."""

    def __init__(self, product: Product, number: int, seen: Seen):
        self._product = product
        self._seen = seen
        self._said: list[tuple[str, list[str]]] = []
        octets = (10, number >> 16 & 255, number >> 8 & 255, number & 255)
        self._headers = {"X-Forwarded-For": ".".join(map(str, octets))}
        self._path = ""
        self._number = 0
        self.state: dict[str, Any] = {}

    async def arrives(self) -> None:
        opened = await self._ask("POST", "/api/conversations", json={"clinic": CLINIC})
        self._path = f"/api/conversations/{opened['conversation']}/messages"
        self._headers["Authorization"] = f"Bearer {opened['token']}"

    async def says(self, text: str) -> None:
        body = {"id": str(self._number), "text": text}
        started = time.perf_counter()
        answer = await self._ask("POST", self._path, json=body)
        self._seen.seconds.append(time.perf_counter() - started)
        messages = answer["messages"]
        self.state = answer["state"]
        self._number += 1
        if not messages:
            self._seen.faults["unanswered"] += 1
        elif messages[0]["seq"] is None:
            self._seen.faults["not written down"] += 1
        else:
            self._said.append((text, [message["text"] for message in messages]))
        for message in messages:
            self._seen.responses[message["response"]] += 1
            if message["response"].startswith(APOLOGY):
                self._seen.faults["apologies"] += 1

    async def looks_back(self) -> None:
        """Every message in its place, each with its own answer."""
        told = await self._ask("GET", self._path)
        transcript = [message["text"] for message in told["messages"][1:]]  # without the greeting
        expected = [line for text, answers in self._said for line in (text, *answers)]
        if transcript != expected:
            self._seen.faults["out of order"] += 1

    async def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        where = f"{self._product.address}{path}"
        async with self._product.web.request(
            method, where, headers=self._headers, **options
        ) as answer:
            answer.raise_for_status()
            return dict(await answer.json())


async def triage(visitor: Visitor, chance: random.Random, think: tuple[float, float]) -> bool:
    """The whole questionnaire, to the level and the offer of a call; whether it came so far."""
    await asyncio.sleep(chance.uniform(0, think[1]))
    await visitor.arrives()
    await asyncio.sleep(chance.uniform(*think))
    await visitor.says(BEGINNING)
    for _ in range(MOST_QUESTIONS):
        question = visitor.state["open_question"]
        if question not in ANSWERS:
            break
        await asyncio.sleep(chance.uniform(*think))
        await visitor.says(chance.choice(ANSWERS[question]))
    await visitor.looks_back()
    return bool(visitor.state["level"])


async def small_talk(visitor: Visitor, turns: int) -> bool:
    """A few words, and gone."""
    await visitor.arrives()
    for text in SHORT_TALK[:turns]:
        await visitor.says(text)
    return True


async def counted(seen: Seen, walk: Awaitable[bool]) -> None:
    """One visitor's way; a request that fails is one without an answer."""
    try:
        came_so_far = await walk
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        seen.faults["unanswered"] += 1
        seen.responses[f"{type(error).__name__} {getattr(error, 'status', '')}"] += 1
    else:
        seen.finished += came_so_far


# --- the two measurements ---------------------------------------------------------------------


async def many_at_once(
    visitors: int, think: tuple[float, float], brains: int, database: str | None
) -> dict[str, Any]:
    """`visitors` do the whole triage at the same time."""
    seen, chance = Seen(), random.Random(7)  # noqa: S311
    async with serving(brains, database) as product:
        before = cpu_seconds(product)
        started = time.perf_counter()
        await asyncio.gather(
            *(
                counted(
                    seen,
                    triage(Visitor(product, number, seen), random.Random(chance.random()), think),  # noqa: S311
                )
                for number in range(visitors)
            )
        )
        seconds = time.perf_counter() - started
        spent = {name: used - before.get(name, 0.0) for name, used in cpu_seconds(product).items()}
        memory = resident(product)
    return {
        **circumstances(brains, database),
        "visitors": visitors,
        "think_seconds": list(think),
        "finished": seen.finished,
        **messages_of(seen, seconds),
        "cpu_ms_per_message": {
            name: round(1000 * used / max(1, len(seen.seconds)), 1) for name, used in spent.items()
        },
        "memory_mb": memory,
    }


async def one_after_the_other(
    conversations: int, turns: int, clients: int, seconds: float, brains: int, database: str | None
) -> dict[str, Any]:
    """`conversations` short ones, some at a time, and what memory does meanwhile."""
    seen, samples = Seen(), []
    numbers = iter(range(conversations))
    async with serving(brains, database) as product:
        started = time.perf_counter()

        async def client() -> None:
            for number in numbers:
                if time.perf_counter() - started > seconds:
                    return
                await counted(seen, small_talk(Visitor(product, number, seen), turns))

        async def watch() -> None:
            while True:
                samples.append({"conversations": seen.finished, **resident(product)})
                await asyncio.sleep(SAMPLE_SECONDS)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(client() for _ in range(clients)))
        watching.cancel()
        took = time.perf_counter() - started
        samples.append({"conversations": seen.finished, **resident(product)})
        size = product.disk_bytes() or 0
    return {
        **circumstances(brains, database),
        "conversations": seen.finished,
        "turns": turns,
        "clients": clients,
        **messages_of(seen, took),
        "memory_mb": samples,
        "growth": growth(samples),
        "bytes_per_conversation": round(size / max(1, seen.finished)),
    }


def messages_of(seen: Seen, seconds: float) -> dict[str, Any]:
    ordered = sorted(seen.seconds) or [0.0]
    cuts = statistics.quantiles(ordered, n=100, method="inclusive") if len(ordered) > 1 else ordered
    at = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98]} if len(cuts) == 99 else {}
    return {
        "seconds": round(seconds, 1),
        "messages": len(seen.seconds),
        "messages_per_second": round(len(seen.seconds) / seconds, 1),
        "milliseconds": {
            **{name: round(1000 * value) for name, value in at.items()},
            "max": round(1000 * ordered[-1]),
        },
        "faults": {name: seen.faults[name] for name in ("unanswered", "out of order", "apologies")},
        "responses": dict(seen.responses.most_common()),
    }


def growth(samples: list[dict[str, Any]]) -> dict[str, float]:
    """Memory in the last tenth of the run against that after the first fifth, as a ratio."""
    ends = samples[-1]["conversations"]
    early = [each for each in samples if 0.2 * ends <= each["conversations"] <= 0.3 * ends]
    late = [each for each in samples if each["conversations"] >= 0.9 * ends]
    names = samples[-1].keys() - {"conversations"}
    return {
        name: round(
            statistics.mean(each[name] for each in late)
            / statistics.mean(each[name] for each in early),
            3,
        )
        for name in sorted(names)
        if early and late
    }


def circumstances(brains: int, database: str | None) -> dict[str, Any]:
    return {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "brains": brains,
        "database": (database or "sqlite").partition(":")[0],
    }


def resident(product: Product) -> dict[str, int]:
    """Resident memory of each process, MB."""
    return {
        name: round(process.memory_info().rss / 2**20)
        for name, process in product.processes().items()
    }


# --- the page ---------------------------------------------------------------------------------


def write_docs() -> None:
    """Put what bench/load.json says into docs/scaling.md, between its marks."""
    page = PAGE.read_text(encoding="utf-8")
    for name, made in tables().items():
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, made=made: f"{found[1]}{made}{found[2]}",
            page,
            flags=re.DOTALL,
        )
    PAGE.write_text(page, encoding="utf-8")


def tables() -> dict[str, str]:
    """The tables by the name of their mark."""
    found = figures()
    return {
        "visitors": _visitors(found),
        "conversations": _conversations(found),
        "plan": _plan(found),
    }


def _visitors(found: dict[str, Any]) -> str:
    runs = [found[name] for name in ("thinking", "at_once") if name in found]
    if not runs:
        return NOT_MEASURED
    rows = {
        "thinking time, s": lambda r: "-".join(f"{each:g}" for each in r["think_seconds"]),
        "visitors; finished": lambda r: f"{r['visitors']}; {r['finished']}",
        "brains; database": lambda r: f"{r['brains']}; {r['database']}",
        "messages; a second": lambda r: f"{r['messages']:,}; {r['messages_per_second']}",
        "p50, p95, p99, longest, ms": lambda r: ", ".join(
            f"{r['milliseconds'][name]:,}" for name in ("p50", "p95", "p99", "max")
        ),
        "without an answer": lambda r: r["faults"]["unanswered"],
        "out of order": lambda r: r["faults"]["out of order"],
        "apologies": lambda r: r["faults"]["apologies"],
        "processor time a message, ms": lambda r: ", ".join(
            f"{name} {used}" for name, used in r["cpu_ms_per_message"].items()
        ),
    }
    return _table(runs, rows)


def _conversations(found: dict[str, Any]) -> str:
    if "conversations" not in found:
        return NOT_MEASURED
    rows: dict[str, Callable[[dict[str, Any]], Any]] = {
        "conversations; messages in each": lambda r: f"{r['conversations']:,}; {r['turns']}",
        "brains; database": lambda r: f"{r['brains']}; {r['database']}",
        "messages a second": lambda r: r["messages_per_second"],
        "without an answer; apologies": lambda r: (
            f"{r['faults']['unanswered']}; {r['faults']['apologies']}"
        ),
        "memory at the end, MB": lambda r: ", ".join(
            f"{name} {size}" for name, size in r["memory_mb"][-1].items() if name in r["growth"]
        ),
        "memory at the end against that after a fifth": lambda r: ", ".join(
            f"{name} {ratio:.2f}" for name, ratio in r["growth"].items()
        ),
    }
    return _table([found["conversations"]], rows)


def _plan(found: dict[str, Any]) -> str:
    """What docs/scaling.md's network needs, at the processor time that was measured."""
    if "thinking" not in found:
        return NOT_MEASURED
    spent = found["thinking"]["cpu_ms_per_message"]
    gateway = spent.get("gateway", 0.0)
    brains = sum(used for name, used in spent.items() if name.startswith("brain"))
    lines = [
        f"A message costs {gateway:.0f} ms of the gateway and {brains:.0f} ms of a brain "
        f"({found['thinking']['machine']}, {found['thinking']['date']}). A core that is to answer "
        f"quickly should be busy for at most {BUSY:.0%} of the time.",
        "",
        "| messages a second | gateways (`handrail serve`) | brains in all | machines of 4 cores |",
        "|---|---|---|---|",
    ]
    for rate in (20, 100):
        gateways, thinking = (
            max(1, math.ceil(rate * used / 1000 / BUSY)) for used in (gateway, brains)
        )
        thinking = max(thinking, 2 * gateways)  # one may die
        machines = math.ceil((gateways + thinking) / 4)
        lines.append(f"| {rate} | {gateways} | {thinking} | {machines}, and one to spare |")
    if "conversations" in found and found["conversations"].get("bytes_per_conversation"):
        size = found["conversations"]["bytes_per_conversation"]
        lines += [
            "",
            f"A short conversation takes {size / 1000:.0f} kB of disk; the 60,000 of three days "
            f"{size * 60_000 / 1e9:.1f} GB.",
        ]
    return "\n".join(lines) + "\n"


def _table(runs: list[dict[str, Any]], rows: dict[str, Callable[[dict[str, Any]], Any]]) -> str:
    head = " | ".join(f"{run['machine']}, {run['date']}" for run in runs)
    lines = [f"| | {head} |", "|---" * (len(runs) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(str(value(run)) for run in runs) + " |"
        for name, value in rows.items()
    ]
    return "\n".join(lines) + "\n"


def draw(result: dict[str, Any]) -> None:
    """Memory over conversations, one line for each process."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5))
    counts = [sample["conversations"] for sample in result["memory_mb"]]
    for name in result["growth"]:
        axes.plot(counts, [sample.get(name) for sample in result["memory_mb"]], label=name)
    axes.set(xlabel="conversations", ylabel="memory, MB", ylim=(0, None))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)


def figures() -> dict[str, Any]:
    """The last result of each measurement."""
    return json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}


def keep(name: str, result: dict[str, Any]) -> None:
    text = json.dumps({**figures(), name: result}, indent=1)
    FIGURES.write_text(f"{text}\n", encoding="utf-8")
    write_docs()


def shown(result: dict[str, Any]) -> Iterator[str]:
    for name, value in result.items():
        if name != "memory_mb" or isinstance(value, dict):
            yield f"{name}: {value}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = parser.add_subparsers(dest="part", required=True)
    at_once = parts.add_parser("visitors", help="many visitors do the whole triage at once")
    at_once.add_argument("--visitors", type=int, default=200)
    at_once.add_argument(
        "--think", type=float, nargs=2, default=(2.0, 5.0), metavar=("LEAST", "MOST")
    )
    row = parts.add_parser("conversations", help="short conversations, some at a time")
    row.add_argument("--conversations", type=int, default=10_000)
    row.add_argument("--turns", type=int, default=2, choices=range(1, len(SHORT_TALK) + 1))
    row.add_argument("--clients", type=int, default=8)
    row.add_argument("--seconds", type=float, default=570.0, help="stop after so long")
    parts.add_parser("docs", help="write docs/scaling.md from the results that are here")
    for each in (at_once, row):
        each.add_argument("--brains", type=int, default=2)
        each.add_argument("--database", metavar="URL", help="an empty one; default: SQLite")
        each.add_argument("--try", dest="trial", action="store_true", help="keep no result")
    chosen = parser.parse_args()
    if chosen.part == "docs":
        write_docs()
        return
    if chosen.part == "visitors":
        name = "thinking" if chosen.think[1] else "at_once"
        result = asyncio.run(
            many_at_once(chosen.visitors, tuple(chosen.think), chosen.brains, chosen.database)
        )
    else:
        name = "conversations"
        result = asyncio.run(
            one_after_the_other(
                chosen.conversations,
                chosen.turns,
                chosen.clients,
                chosen.seconds,
                chosen.brains,
                chosen.database,
            )
        )
    print(*shown(result), sep="\n")
    if not chosen.trial:
        keep(name, result)
        if name == "conversations":
            draw(result)


if __name__ == "__main__":
    main()
