"""Where a turn's time goes: CPU milliseconds and statements a turn, and the functions they are in.

    python -m bench.profile_turn            # one line per part, over the script below
    python -m bench.profile_turn --top 40   # and the 40 costliest functions (cProfile)
    python -m bench.profile_turn --turns 1000   # cost along one long conversation
    python -m bench.profile_turn --parse     # milliseconds of a parse, over the held-out messages
    python -m bench.profile_turn --pressed   # milliseconds of a turn that is a pressed choice

Everything runs in one process, as `handrail converse` does, on a database of its own.
CPU seconds instead of wall time: other programs on the machine do not count. A parse is
the whole pipeline with the safety screen, by the clock: for a quiet machine.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import cProfile
import dataclasses
import json
import os
import pstats
import statistics
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from bot import one_thread  # noqa: E402
from bot.nlu import without_tensorflow  # noqa: E402

# As gateway and brain do; NumPy's waiting threads would count as work.
one_thread.install()
without_tensorflow.install(training=False)

import logging  # noqa: E402

import sqlalchemy as sa  # noqa: E402

from bot.brain.brain import Brain  # noqa: E402
from bot.commands.assistant import Assistant, load_assistant  # noqa: E402
from bot.logs import configure_logs  # noqa: E402
from bot.nlu import sentence_encoder  # noqa: E402
from bot.nlu.safety_component import read_before  # noqa: E402
from bot.safety.screen import load_screen  # noqa: E402
from bot.settings import Settings  # noqa: E402
from bot.turns import TurnReply, TurnRequest  # noqa: E402

# What one visitor writes: questions, a triage with a digression and a correction, a callback.
SCRIPT = (
    "hello there",
    "what is the difference between an iop and outpatient therapy?",
    "can I keep working while I am in the program",
    "do you take blue cross insurance",
    "I want to find out which program fits",
    "it is for me",
    "no, nothing like that",
    "I live in Massachusetts",
    "I am 34 years old",
    "how long does the program last",
    "no",
    "nothing so far",
    "it has been pretty bad for the last weeks",
    "I manage most days",
    "actually I struggle with most things",
    "not sure",
    "no",
    "I drink a little on weekends",
    "a review maybe",
    "my sister helps a lot",
    "evenings would be best",
    "yes that is right",
    "please call me back",
    "Maria",
    "617 555 0123",
    "tomorrow morning",
    "yes",
    "thank you so much",
)
_NOW = datetime(2026, 11, 23, 15, 0, tzinfo=timezone.utc)
_PRESSES = 10  # choices of a questionnaire


class _Counted:
    """Counts the CPU time of a brain apart."""

    def __init__(self, brain: Brain):
        self.seconds = 0.0
        self._answer = brain.turn
        brain.turn = self._turn  # type: ignore[method-assign]

    async def _turn(self, request: TurnRequest) -> TurnReply:
        start = time.process_time()
        try:
            return await self._answer(request)
        finally:
            self.seconds += time.process_time() - start


class _Statements:
    """Counts what is asked of the database."""

    def __init__(self, engine: sa.engine.Engine):
        self.counts: collections.Counter[str] = collections.Counter()
        sa.event.listen(engine, "before_cursor_execute", self._executed)

    def _executed(self, _c, _cursor, statement, *_others) -> None:  # type: ignore[no-untyped-def]
        self.counts[statement.split(maxsplit=1)[0]] += 1
        if statement == "BEGIN IMMEDIATE":
            self.counts["commits that write"] += 1


async def one_conversation(assistant: Assistant, texts: list[str]) -> list[float]:
    """CPU seconds of each turn."""
    opened = await assistant.turns.open("greater_boston", now=_NOW)
    seconds = []
    for text in texts:
        start = time.process_time()
        await assistant.turns.take(opened.conversation, now=_NOW, text=text)
        seconds.append(time.process_time() - start)
    return seconds


def _fresh(run: int) -> list[str]:
    """The script with other words each time: nothing may come from a cache of texts."""
    return [f"{text} {run}x" if len(text) > 12 and text[-1].isalpha() else text for text in SCRIPT]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conversations", type=int, default=6)
    parser.add_argument("--top", type=int, default=0, help="list so many functions")
    parser.add_argument("--turns", type=int, default=0, help="length of one long conversation")
    parser.add_argument("--parse", action="store_true", help="parses instead of turns")
    parser.add_argument("--pressed", action="store_true", help="choices pressed, nothing typed")
    given = parser.parse_args()
    configure_logs("profile", level=logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(
            Settings.from_environment({}),
            data=Path(folder),
            database=f"sqlite:///{folder}/handrail.db",
        )
        asyncio.run(_profile(settings, given))
    return 0


async def _profile(settings: Settings, given: argparse.Namespace) -> None:
    assistant = await load_assistant(settings)
    brain = _Counted(assistant.brain)
    await one_conversation(assistant, _fresh(0))  # loads what is loaded at first use
    if given.parse:
        await _parses(assistant)
        return
    if given.pressed:
        await _presses(assistant, brain, given.conversations)
        return
    if given.turns:
        texts = [text for run in range(given.turns // len(SCRIPT) + 1) for text in _fresh(run)]
        seconds = await one_conversation(assistant, texts[: given.turns])
        for end in (5, 20, 50, 100, 200, 500, 1000, 2000):
            if end <= len(seconds):
                some = seconds[max(0, end - 28) : end]
                print(f"turn {end:5}: {1000 * statistics.mean(some):7.2f} ms CPU (mean to there)")
        return
    statements = _Statements(assistant.engine)
    brain.seconds = 0.0
    profile = cProfile.Profile()
    if given.top:
        profile.enable()
    seconds = [
        each
        for run in range(1, given.conversations + 1)
        for each in await one_conversation(assistant, _fresh(run))
    ]
    profile.disable()
    turns = len(seconds)
    whole, inside = 1000 * sum(seconds) / turns, 1000 * brain.seconds / turns
    print(
        f"{turns} turns: {whole:.2f} ms CPU a turn, of which brain {inside:.2f}, "
        f"gateway {whole - inside:.2f}"
    )
    for kind, count in statements.counts.most_common():
        print(f"  {kind:20} {count / turns:6.2f} a turn")
    if given.top:
        pstats.Stats(profile).sort_stats("tottime").print_stats(given.top)
        pstats.Stats(profile).sort_stats("cumtime").print_stats(2 * given.top)


async def _presses(assistant: Assistant, brain: _Counted, conversations: int) -> None:
    """What a turn costs in which nothing is read, encoded or classified: the least there is.

    The first choice is pressed again and again, from the start of the questionnaire on.
    """
    milliseconds: list[float] = []
    whole = inside = 0.0
    for _ in range(conversations):
        opened = await assistant.turns.open("greater_boston", now=_NOW)
        said = "I want to find out what fits"
        answer = await assistant.turns.take(opened.conversation, now=_NOW, text=said)
        for _ in range(_PRESSES):
            choices = [choice.id for shown in answer.messages for choice in shown.buttons]
            if not choices:
                break
            start, used, before = time.perf_counter(), time.process_time(), brain.seconds
            answer = await assistant.turns.take(opened.conversation, now=_NOW, button=choices[0])
            milliseconds.append(1000 * (time.perf_counter() - start))
            whole += time.process_time() - used
            inside += brain.seconds - before
    pressed = len(milliseconds)
    whole, inside = 1000 * whole / pressed, 1000 * inside / pressed
    print(
        f"{pressed} choices pressed: p50 {statistics.median(milliseconds):.2f} ms, {whole:.2f} ms "
        f"CPU a turn, of which brain {inside:.2f}, gateway {whole - inside:.2f}"
    )


async def _parses(assistant: Assistant) -> None:
    """How long the pipeline takes for messages that it has not seen.

    By itself, and as a brain runs it: the gateway has screened the message, and says what it
    read, the sentence encoder's reading too.
    """
    files = sorted((ROOT / "tests/nlu").glob("heldout_*.jsonl"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    weights = Settings.from_environment().safety_model
    screen = load_screen(classifier_path=weights, encode=sentence_encoder.encode)
    for name in ("by itself", "after the gateway"):
        sentence_encoder._memory_of.cache_clear()
        milliseconds = []
        for text in texts:
            read_before.set((text, screen.read(text)) if name != "by itself" else None)
            start = time.perf_counter()
            await assistant.brain.parse(text)
            milliseconds.append(1000 * (time.perf_counter() - start))
        cuts = statistics.quantiles(milliseconds, n=100)
        print(
            f"{len(texts)} parses {name}: p50 {cuts[49]:.2f}, p95 {cuts[94]:.2f}, "
            f"p99 {cuts[98]:.2f} ms"
        )


if __name__ == "__main__":
    sys.exit(main())
