"""How well this project's own understanding does on labelled texts: `handrail eval intents`.

Trains the sentence encoder's and the intent model's own code on any JSON lines of
{"text", "intent"} and measures it on others. Recognising what is out of scope is
measured apart, on texts that no intent fits.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from bot.nlu.intent_model import IntentModel
from bot.nlu.sentence_encoder import read
from bot.reviewed import DataError, Problem

OUT_OF_SCOPE = "out_of_scope"
FALSE_REJECTION = 0.05
_TIMED_MESSAGES = 300
_BINS = 10
_CONFUSIONS = 10


@dataclasses.dataclass(frozen=True)
class Example:
    """A text and the intent it has."""

    text: str
    intent: str


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model said about one text.

    Attributes:
        expected: the intent it has.
        ranking: (intent, confidence 0 to 1), most likely first, at least one.
    """

    expected: str
    ranking: tuple[tuple[str, float], ...]

    @property
    def intent(self) -> str:
        """The likeliest intent."""
        return self.ranking[0][0]

    @property
    def confidence(self) -> float:
        """Of the likeliest intent."""
        return self.ranking[0][1]

    @property
    def right(self) -> bool:
        """Whether the likeliest intent is the expected one."""
        return self.intent == self.expected

    @property
    def strangeness(self) -> float:
        """How far it looks out of scope: the confidence in that intent, or else in none."""
        for intent, confidence in self.ranking:
            if intent == OUT_OF_SCOPE:
                return confidence
        return 1 - self.confidence


@dataclasses.dataclass(frozen=True)
class Bin:
    """Answers of like confidence: how sure they were on average and how often right, 0 to 1."""

    confidence: float
    accuracy: float
    answers: int


@dataclasses.dataclass(frozen=True)
class Report:
    """What was measured. Shares are 0 to 1; out-of-scope figures are None without such texts.

    Attributes:
        name: of the model that was measured.
        examples: number of training examples.
        answers: one per test text.
        accuracy: share of the test texts whose likeliest intent is right.
        top3: share whose intent is among the three likeliest.
        macro_f1: mean F1 over the intents of the test texts.
        oos_auroc: chance that an out-of-scope text looks stranger than a test text.
        oos_recall: share of the out-of-scope texts rejected where 5 % of the test texts are.
        oos_threshold: the strangeness above which a text is rejected there.
        ms_per_message: median of one message at a time, embedding included.
        train_seconds: wall time of training, embedding included.
        memory_mb: most memory this process ever had.
    """

    name: str
    examples: int
    answers: tuple[Answer, ...]
    accuracy: float
    top3: float
    macro_f1: float
    oos_auroc: float | None
    oos_recall: float | None
    oos_threshold: float | None
    ms_per_message: float
    train_seconds: float
    memory_mb: float

    def figures(self) -> list[tuple[str, str]]:
        """(what, figure as text) in the order in which they are printed."""

        def share(value: float | None) -> str:
            return "-" if value is None else f"{value:.1%}"

        return [
            ("training examples", f"{self.examples}"),
            ("test texts", f"{len(self.answers)}"),
            ("accuracy", share(self.accuracy)),
            ("right among the 3 likeliest", share(self.top3)),
            ("macro-F1", share(self.macro_f1)),
            ("calibration error", share(calibration_error(self.answers))),
            (
                "out-of-scope AUROC",
                "-" if self.oos_auroc is None else f"{self.oos_auroc:.3f}",
            ),
            (
                f"out-of-scope recall at {FALSE_REJECTION:.0%} false rejection",
                share(self.oos_recall),
            ),
            ("ms per message (median)", f"{self.ms_per_message:.1f}"),
            ("training seconds", f"{self.train_seconds:.1f}"),
            ("memory, MB (peak)", f"{self.memory_mb:.0f}"),
        ]

    def render(self) -> str:
        """The figures and the most frequent confusions, as text for a terminal."""
        lines = [self.name, *(f"  {what:46}{figure:>10}" for what, figure in self.figures())]
        lines.append("  sure / right / texts, by confidence")
        lines += [
            f"    {b.confidence:6.1%} {b.accuracy:6.1%} {b.answers:6}"
            for b in reliability(self.answers)
        ]
        confused = confusions(self.answers)[:_CONFUSIONS]
        if confused:
            lines.append("  most frequent confusions (expected -> answered)")
            lines += [f"    {count:4}  {a} -> {b}" for a, b, count in confused]
        return "\n".join(lines)


def read_examples(path: Path, intent: str | None = None) -> list[Example]:
    """Read JSON lines of {"text", "intent"}.

    Args:
        path: the file.
        intent: taken where a line has none (out-of-scope files often have only texts).

    Raises:
        DataError: names every line that cannot be read.
        OSError: the file cannot be opened.
    """
    examples, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            examples.append(_example(json.loads(line), intent))
        except ValueError as error:
            problems.append(Problem(path, number, str(error)))
    if not examples and not problems:
        problems.append(Problem(path, 1, "there are no texts in this file"))
    if problems:
        raise DataError(problems)
    return examples


