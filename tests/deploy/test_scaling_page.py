"""The figures of docs/scaling.md are those of the last measurement."""

from __future__ import annotations

import pytest

from bench import load


@pytest.mark.parametrize("name", sorted(load.tables()))
def test_the_page_says_what_was_measured(name):
    page = load.PAGE.read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{load.tables()[name]}<!-- /{name} -->" in page


def test_every_kind_of_run_becomes_a_table(monkeypatch):
    seen = load.Seen([0.1, 0.2, 0.3], finished=2)
    told = {
        "date": "2026-11-22",
        "machine": "x86_64, 2 cores",
        "brains": 2,
        "database": "sqlite",
        **load.messages_of(seen, 1.0),
    }
    memory = [{"conversations": number, "gateway": 100} for number in range(11)]
    monkeypatch.setattr(
        load,
        "figures",
        lambda: {
            "thinking": {
                **told,
                "visitors": 2,
                "finished": 2,
                "think_seconds": [2, 5],
                "cpu_ms_per_message": {"gateway": 12.0, "brain 1": 5.0, "brain 2": 5.0},
            },
            "conversations": {
                **told,
                "conversations": 10,
                "turns": 2,
                "memory_mb": memory,
                "growth": load.growth(memory),
                "bytes_per_conversation": 20_000,
            },
        },
    )
    made = load.tables()
    assert "| p50, p95, p99, longest, ms | 200, 290, 298, 300 |" in made["visitors"]
    assert "gateway 1.00" in made["conversations"]
    # 100 messages a second: 100 x 12 ms at 60 % are two gateways, each with two brains.
    assert "| 100 | 2 | 4 | 2, and one to spare |" in made["plan"]
    assert "1.2 GB" in made["plan"]
