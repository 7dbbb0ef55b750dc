"""This project's understanding beside the stock Rasa pipeline, on the same data, in one run.

    python -m bench.intents [--stock]                     data/nlu, asked the held-out messages
    python -m bench.intents --data FOLDER [--only NAME]   NAME_train*.jsonl, NAME_test.jsonl
                                                          and, if there, NAME_oos_test.jsonl
    python -m bench.intents --train FILE --test FILE [--oos FILE]
    python -m bench.intents --own            data/nlu by cross-validation: the thresholds
    python -m bench.intents --languages      trained with and without the Spanish examples

Files are JSON lines of {"text", "intent"}. Each system runs in a process of its own, so
that memory is its own. The stock pipeline (what `rasa init` suggests, DIET) trains for
many minutes on large data: it runs only with --stock, and --epochs bounds it. The
reliability curve goes to build/reliability.json and build/reliability.png.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

from bot.nlu.evaluate import (
    OUT_OF_SCOPE,
    Answer,
    Example,
    Report,
    cross_validate,
    evaluate_intents,
    read_examples,
    reliability,
    report,
)
from bot.nlu.language import decide_language

ROOT = Path(__file__).parent.parent
STOCK_CONFIG = ROOT / "bench/stock_rasa/config.yml"
BUILD = ROOT / "build"
FALLBACK = "nlu_fallback"  # Rasa's name for "not sure"; the ranking below it is kept
THRESHOLDS = (0.2, 0.3, 0.35, 0.4, 0.45, 0.5)
AMBIGUITY = 0.1


def main() -> int:
    """Measure, print, write the reliability curve."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--oos", type=Path, help="texts that fit no intent")
    parser.add_argument("--data", type=Path, help="folder with files of several sets")
    parser.add_argument("--only", help="the one set of --data to take, by name")
    parser.add_argument("--own", action="store_true", help="cross-validate data/nlu")
    parser.add_argument("--languages", action="store_true", help="with and without Spanish")
    parser.add_argument("--stock", action="store_true", help="measure the stock pipeline too")
    parser.add_argument("--epochs", type=int, default=100, help="of the stock pipeline")
    chosen = parser.parse_args()
    if chosen.own:
        own()
        return 0
    if chosen.languages:
        languages()
        return 0
    if bool(chosen.train) != bool(chosen.test):
        parser.error("--train and --test go together")
    for name, train, test, oos in chosen_sets(chosen):
        print(f"\n{name}: {len(train)} examples, {len(test)} asked", flush=True)
        reports = [apart(evaluate_intents, train, test, oos)]
        if chosen.stock:
            print(f"  training the stock pipeline, {chosen.epochs} epochs ...", flush=True)
            reports.append(apart(evaluate_stock, train, test, oos, chosen.epochs))
        print(side_by_side(reports), flush=True)
        write_reliability({r.name: r.answers for r in reports})
    return 0


Set = tuple[str, list[Example], list[Example], list[Example]]  # name, train, test, oos


def chosen_sets(chosen: argparse.Namespace) -> Iterator[Set]:
    """The data that the arguments ask for."""
    if chosen.train:
        oos = read_examples(chosen.oos, OUT_OF_SCOPE) if chosen.oos else []
        yield chosen.train.stem, read_examples(chosen.train), read_examples(chosen.test), oos
    elif chosen.data:
        for path in sorted(chosen.data.glob("*_train*.jsonl")):
            name = path.name.split("_train")[0]
            strange = chosen.data / f"{name}_oos_test.jsonl"
            if chosen.only in (None, name):
                oos = read_examples(strange, OUT_OF_SCOPE) if strange.exists() else []
                test = read_examples(chosen.data / f"{name}_test.jsonl")
                yield name, read_examples(path), test, oos
    else:
        english, spanish, strange = held_out()
        yield "data/nlu, held-out messages", own_examples(), english + spanish, strange


def held_out() -> tuple[list[Example], list[Example], list[Example]]:
    """The messages of tests/nlu: English, Spanish, out of scope."""
    folder = ROOT / "tests/nlu"
    return (
        read_examples(folder / "heldout_en.jsonl"),
        read_examples(folder / "heldout_es.jsonl"),
        read_examples(folder / "heldout_oos.jsonl", OUT_OF_SCOPE),
    )


def languages() -> None:
    """What the Spanish examples add to what carries over from the English ones."""
    english, spanish, _ = held_out()
    both = own_examples()
    without = [e for e in both if decide_language(e.text, None) != "es"]
    print("trained on                          English asked  Spanish asked")
    for name, train in (("English and Spanish", both), ("English only", without)):
        asked = evaluate_intents(train, english + spanish).answers
        in_english, in_spanish = asked[: len(english)], asked[len(english) :]
        print(
            f"{name:22}{len(train):6} examples"
            f"{statistics.fmean(a.right for a in in_english):14.1%}"
            f"{statistics.fmean(a.right for a in in_spanish):15.1%}"
        )


