"""The intent model: what it learns, that it is the same every time and after the disk."""

import numpy as np
import pytest

from bot.nlu.intent_model import IntentModel, _even_selection
from bot.nlu.sentence_encoder import read

EXAMPLES = [
    ("what does it cost", "cost"),
    ("do you take my insurance", "cost"),
    ("how much do I pay", "cost"),
    ("is there a copay", "cost"),
    ("when are you open", "hours"),
    ("are you open on sunday", "hours"),
    ("what time do you close", "hours"),
    ("opening hours", "hours"),
    ("where are you located", "place"),
    ("what is your address", "place"),
    ("how do I get there", "place"),
    ("is there parking", "place"),
]
QUESTIONS = ["will insurance pay for this", "until what time are you there", "your street address?"]


def trained(examples=EXAMPLES) -> IntentModel:
    return IntentModel.train([t for t, _ in examples], [i for _, i in examples], read)


def best(model: IntentModel, texts: list[str]) -> list[str]:
    return [ranking[0].intent for ranking in model.rank(texts, read(texts))]


def test_it_finds_the_intent_of_new_wordings():
    assert best(trained(), QUESTIONS) == ["cost", "hours", "place"]


def test_english_examples_carry_over_to_spanish():
    spanish = ["¿cuánto cuesta?", "¿a qué hora cierran?", "¿cuál es su dirección?"]
    assert best(trained(), spanish) == ["cost", "hours", "place"]


def test_a_ranking_names_every_intent_once_and_sums_to_one():
    [ranking] = trained().rank(["how much"], read(["how much"]))
    assert sorted(guess.intent for guess in ranking) == ["cost", "hours", "place"]
    assert sum(guess.confidence for guess in ranking) == pytest.approx(1, abs=1e-5)
    confidences = [guess.confidence for guess in ranking]
    assert confidences == sorted(confidences, reverse=True)


def test_two_intents_are_enough():
    assert best(trained(EXAMPLES[:8]), QUESTIONS[:2]) == ["cost", "hours"]


def test_the_name_of_an_intent_with_few_examples_helps():
    examples = [("zq", "refund_policy"), ("zk", "parking_garage")]
    asked = ["tell me about the refund policy", "where is the parking garage"]
    assert best(trained(examples), asked) == ["refund_policy", "parking_garage"]


@pytest.mark.parametrize("text", ["", " ", "😀", "???", "a" * 5000, "你好", "\u0000"])
def test_any_text_gets_a_ranking(text):
    [ranking] = trained().rank([text], read([text]))
    assert all(0 <= guess.confidence <= 1 for guess in ranking)


def test_one_intent_is_a_mistake():
    with pytest.raises(ValueError, match="at least two intents"):
        trained(EXAMPLES[:4])


def test_as_many_intents_as_texts():
    with pytest.raises(ValueError, match="2 texts but 3 intents"):
        IntentModel.train(["a", "b"], ["x", "y", "x"], read)


def test_training_twice_gives_the_same_model():
    embeddings = read(QUESTIONS)
    assert trained().rank(QUESTIONS, embeddings) == trained().rank(QUESTIONS, embeddings)


@pytest.mark.parametrize("examples", [EXAMPLES, EXAMPLES * 6], ids=["few", "many"])
def test_a_loaded_model_answers_as_the_saved_one(tmp_path, examples):
    model, embeddings = trained(examples), read(QUESTIONS)
    model.save(tmp_path)
    loaded = IntentModel.load(tmp_path).rank(QUESTIONS, embeddings)
    for was, now in zip(model.rank(QUESTIONS, embeddings), loaded, strict=True):
        assert [g.intent for g in now] == [g.intent for g in was]
        assert [g.confidence for g in now] == pytest.approx([g.confidence for g in was], abs=1e-6)


def test_what_is_saved_is_arrays_and_json_without_pickle(tmp_path):
    trained().save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz", ".json"}
    with np.load(tmp_path / "intent_model.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_a_damaged_model_is_refused(tmp_path):
    trained().save(tmp_path)
    (tmp_path / "intent_model.npz").write_bytes(b"not arrays")
    with pytest.raises(ValueError, match="pickle"):
        IntentModel.load(tmp_path)


def test_a_selection_takes_the_same_share_of_every_intent():
    labels = np.array([0] * 600 + [1] * 300 + [2] * 100)
    sizes = np.bincount(labels[_even_selection(labels, 100)])
    assert sizes.sum() == 100
    assert np.abs(sizes - [60, 30, 10]).max() <= 1


def test_a_small_set_is_selected_whole():
    assert _even_selection(np.array([1, 0, 1]), 3).tolist() == [0, 1, 2]
