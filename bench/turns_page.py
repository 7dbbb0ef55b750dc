"""The figures of bench/turns.py as a page with plots: docs/performance.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: made by bench/turns.py -->", "<!-- end of figures -->"
Figures = Mapping[str, Any]

_COLUMNS = {
    "stock Rasa": "stock Rasa",
    "brain in-process": "brain in-process",
    "product": "product",
    "product, 2 brains": "product, two brains",
    "floor": "floor",
}


def write_page(result: Figures, root: Path) -> None:
    """Put the tables of `result` in docs/performance.md and its plots in docs/img."""
    page = root / "docs" / "performance.md"
    page.write_text(with_figures(page.read_text(encoding="utf-8"), result), encoding="utf-8")
    plot(result, root / "docs" / "img")


def with_figures(page: str, result: Figures) -> str:
    """The page with the present figures between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(result)}\n\n{END}{after}"


def tables(result: Figures) -> str:
    """All tables, in Markdown."""
    systems = {_COLUMNS[name]: figures for name, figures in result["systems"].items()}
    ordered = {name: systems[name] for name in _COLUMNS.values() if name in systems}
    plan = result["plan"]
    about = (
        f"Measured {result['date']} on {result['machine']}; load for {plan['seconds']:g} s each, "
        "by a generator on the same cores."
    )
    return "\n\n".join((about, bounds(result["systems"]), everything(ordered)))


def bounds(systems: Mapping[str, Figures]) -> str:
    """What was to be reached, as ratios within the run."""
    stock, product, floor = systems["stock Rasa"], systems["product"], systems["floor"]
    two = systems["product, 2 brains"]
    p50 = product["milliseconds"]["p50"]
    turns = product["turn"]
    first, *_, last = turns
    start, ready = product["start"]["first safe answer"], product["start"]["ready"]
    rows = [
        ("product's p50 turn against the floor's", p50 / floor["milliseconds"]["p50"], 2.5),
        ("product's p50 turn against stock's", p50 / stock["milliseconds"]["p50"], 0.25),
        (f"product's turn {last} against its turn {first}", turns[last] / turns[first], 1.3),
        ("start to first safe answer, seconds", start, 1.5),
        ("start to ready against stock's", ready / stock["start"]["ready"], 0.2),
        (
            "brain's peak memory against stock's",
            product["peak megabytes"]["brain"] / stock["peak megabytes"]["server"],
            1 / 3,
        ),
    ]
    lines = ["| | measured | bound | |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {value:.2f} | at most {bound:.2f} | {_verdict(value <= bound)} |"
        for name, value, bound in rows
    ]
    faster = _load(two, "16") / _load(stock, "16")
    lines.insert(
        5,
        "| throughput at 16 visitors, two brains, against stock's "
        f"| {faster:.2f} | at least 8.00 | {_verdict(faster >= 8)} |",
    )
    return "\n".join(lines)


def everything(systems: Mapping[str, Figures]) -> str:
    """One column for each system."""
    rows: list[tuple[str, Callable[[Figures], str]]] = [
        ("turn, p50 / p95 / p99, ms", lambda s: _spread(s["milliseconds"])),
    ]
    turns = next(iter(systems.values()))["turn"]
    for other in systems.values():
        turns = max(turns, other["turn"], key=len)
    for number in turns:
        rows.append((f"turn {number} of one conversation, ms", _getter("turn", number)))
    for clients in next(iter(systems.values()))["load"]:
        rows.append((f"messages a second, {clients} visitors", _throughput(clients)))
        rows.append(("the same, p50 / p95 / p99, ms", _waits(clients)))
    rows += [
        ("start to first safe answer, s", _getter("start", "first safe answer")),
        ("start to ready, s", _getter("start", "ready")),
        ("peak memory, MB", lambda s: _by_role(s["peak megabytes"])),
        ("CPU seconds per 1,000 messages", lambda s: _by_role(s["cpu seconds per 1000"])),
        ("bytes on disk per conversation", lambda s: _number(s["bytes per conversation"])),
    ]
    lines = ["| | " + " | ".join(systems) + " |", "|---|" + "---|" * len(systems)]
    lines += [
        f"| {name} | " + " | ".join(figure(s) for s in systems.values()) + " |"
        for name, figure in rows
    ]
    return "\n".join(lines)


def plot(result: Figures, folder: Path) -> None:
    """Throughput by visitors, and the cost of a turn in a long conversation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for name, column in _COLUMNS.items():
        system = result["systems"].get(name)
        if system is None:
            continue
        load, turn = system["load"], system["turn"]
        left.plot(
            [int(clients) for clients in load],
            [load[clients]["answered per second"] for clients in load],
            "o-",
            label=column,
        )
        right.plot([int(number) for number in turn], list(turn.values()), "o-", label=column)
    left.set(xscale="log", xlabel="visitors at once", ylabel="messages a second", ylim=0)
    right.set(xscale="log", yscale="log", xlabel="turn of one conversation", ylabel="milliseconds")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    left.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(folder / "performance.png", dpi=110)
    pyplot.close(figure)


def _verdict(kept: bool) -> str:
    return "kept" if kept else "**missed**"


def _load(system: Figures, clients: str) -> float:
    return float(system["load"][clients]["answered per second"])


def _throughput(clients: str) -> Callable[[Figures], str]:
    def figure(system: Figures) -> str:
        load = system["load"][clients]
        unanswered = load["without an answer of its own"]
        more = f" ({unanswered} apologies)" if unanswered else ""
        return f"{load['answered per second']:.0f}{more}"

    return figure


def _waits(clients: str) -> Callable[[Figures], str]:
    return lambda system: _spread(system["load"][clients]["milliseconds"])


def _getter(group: str, key: str) -> Callable[[Figures], str]:
    return lambda system: _number(system[group].get(key))


def _spread(values: Mapping[str, float]) -> str:
    return " / ".join(_number(value) for value in values.values()) or "-"


def _by_role(values: Mapping[str, float]) -> str:
    return ", ".join(f"{role} {_number(value)}" for role, value in values.items())


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