def own() -> None:
    """Cross-validation of data/nlu: accuracy, calibration, and what thresholds would do."""
    examples = own_examples()
    answers = cross_validate(examples)
    right = statistics.fmean(a.right for a in answers)
    print(f"{len(examples)} examples, cross-validated: {right:.1%} right")
    print(f"asks back if under the threshold or within {AMBIGUITY} of the second")
    print("threshold  asks back  right if it answers  errors caught  choices hold it")
    for threshold in THRESHOLDS:
        asked = [a for a in answers if unsure(a, threshold)]
        answered = [a for a in answers if not unsure(a, threshold)]
        errors = [a for a in answers if not a.right]
        print(
            f"{threshold:9}{len(asked) / len(answers):11.1%}"
            f"{statistics.fmean(a.right for a in answered):21.1%}"
            f"{statistics.fmean(unsure(a, threshold) for a in errors):15.1%}"
            f"{statistics.fmean(a.expected in dict(a.ranking[:3]) for a in asked):17.1%}"
        )
    for group in reliability(answers):
        print(f"sure {group.confidence:6.1%}  right {group.accuracy:6.1%}  of {group.answers}")
    write_reliability({"handrail": answers})


def unsure(answer: Answer, threshold: float) -> bool:
    """What FallbackClassifier would decide."""
    second = answer.ranking[1][1]
    return answer.confidence < threshold or answer.confidence - second < AMBIGUITY


def own_examples() -> list[Example]:
    """All examples of data/nlu."""
    return [
        Example(line.removeprefix("- "), block["intent"])
        for path in sorted((ROOT / "data/nlu").glob("*.yml"))
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
        for line in block["examples"].splitlines()
    ]


def apart(work, *arguments) -> Report:  # type: ignore[no-untyped-def]
    """Call `work` in a fresh process."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=fresh) as pool:
        return pool.submit(work, *arguments).result()


def evaluate_stock(
    train: Sequence[Example], test: Sequence[Example], oos: Sequence[Example], epochs: int
) -> Report:
    """The stock pipeline trained and measured as `evaluate_intents` does."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import structlog
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    # Rasa logs every parse, which would be measured too.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        config = yaml.safe_load(STOCK_CONFIG.read_text(encoding="utf-8"))
        for component in config["pipeline"]:
            if "epochs" in component:
                component["epochs"] = epochs
        (Path(folder) / "config.yml").write_text(yaml.safe_dump(config))
        # Rasa's JSON format: in its YAML, brackets in a text would be read as entities.
        data = {"common_examples": [{"text": e.text, "intent": e.intent} for e in train]}
        (Path(folder) / "nlu.json").write_text(json.dumps({"rasa_nlu_data": data}))
        started = time.perf_counter()
        model = train_nlu(f"{folder}/config.yml", f"{folder}/nlu.json", folder)
        train_seconds = time.perf_counter() - started
        agent = Agent.load(model)
    loop = asyncio.new_event_loop()
    spent: list[float] = []

    def ask(example: Example) -> Answer:
        asked = time.perf_counter()
        parsed = loop.run_until_complete(agent.parse_message(example.text))
        spent.append((time.perf_counter() - asked) * 1e3)
        ranking = [(g["name"], g["confidence"]) for g in parsed["intent_ranking"]]
        return Answer(example.intent, tuple(g for g in ranking if g[0] != FALLBACK))

    return report(
        f"stock Rasa, {epochs} epochs",
        examples=len(train),
        answers=[ask(e) for e in test],
        oos=[ask(e) for e in oos],
        ms_per_message=statistics.median(spent),
        train_seconds=train_seconds,
    )


def side_by_side(reports: Sequence[Report]) -> str:
    """One column per system."""
    lines = [" " * 46 + "".join(f"{r.name:>24}" for r in reports)]
    for row in zip(*(r.figures() for r in reports), strict=True):
        lines.append(f"{row[0][0]:46}" + "".join(f"{figure:>24}" for _, figure in row))
    return "\n".join(lines)


def write_reliability(systems: dict[str, Sequence[Answer]]) -> None:
    """The reliability curve as numbers and as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    BUILD.mkdir(exist_ok=True)
    curves = {name: reliability(answers) for name, answers in systems.items()}
    numbers = {
        name: [{"sure": b.confidence, "right": b.accuracy, "texts": b.answers} for b in curve]
        for name, curve in curves.items()
    }
    (BUILD / "reliability.json").write_text(json.dumps(numbers, indent=1))
    figure, axes = pyplot.subplots(figsize=(4.5, 4.5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, label="honest")
    for name, curve in curves.items():
        axes.plot([b.confidence for b in curve], [b.accuracy for b in curve], "o-", label=name)
    axes.set(xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    figure.savefig(BUILD / "reliability.png", dpi=120, bbox_inches="tight")
    print(f"reliability curve: {BUILD / 'reliability.png'}")


if __name__ == "__main__":
    raise SystemExit(main())
