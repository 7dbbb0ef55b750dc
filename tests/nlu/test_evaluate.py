"""The measuring itself: figures of known answers, files with mistakes, and a whole run."""

import json

import pytest

from bot.nlu.evaluate import (
    OUT_OF_SCOPE,
    Answer,
    Example,
    calibration_error,
    confusions,
    cross_validate,
    evaluate_intents,
    read_examples,
    reliability,
    report,
)
from bot.reviewed import DataError

TRAIN = [
    Example("what does it cost", "cost"),
    Example("do you take my insurance", "cost"),
    Example("is there a copay", "cost"),
    Example("how much money is it", "cost"),
    Example("when are you open", "hours"),
    Example("what time do you close", "hours"),
    Example("are you open on sunday", "hours"),
    Example("opening hours", "hours"),
]
TEST = [Example("how much would I pay", "cost"), Example("are you open late", "hours")]


def answer(expected: str, *ranking: tuple[str, float]) -> Answer:
    return Answer(expected, ranking)


def measured(answers, oos=()):
    return report(
        "known", examples=4, answers=answers, oos=oos, ms_per_message=1.0, train_seconds=1.0
    )


def test_accuracy_and_top3_count_right_answers():
    result = measured(
        [
            answer("a", ("a", 0.9), ("b", 0.1)),
            answer("b", ("a", 0.6), ("b", 0.4)),
            answer("c", ("a", 0.4), ("b", 0.3), ("d", 0.2), ("c", 0.1)),
            answer("a", ("a", 1.0)),
        ]
    )
    assert result.accuracy == 0.5
    assert result.top3 == 0.75


def test_macro_f1_gives_every_intent_the_same_weight():
    answers = [answer("a", ("a", 1.0))] * 9 + [answer("b", ("a", 1.0))]
    assert measured(answers).macro_f1 == pytest.approx((18 / 19 + 0) / 2)


def test_out_of_scope_recall_rejects_at_most_one_in_twenty_known_texts():
    known = [answer("a", ("a", 1 - n / 100)) for n in range(100)]
    strange = [answer(OUT_OF_SCOPE, ("a", 0.02)), answer(OUT_OF_SCOPE, ("a", 0.5))]
    result = measured(known, strange)
    assert result.oos_recall == 0.5
    assert sum(a.strangeness > result.oos_threshold for a in known) <= 5


def test_a_model_with_an_out_of_scope_intent_is_asked_for_it():
    assert answer("a", ("a", 0.7), (OUT_OF_SCOPE, 0.3)).strangeness == 0.3
    assert answer("a", ("a", 0.7), ("b", 0.3)).strangeness == pytest.approx(0.3)
    assert answer("a", (OUT_OF_SCOPE, 0.8), ("a", 0.2)).strangeness == 0.8


def test_perfect_separation_has_an_auroc_of_one():
    result = measured([answer("a", ("a", 0.9))] * 3, [answer(OUT_OF_SCOPE, ("a", 0.2))])
    assert result.oos_auroc == 1


def test_without_out_of_scope_texts_there_is_no_such_figure():
    result = measured([answer("a", ("a", 0.9))])
    assert (result.oos_auroc, result.oos_recall, result.oos_threshold) == (None, None, None)
    assert "nan" not in result.render()


def test_reliability_puts_confidence_beside_accuracy():
    answers = [answer("a", ("a", 0.95)), answer("b", ("a", 0.91)), answer("a", ("a", 1.0))]
    [only] = reliability(answers)
    assert only.confidence == pytest.approx((0.95 + 0.91 + 1) / 3)
    assert only.accuracy == pytest.approx(2 / 3)
    assert only.answers == 3
    assert calibration_error(answers) == pytest.approx(abs(only.confidence - 2 / 3))


def test_confusions_are_counted_by_pair():
    wrong = answer("a", ("b", 0.9))
    assert confusions([wrong, answer("c", ("b", 0.9)), wrong, answer("a", ("a", 1.0))]) == [
        ("a", "b", 2),
        ("c", "b", 1),
    ]


def test_a_whole_run_trains_measures_and_renders():
    result = evaluate_intents(TRAIN, TEST, [Example("zebra pancakes", OUT_OF_SCOPE)])
    assert result.accuracy == 1
    assert result.examples == len(TRAIN)
    assert result.ms_per_message > 0
    assert result.memory_mb > 0
    assert "accuracy" in result.render()
    assert "100.0%" in result.render()


def test_cross_validation_answers_every_example_in_order_and_the_same_way_twice():
    answers = cross_validate(TRAIN, folds=2)
    assert [a.expected for a in answers] == [e.intent for e in TRAIN]
    assert answers == cross_validate(TRAIN, folds=2)


def test_nothing_to_test_is_a_mistake():
    with pytest.raises(ValueError, match="no test texts"):
        evaluate_intents(TRAIN, [])


def test_files_are_read_with_a_default_intent(tmp_path):
    path = tmp_path / "oos.jsonl"
    path.write_text(
        json.dumps({"text": "pizza"}) + "\n\n" + json.dumps({"text": "b", "intent": "x"})
    )
    assert read_examples(path, OUT_OF_SCOPE) == [Example("pizza", OUT_OF_SCOPE), Example("b", "x")]


def test_every_mistake_in_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "ok", "intent": "a"}\nnot json\n{"text": "b"}\n[1]\n{"text": 3}\n')
    with pytest.raises(DataError) as caught:
        read_examples(path)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 5]


def test_an_empty_file_is_a_mistake(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("\n")
    with pytest.raises(DataError, match="no texts"):
        read_examples(path)
