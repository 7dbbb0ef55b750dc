"""What keeps people from calling is recognised and met."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.reviewed import DataError
from bot.safety.barriers import BARRIERS, load_barriers

LOADED = load_barriers()


@pytest.mark.parametrize("barrier", LOADED.barriers, ids=lambda barrier: barrier.id)
def test_a_barrier_is_recognised_in_its_examples_and_not_in_its_traps(barrier) -> None:
    assert {LOADED.reply_to(example) for example in barrier.examples} == {barrier.reply}
    assert barrier.reply not in {LOADED.reply_to(trap) for trap in barrier.traps}


@pytest.mark.parametrize("text", ["", "ok", "thank you", "yes", "\U0001f48a"])
def test_other_answers_name_no_barrier(text: str) -> None:
    assert LOADED.reply_to(text) is None


def test_an_unknown_reply_refuses_to_load(tmp_path: Path) -> None:
    broken = tmp_path / "barriers.yml"
    text = BARRIERS.read_text(encoding="utf-8").replace("crisis_police", "crisis_polite")
    broken.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="crisis_polite"):
        load_barriers(broken)
