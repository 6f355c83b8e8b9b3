from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import f1_score, precision_recall_fscore_support

from stance.labels import Label, Polarity, Stance
from stance.metrics import (
    POLARITIES,
    calibrated_thresholds,
    confusion_matrix,
    count_rows,
    directed_classes,
    f1_of,
    held_classes,
    label_matrix,
    macro_f1,
    macro_of,
    micro_f1,
    one_hot,
    polarity_chances,
    polarity_classes,
    polarity_numbers,
    positive_probability,
    precision_of,
    recall_of,
    stance_f1,
    tune_thresholds,
)
from stance.scoring import FloatArray

SUPPORT, OPPOSE, COOPERATE = Stance
Y_TRUE = np.array([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=np.bool_)
Y_PRED = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0]], dtype=np.bool_)
ROWS = st.lists(st.tuples(*[st.booleans()] * 6), min_size=1, max_size=30)


def floats(*rows: tuple[float, ...]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def test_label_matrix_has_a_column_per_stance() -> None:
    labels: list[Label] = [frozenset({COOPERATE, SUPPORT}), frozenset(), frozenset({OPPOSE})]
    assert label_matrix(labels).tolist() == [[True, False, True], [False, False, False], [False, True, False]]
    assert label_matrix([]).shape == (0, 3)


def test_label_matrix_refuses_a_polarity() -> None:
    with pytest.raises(ValueError, match="expected exact stances; got a polarity"):
        label_matrix([frozenset(), Polarity.NEUTRAL])


def test_f1_by_hand() -> None:
    # found 3 of 4, and 2 of the 5 given are wrong: F1 = 2 * 3 / (4 + 5)
    assert micro_f1(Y_TRUE, Y_PRED) == pytest.approx(6 / 9)
    assert stance_f1(Y_TRUE, Y_PRED).tolist() == pytest.approx([2 / 4, 1, 2 / 3])


def test_f1_of_nothing() -> None:
    nothing = np.zeros((3, 3), dtype=np.bool_)
    assert micro_f1(nothing, nothing) == 1
    assert micro_f1(nothing, ~nothing) == 0
    assert stance_f1(nothing, nothing).tolist() == [0, 0, 0]


@given(ROWS)
@settings(max_examples=40)
def test_f1_agrees_with_the_multilabel_scores_of_scikit_learn(rows: list[tuple[bool, ...]]) -> None:
    both = np.array(rows, dtype=np.bool_)
    y_true, y_pred = both[:, :3], both[:, 3:]
    assert micro_f1(y_true, y_pred) == pytest.approx(f1_score(y_true, y_pred, average="micro", zero_division=1.0))
    expected = f1_score(y_true, y_pred, average=None, zero_division=0.0)
    assert stance_f1(y_true, y_pred) == pytest.approx(expected)


def test_threshold_is_the_best_one_and_the_nearest_to_one_half_of_equals() -> None:
    probabilities = floats((0.9, 0.30, 0.2), (0.8, 0.25, 0.2), (0.1, 0.20, 0.2))
    y_true = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]], dtype=np.bool_)
    assert tune_thresholds(probabilities, y_true) == pytest.approx((0.5, 0.25, 0.5))


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans()), min_size=1, max_size=20))
def test_no_threshold_of_the_grid_beats_the_chosen_one(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([[p / 100] * 3 for p, _ in rows], dtype=np.float32)
    y_true = np.array([[y] * 3 for _, y in rows], dtype=np.bool_)
    gold = sum(y for _, y in rows)

    def f1(threshold: float) -> float:
        found = [y for p, (_, y) in zip(scores[:, 0].tolist(), rows, strict=True) if p >= threshold]
        return 2 * sum(found) / (len(found) + gold)

    chosen = tune_thresholds(scores, y_true)[0]
    if gold:
        assert f1(chosen) == pytest.approx(max(f1(n / 100) for n in range(5, 96)))
    else:
        assert chosen == 0.5


def test_calibrated_threshold_is_half_of_the_best_f1() -> None:
    probabilities = floats((0.9, 0.30, 0.2), (0.8, 0.25, 0.2), (0.1, 0.28, 0.2), (0.1, 0.1, 0.2))
    y_true = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]], dtype=np.bool_)
    # Support: all four, three of them right, 2 * 3 / 7; two, both right, 2 * 2 / 5. Oppose: three, two right.
    assert calibrated_thresholds(probabilities, y_true) == pytest.approx((3 / 7, 0.4, 0.5), abs=1e-4)


def test_calibrated_threshold_has_the_best_f1_of_any_on_a_large_sample() -> None:
    draws = np.random.default_rng(5)
    probabilities = draws.beta(0.4, 1.6, (60_000, 3)).astype(np.float32)
    y_true = draws.random(probabilities.shape) < probabilities  # calibrated by the way they are drawn
    calibrated, tuned = (f(probabilities, y_true) for f in (calibrated_thresholds, tune_thresholds))
    assert calibrated == pytest.approx(tuned, abs=0.05)
    assert stance_f1(y_true, probabilities >= calibrated) == pytest.approx(
        stance_f1(y_true, probabilities >= tuned), abs=3e-3
    )