def evaluate_intents(
    train: Sequence[Example],
    test: Sequence[Example],
    oos: Sequence[Example] | None = None,
) -> Report:
    """Train on `train`, measure on `test`; `oos` are texts that fit none of test's intents.

    Raises:
        ValueError: fewer than two intents to train, or nothing to test.
    """
    if not test:
        raise ValueError("there are no test texts")
    started = time.perf_counter()
    model = IntentModel.train([e.text for e in train], [e.intent for e in train], read)
    train_seconds = time.perf_counter() - started
    return report(
        "handrail",
        examples=len(train),
        answers=answers_of(model, test),
        oos=answers_of(model, oos or []),
        ms_per_message=_ms_per_message(model, [e.text for e in test[:_TIMED_MESSAGES]]),
        train_seconds=train_seconds,
    )


def cross_validate(examples: Sequence[Example], folds: int = 5) -> list[Answer]:
    """Answers about every example from a model that was trained without it.

    The folds are even slices of each intent in its file's order, so that the same
    examples give the same answers.
    """
    position: dict[str, int] = {}
    fold_of = []
    for example in examples:
        fold_of.append(position.get(example.intent, 0) % folds)
        position[example.intent] = position.get(example.intent, 0) + 1
    answers: dict[int, Answer] = {}
    for fold in range(folds):
        kept = [e for e, f in zip(examples, fold_of, strict=True) if f != fold]
        asked = [number for number, f in enumerate(fold_of) if f == fold]
        model = IntentModel.train([e.text for e in kept], [e.intent for e in kept], read)
        answers.update(
            zip(asked, answers_of(model, [examples[number] for number in asked]), strict=True)
        )
    return [answers[number] for number in range(len(examples))]


def answers_of(model: IntentModel, examples: Sequence[Example]) -> list[Answer]:
    """What a trained model says about each example."""
    if not examples:
        return []
    texts = [e.text for e in examples]
    return [
        Answer(e.intent, tuple((g.intent, g.confidence) for g in ranking))
        for e, ranking in zip(examples, model.rank(texts, read(texts)), strict=True)
    ]


def report(
    name: str,
    *,
    examples: int,
    answers: Sequence[Answer],
    oos: Sequence[Answer],
    ms_per_message: float,
    train_seconds: float,
) -> Report:
    """The report on what any model answered; `oos` are its answers to out-of-scope texts."""
    auroc, recall, threshold = _out_of_scope(answers, oos)
    expected = [a.expected for a in answers]
    return Report(
        name=name,
        examples=examples,
        answers=tuple(answers),
        accuracy=statistics.fmean(a.right for a in answers),
        top3=statistics.fmean(
            a.expected in [intent for intent, _ in a.ranking[:3]] for a in answers
        ),
        macro_f1=float(
            f1_score(
                expected,
                [a.intent for a in answers],
                labels=sorted(set(expected)),
                average="macro",
                zero_division=0,
            )
        ),
        oos_auroc=auroc,
        oos_recall=recall,
        oos_threshold=threshold,
        ms_per_message=ms_per_message,
        train_seconds=train_seconds,
        memory_mb=_peak_memory_mb(),
    )


def reliability(answers: Sequence[Answer], bins: int = _BINS) -> list[Bin]:
    """Confidence against accuracy, in bins of equal width; empty ones are left out."""
    groups: list[list[Answer]] = [[] for _ in range(bins)]
    for answer in answers:
        groups[min(int(answer.confidence * bins), bins - 1)].append(answer)
    return [
        Bin(
            statistics.fmean(a.confidence for a in group),
            statistics.fmean(a.right for a in group),
            len(group),
        )
        for group in groups
        if group
    ]


def calibration_error(answers: Sequence[Answer]) -> float:
    """Mean distance between confidence and accuracy over `reliability`'s bins, 0 to 1."""
    return sum(
        abs(b.confidence - b.accuracy) * b.answers / len(answers) for b in reliability(answers)
    )


def confusions(answers: Sequence[Answer]) -> list[tuple[str, str, int]]:
    """(expected, answered, how often), most frequent first."""
    counted: dict[tuple[str, str], int] = {}
    for answer in answers:
        if not answer.right:
            pair = (answer.expected, answer.intent)
            counted[pair] = counted.get(pair, 0) + 1
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [(expected, answered, count) for (expected, answered), count in ordered]


def _example(given: Any, intent: str | None) -> Example:
    if not isinstance(given, dict):
        raise ValueError('expected an object {"text": ..., "intent": ...}')
    text, named = given.get("text"), given.get("intent", intent)
    if not isinstance(text, str) or not text.strip():
        raise ValueError('"text" must be a text that is not empty')
    if not isinstance(named, str) or not named:
        raise ValueError('"intent" must be the name of an intent')
    return Example(text, named)


def _ms_per_message(model: IntentModel, texts: Sequence[str]) -> float:
    spent = []
    for text in texts:
        started = time.perf_counter()
        model.rank([text], read([text]))
        spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(spent)


def _out_of_scope(
    inside: Sequence[Answer], outside: Sequence[Answer]
) -> tuple[float | None, float | None, float | None]:
    """AUROC, recall at the false rejection allowed, and the threshold there."""
    inside = [a for a in inside if a.expected != OUT_OF_SCOPE]
    if not inside or not outside:
        return None, None, None
    known = np.array([a.strangeness for a in inside])
    strange = np.array([a.strangeness for a in outside])
    auroc = roc_auc_score(
        np.repeat([0, 1], [len(known), len(strange)]), np.concatenate([known, strange])
    )
    # The smallest threshold with at most 5 % of the known texts above it.
    threshold = float(np.quantile(known, 1 - FALSE_REJECTION, method="higher"))
    return float(auroc), float((strange > threshold).mean()), threshold


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)
