"""Where to cut: recall against false alarms of the safety classifier.

    python -m bench.safety_curve [--data DIR] [--plot FILE.png]

Cross-validates on the project's own examples (every message is scored by a
classifier that has not seen it) and prints the curve from which `CONCERN_AT` and
`CRISIS_AT` of `bot.safety.classifier` are read. With --data, the same curve on
labelled messages that nobody trained on, for the lexicon and the classifier together.
Last comes what the lexicon alone reads of the project's examples, as docs/safety.md has it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from bot.safety.classifier import (
    CONCERN_AT,
    CRISIS_AT,
    RISK_KINDS,
    SAFE_KINDS,
    Classifier,
    default_encode,
    fit_folded,
    folded_text,
    read_examples,
)
from bot.safety.evaluate import CRISIS, THIRD_PARTY, evaluate, wilson
from bot.safety.lexicon import load_lexicon
from bot.safety.normalise import tokenise
from bot.safety.screen import Screen
from bot.vocabulary import TIER_CONCERN, TIER_CRISIS_OTHER, tier_at_least

_FOLDS = 5
_STEPS = np.arange(-2.0, 9.01, 0.5)


def cross_validated() -> tuple[np.ndarray, np.ndarray]:
    """Score of every example by a classifier that never saw it, and its kind."""
    spelling = load_lexicon().spelling
    encode = default_encode()
    examples = read_examples()
    texts = np.array(
        [folded_text(tokenise(each.text, spelling)) for each in examples], dtype=object
    )
    kinds = np.array([each.kind for each in examples])
    embedded = np.concatenate(
        [encode(list(texts[start : start + 64])) for start in range(0, len(texts), 64)]
    )
    scores = np.zeros(len(texts))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for number, (learned, held_out) in enumerate(folds.split(texts, kinds), 1):
        print(f"fold {number} of {_FOLDS}", flush=True)
        weights = fit_folded(list(texts[learned]), list(kinds[learned]), embedded[learned])
        classifier = Classifier(weights, spelling, encode)
        scores[held_out] = classifier.scores(list(texts[held_out]), embedded[held_out])
    return scores, kinds


def table(scores: np.ndarray, kinds: np.ndarray) -> list[tuple[float, float, float]]:
    """(threshold, recall, false alarms) for every step of the curve."""
    risk = np.isin(kinds, list(RISK_KINDS))
    return [
        (float(cut), float((scores[risk] >= cut).mean()), float((scores[~risk] >= cut).mean()))
        for cut in _STEPS
    ]


def print_kinds(scores: np.ndarray, kinds: np.ndarray) -> None:
    """Shares at the two thresholds in use, kind by kind."""
    print(f"\n{'kind':<22}{'n':>6}   {'>= concern':<24}>= crisis")
    for kind in sorted(set(kinds), key=lambda each: (each not in RISK_KINDS, each)):
        of_kind = scores[kinds == kind]
        shares = []
        for cut in (CONCERN_AT, CRISIS_AT):
            count = int((of_kind >= cut).sum())
            low, high = wilson(count, len(of_kind))
            shares.append(f"{count / len(of_kind):.3f} ({low:.3f}-{high:.3f})")
        print(f"{kind:<22}{len(of_kind):>6}   {shares[0]:<24}{shares[1]}")


def lexicon_alone() -> str:
    """The table of what the lexicon reads without the classifier, by kind and language."""
    screen = Screen(load_lexicon())
    tiers: dict[str, dict[str, list[str]]] = {}
    for each in read_examples():
        of_kind = tiers.setdefault(each.kind, {"en": [], "es": []})
        of_kind[each.language].append(screen.read(each.text).tier)
    lines = [
        "| kind | English: n | >= concern | >= crisis | Spanish: n | >= concern | >= crisis |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in (*RISK_KINDS, *SAFE_KINDS):
        cells = [kind]
        for found in tiers[kind].values():
            cells.append(str(len(found)))
            for least in (TIER_CONCERN, TIER_CRISIS_OTHER):
                share = sum(tier_at_least(tier, least) for tier in found) / len(found)
                cells.append(f"{share:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def on_data(folder: Path) -> list[tuple[float, float, float]]:
    """(threshold, recall, false alarms) of lexicon or classifier, on people's own words."""
    lexicon = load_lexicon()
    encode = default_encode()
    examples = read_examples()
    spelling = lexicon.spelling
    texts = [folded_text(tokenise(each.text, spelling)) for each in examples]
    embedded = np.concatenate(
        [encode(texts[start : start + 64]) for start in range(0, len(texts), 64)]
    )
    classifier = Classifier(
        fit_folded(texts, [each.kind for each in examples], embedded), spelling, encode
    )
    risk, seen, scores = [], [], []
    for each in evaluate(folder, Screen(lexicon)).judged:
        counted = each.label in (CRISIS, "mh_negative", "everyday_negative")
        if not (counted and each.own) or each.subtype == THIRD_PARTY:
            continue
        tokens = tokenise(each.text, spelling)
        risk.append(each.label == CRISIS)
        seen.append(each.tier != "none")
        scores.append(classifier.score(tokens)[0] if tokens else -np.inf)
    danger, by_lexicon, score = np.array(risk), np.array(seen), np.array(scores)
    return [
        (
            float(cut),
            float((by_lexicon | (score >= cut))[danger].mean()),
            float((by_lexicon | (score >= cut))[~danger].mean()),
        )
        for cut in _STEPS
    ]


def main() -> None:
    """Print the curves, and plot them if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of labelled *.jsonl")
    parser.add_argument("--plot", type=Path, help="PNG to write")
    chosen = parser.parse_args()
    scores, kinds = cross_validated()
    curves = {"own examples, cross-validated": table(scores, kinds)}
    if chosen.data:
        curves["other people's words, with the lexicon"] = on_data(chosen.data)
    for name, curve in curves.items():
        print(f"\n{name}\n{'threshold':>10}{'recall':>10}{'false alarms':>15}")
        for cut, recall, alarms in curve:
            print(f"{cut:>10.1f}{recall:>10.3f}{alarms:>15.3f}")
    print_kinds(scores, kinds)
    print(f"\nthe lexicon alone\n{lexicon_alone()}")
    if chosen.plot:
        plot(curves, chosen.plot)


def plot(curves: dict[str, list[tuple[float, float, float]]], path: Path) -> None:
    """Recall against false alarms, the thresholds in use marked."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5))
    for name, curve in curves.items():
        line = axes.plot(
            [alarms for _, _, alarms in curve], [recall for _, recall, _ in curve], label=name
        )
        for cut in (CONCERN_AT, CRISIS_AT):
            _, recall, alarms = min(curve, key=lambda point: abs(point[0] - cut))
            axes.plot(alarms, recall, "o", color=line[0].get_color())
    axes.set(xlabel="false alarms", ylabel="recall", xlim=(0, 0.4), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