def test_positive_is_support_or_cooperate() -> None:
    assert positive_probability(floats((0.5, 0.9, 0.5), (0, 1, 0), (1, 0, 0.3))) == pytest.approx([0.75, 0, 1])


def test_polarity_is_the_likelier_side_from_its_threshold_up() -> None:
    probabilities = floats(
        (0.2, 0.34, 0.1),  # neither reaches 0.35
        (0.4, 0.45, 0.4),  # 1 - 0.6 * 0.6 = 0.64 positive
        (0.9, 0.95, 0.0),
        (0.0, 0.35, 0.0),
        (0.6, 0.10, 0.0),
    )
    assert [POLARITIES[i] for i in polarity_classes(probabilities)] == [
        "neutral",
        "positive",
        "negative",
        "negative",
        "positive",
    ]


def test_gold_is_numbered_as_the_predicted_polarities() -> None:
    gold: list[Label] = [*Polarity, frozenset({COOPERATE}), frozenset({OPPOSE, SUPPORT}), frozenset()]
    assert [POLARITIES[i] for i in polarity_numbers(gold)] == [
        "positive",
        "neutral",
        "negative",
        "positive",
        "negative",
        "neutral",
    ]


def test_directed_classes_are_those_of_the_paper() -> None:
    sure, none = (0.9, 0.0, 0.0), (0.0, 0.0, 0.0)
    against = (0.0, 0.8, 0.0)
    forward = floats(none, sure, none, against, none, sure, (0.3, 0.3, 0.0))
    backward = floats(none, none, sure, none, against, against, none)
    assert directed_classes(forward, backward).tolist() == [0, 1, 2, 3, 4, 1, 0]


def test_macro_f1_by_hand() -> None:
    y_true: NDArray[np.int64] = np.array([0, 0, 1, 2])
    y_pred: NDArray[np.int64] = np.array([0, 1, 1, 1])
    assert macro_f1(y_true, y_pred) == pytest.approx((2 / 3 + 2 / 4 + 0) / 3)


def test_macro_f1_is_over_the_classes_of_gold_only() -> None:
    # class 1 is predicted once and never gold: it costs class 0 a hit, and no more
    y_true, y_pred = np.array([0, 0, 2]), np.array([0, 1, 2])
    assert macro_f1(y_true, y_pred) == pytest.approx((2 / 3 + 1) / 2)
    assert f1_score(y_true, y_pred, average="macro", labels=[0, 2]) == pytest.approx(macro_f1(y_true, y_pred))
    assert macro_f1(y_true, np.array([0, 0, 0])) == pytest.approx((4 / 5 + 0) / 2)
    assert np.isnan(macro_f1(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))


@given(ROWS)
@settings(max_examples=40)
def test_scores_from_counts_are_those_of_scikit_learn(rows: list[tuple[bool, ...]]) -> None:
    both = np.array(rows, dtype=np.bool_)
    y_true, y_pred = both[:, :3], both[:, 3:]
    counts = count_rows(y_true, y_pred).sum(axis=0)
    expected = precision_recall_fscore_support(y_true, y_pred, average=None, zero_division=np.nan)
    for measured, value in zip((precision_of(counts), recall_of(counts)), expected[:2], strict=True):
        assert measured == pytest.approx(value, nan_ok=True)
    assert counts[:, 1].tolist() == expected[3].tolist()
    held = held_classes(y_true)
    if held.any():
        kept = [int(i) for i in np.flatnonzero(held)]
        macro = f1_score(y_true, y_pred, average="macro", labels=kept, zero_division=0.0)
        assert float(macro_of(counts, held)) == pytest.approx(macro)
    assert f1_of(counts[~held & ~y_pred.any(axis=0)]) == pytest.approx(np.nan, nan_ok=True)


def test_confusion_of_several_labels_by_hand() -> None:
    y_true = np.array([[1, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=np.bool_)
    y_pred = np.array([[0, 1, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 1]], dtype=np.bool_)
    assert confusion_matrix(y_true, y_pred).tolist() == [
        [0, 1, 1, 1],  # support taken for oppose, for cooperate, missed
        [0, 1, 1, 0],  # oppose found, taken for cooperate
        [0, 0, 1, 0],  # cooperate found
        [1, 0, 1, 1],  # nothing there: support, cooperate, rightly nothing
    ]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), min_size=1, max_size=40))
def test_confusion_of_single_labels_is_the_usual_one(rows: list[tuple[int, int]]) -> None:
    y_true, y_pred = (np.array(column) for column in zip(*rows, strict=True))
    measured = confusion_matrix(one_hot(y_true, 4), one_hot(y_pred, 4))
    expected = sklearn_confusion(y_true, np.where(y_pred < 0, 4, y_pred), labels=range(5))
    assert measured.tolist() == expected.tolist()


def test_chances_of_polarities() -> None:
    negative, neutral, positive = polarity_chances(floats((0.5, 0.2, 0.5)))[0].tolist()
    assert (negative, neutral, positive) == pytest.approx((0.2, 0.8 * 0.25, 0.75))
