"""The tables: counted right, with intervals, and targets stated as met or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.safety.evaluate import evaluate, wilson
from bot.safety.screen import load_screen

SCREEN = load_screen()


def write(folder: Path, *messages: tuple[str, str, str, bool]) -> Path:
    lines = [
        json.dumps({"text": text, "label": label, "subtype": subtype, "own_words": own})
        for text, label, subtype, own in messages
    ]
    (folder / "messages.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_shares_count_tiers_by_group(tmp_path: Path) -> None:
    write(
        tmp_path,
        ("I want to kill myself", "crisis", "active_si", True),
        ("hello there", "crisis", "active_si", True),
        ("what are your hours", "everyday_negative", "everyday", True),
    )
    report = evaluate(tmp_path, SCREEN)
    assert report.share(lambda label, _: label == "crisis", "concern") == (1, 2)
    assert report.share(lambda label, _: label == "everyday_negative", "concern") == (0, 1)


def test_made_up_messages_are_left_out_where_there_are_real_ones(tmp_path: Path) -> None:
    write(
        tmp_path,
        ("hello", "crisis", "active_si", True),
        ("I want to kill myself", "crisis", "active_si", False),
        ("this job is killing me", "everyday_negative", "idiom_hard", False),
        ("I overdosed", "crisis", "overdose", False),
    )
    own = evaluate(tmp_path, SCREEN)
    assert own.share(lambda *_: True, "none") == (2, 2)
    assert "overdose*" in own.render()
    everything = evaluate(tmp_path, SCREEN, own_words_only=False)
    assert len(everything.judged) == 4


def test_the_table_names_targets_and_the_keyword_list_beside_the_screen(tmp_path: Path) -> None:
    write(tmp_path, ("hello", "crisis", "active_si", True))
    table = evaluate(tmp_path, SCREEN).render()
    assert "keywords" in table
    assert "NOT MET" in table


def test_worst_messages_are_printed_only_on_request(tmp_path: Path) -> None:
    write(tmp_path, ("a quiet message", "crisis", "active_si", True))
    report = evaluate(tmp_path, SCREEN)
    assert "a quiet message" not in report.render()
    assert "a quiet message" in report.render(worst=1)


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "messages.jsonl").write_text('{"text": \n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"messages\.jsonl:1"):
        evaluate(tmp_path, SCREEN)


def test_a_folder_without_messages_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no labelled messages"):
        evaluate(tmp_path, SCREEN)


def test_wilson_interval_of_nine_in_ten() -> None:
    low, high = wilson(9, 10)
    assert (round(low, 3), round(high, 3)) == (0.596, 0.982)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
