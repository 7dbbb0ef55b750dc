"""The second vote: trained the same every time, and never in the way of the first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bot.safety.classifier import (
    EXAMPLES,
    RISK_KINDS,
    SAFE_KINDS,
    TrainingError,
    load_classifier,
    read_examples,
    train,
)
from bot.safety.lexicon import CATEGORIES, load_lexicon
from bot.safety.screen import load_screen
from bot.settings import ROOT

RISKY = ["i will go away from this", "i give up on all of it", "the end is near for me"]
SAFE = ["what time do you open", "my garden grows well", "we had soup for dinner"]


def fake_encode(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors in which texts with the same first word are near each other."""
    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, sum(map(ord, text.split(" ")[0])) % 500] = 1.0
        vectors[row, 500 + len(text) % 12] = 0.3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "examples" / "en"
    folder.mkdir(parents=True)
    write(folder / "active_si.txt", RISKY * 4)
    write(folder / "third_person.txt", [f"she says {text}" for text in RISKY] * 2)
    write(folder / "abuse.txt", [f"he hits me and {text}" for text in RISKY] * 2)
    write(folder / "everyday.txt", ["# a comment", "", *SAFE * 6])
    return folder.parent


def write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join(lines), encoding="utf-8")


def test_training_twice_gives_the_same_weights(examples: Path, tmp_path: Path) -> None:
    train(examples, tmp_path / "one.npz", fake_encode)
    train(examples, tmp_path / "two.npz", fake_encode)
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        assert one.files == two.files
        assert all(np.array_equal(one[name], two[name]) for name in one.files)


def test_what_was_learned_is_told_apart(examples: Path, tmp_path: Path) -> None:
    train(examples, tmp_path / "weights.npz", fake_encode)
    classifier = load_classifier(tmp_path / "weights.npz", load_lexicon().spelling, fake_encode)
    texts = [*RISKY, *SAFE]
    scores = classifier.scores(texts, fake_encode(texts))
    assert min(scores[:3]) > max(scores[3:])


def test_it_raises_the_tier_of_what_the_lexicon_does_not_know(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.safety.classifier.CONCERN_AT", 0.5)
    train(examples, tmp_path / "weights.npz", fake_encode)
    text = "I will go away from this"
    assert load_screen().read(text).tier == "none"
    reading = load_screen(tmp_path / "weights.npz", fake_encode).read(text)
    assert reading.tier != "none"
    assert [each.rule for each in reading.evidence] == ["classifier"]


def test_it_never_lowers_what_the_lexicon_saw(examples: Path, tmp_path: Path) -> None:
    train(examples, tmp_path / "weights.npz", fake_encode)
    screen = load_screen(tmp_path / "weights.npz", fake_encode)
    assert screen.read("what time do you open? I want to kill myself").tier == "crisis_self"


def test_missing_weights_refuse_to_load(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        load_screen(tmp_path / "nowhere.npz", fake_encode)


def test_weights_that_do_not_fit_refuse_to_load(examples: Path, tmp_path: Path) -> None:
    train(examples, tmp_path / "weights.npz", fake_encode)
    with np.load(tmp_path / "weights.npz") as file:
        weights = {name: file[name] for name in file.files}
    weights["support_weights"] = weights["support_weights"][:-1]
    np.savez(tmp_path / "cut.npz", **weights)
    with pytest.raises(ValueError, match="train again"):
        load_screen(tmp_path / "cut.npz", fake_encode)


def test_an_unknown_kind_of_example_is_a_mistake(examples: Path) -> None:
    write(examples / "en" / "weather.txt", ["it rains"])
    with pytest.raises(TrainingError, match="'weather' is no kind"):
        read_examples(examples)


def test_examples_of_one_side_only_are_a_mistake(examples: Path) -> None:
    (examples / "en" / "everyday.txt").unlink()
    with pytest.raises(TrainingError, match="of its absence"):
        read_examples(examples)


def test_the_projects_examples_cover_every_kind_in_both_languages() -> None:
    found = {(each.language, each.kind) for each in read_examples(EXAMPLES)}
    expected = {
        (language, kind) for language in ("en", "es") for kind in (*RISK_KINDS, *SAFE_KINDS)
    }
    assert found == expected


def test_kinds_of_example_are_called_like_the_lexicons_categories() -> None:
    assert set(RISK_KINDS.values()) <= set(CATEGORIES)


@pytest.fixture(scope="module")
def screen(settings):
    """Both votes, as the gateway has them."""
    from bot.nlu.sentence_encoder import encode

    return load_screen(classifier_path=settings.safety_model, encode=encode)


def lines(name: str) -> list[str]:
    found = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    return [line for line in found if not line.startswith("#")]


def test_danger_in_many_peoples_words_is_noticed(screen):
    told = lines("disclosures.txt")
    missed = [text for text in told if screen.read(text).tier == "none"]
    assert len(missed) <= 0.05 * len(told), missed


def test_everyday_words_of_death_and_harm_bring_no_crisis_help(screen):
    said = lines("everyday.txt")
    tiers = {text: screen.read(text).tier for text in said}
    assert [text for text, tier in tiers.items() if tier not in ("none", "concern")] == []
    assert sum(tier == "concern" for tier in tiers.values()) <= 0.06 * len(said), tiers


def test_questions_to_a_clinic_seldom_alarm(screen):
    """Held-out questions, none of which means danger; a false alarm costs the answer."""
    asked = [
        json.loads(line)["text"]
        for name in ("heldout_en", "heldout_es", "long_messages")
        for line in (ROOT / f"tests/nlu/{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    alarming = [text for text in asked if screen.read(text).tier != "none"]
    assert len(alarming) <= 0.02 * len(asked), alarming
