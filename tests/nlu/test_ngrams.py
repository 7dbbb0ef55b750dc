"""Counting n-grams gives what scikit-learn's vectorizer gives, for every kind of text."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.nlu.ngrams import VECTORIZER, Ngrams

HELD_OUT = Path(__file__).parent
ODD = [
    "",
    " ",
    "a",
    "I",
    "?!",
    "\u0000",
    "tabs\tand\n\nlines\u00a0and\u2003wide spaces",
    "¿Cuánto cuesta? Mañana, señor Núñez",
    "CRÈME BRÛLÉE e\u0301toile",  # accents apart from their letters too
    "İstanbul ẞ ﬁne ①② ½",  # letters that become several
    "😀😀 👩‍👩‍👧 no 😭",
    "你好 привет مرحبا",
    "aaaaaaaaaaaaaaaaaaaaaaaaaa" * 40,
    "the the the the cost of the cost",
]


def held_out() -> list[str]:
    return [
        json.loads(line)["text"]
        for name in ("heldout_en.jsonl", "heldout_es.jsonl", "long_messages.jsonl")
        for line in (HELD_OUT / name).read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(scope="module")
def vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(min_df=2, **VECTORIZER).fit([*held_out(), *ODD, *ODD])


@pytest.fixture(scope="module")
def ngrams(vectorizer) -> Ngrams:
    known = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
    return Ngrams(known, vectorizer.idf_)


def assert_same(ngrams: Ngrams, vectorizer: TfidfVectorizer, text: str) -> None:
    columns, weights = ngrams.weigh(text)
    expected = vectorizer.transform([text])
    expected.sort_indices()
    assert columns.tolist() == expected.indices.tolist()
    assert weights.dtype == expected.dtype
    np.testing.assert_allclose(weights, expected.data, rtol=1e-6, atol=0)


def test_held_out_messages_have_the_same_features(ngrams, vectorizer):
    for text in held_out():
        assert_same(ngrams, vectorizer, text)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_odd_texts_have_the_same_features(ngrams, vectorizer, text):
    assert_same(ngrams, vectorizer, text)


@given(st.text(max_size=80))
@settings(deadline=None, max_examples=100)
def test_any_text_has_the_same_features(ngrams, vectorizer, text):
    assert_same(ngrams, vectorizer, text)


def test_as_many_weights_as_ngrams():
    with pytest.raises(ValueError, match="2 n-grams but 1 weights"):
        Ngrams(["ab", "bc"], np.ones(1, dtype=np.float32))
