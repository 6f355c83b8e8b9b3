"""Numbers from gold and predicted label sets. numpy only; the tests hold them against scikit-learn.

Every score comes from *counts*: ``(..., 3)`` arrays of hits, gold and predicted labels. Counts add up, so that
averages, slices and bootstrap rounds are sums of the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.labels import Label, Polarity, Stance, as_polarity
from stance.scoring import FloatArray

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
Numbers = NDArray[np.float64]
POLARITIES = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
"""Order of polarity classes in arrays of class numbers."""
SIDE = 0.35
"""Calibrated probability at which a side is no longer neutral: half of the F1 of about 0.7 that systems reach on such
labels, which is where F1 is best (Lipton, Elkan and Naryanaswamy, ECML 2014)."""


def label_matrix(labels: Sequence[Label]) -> BoolArray:
    """Lay exact label sets out as ``(n, 3)``, columns as ``Stance``.

    Raises:
        ValueError: a label is a polarity, which does not fix the stances.
    """
    if any(isinstance(label, Polarity) for label in labels):
        raise ValueError("expected exact stances; got a polarity; score such pairs with polarity_classes")
    order = tuple(Stance)  # iterating over the enumeration itself is slow
    return np.array([[s in label for s in order] for label in labels], dtype=np.bool_).reshape(-1, len(order))


def one_hot(numbers: IntArray, n_classes: int) -> BoolArray:
    """Lay class numbers out as ``(n, n_classes)``; a number below 0 is a row without a class.

    >>> one_hot(np.array([1, -1]), 2).tolist()
    [[False, True], [False, False]]
    """
    return np.asarray(numbers[:, None] == np.arange(n_classes), dtype=np.bool_)


def count_rows(y_true: BoolArray, y_pred: BoolArray) -> Numbers:
    """Count hits, gold and predicted labels of every row and class, ``(n, n_classes, 3)``."""
    return np.stack([y_true & y_pred, y_true, y_pred], axis=-1).astype(np.float64)


def precision_of(counts: Numbers) -> Numbers:
    """Precision from counts ``(..., 3)``; not a number where nothing is predicted."""
    return _ratio(counts[..., 0], counts[..., 2])


def recall_of(counts: Numbers) -> Numbers:
    """Recall from counts ``(..., 3)``; not a number where gold has nothing."""
    return _ratio(counts[..., 0], counts[..., 1])


def f1_of(counts: Numbers) -> Numbers:
    """F1 from counts ``(..., 3)``; not a number where a class is neither in gold nor predicted.

    >>> f1_of(np.array([[3.0, 4.0, 5.0], [0.0, 2.0, 0.0]])).round(3).tolist()
    [0.667, 0.0]
    """
    return _ratio(2 * counts[..., 0], counts[..., 1] + counts[..., 2])


def held_classes(y_true: BoolArray) -> BoolArray:
    """Tell which classes gold ``(n, n_classes)`` holds, ``(n_classes,)``."""
    return np.asarray(y_true.any(axis=0), dtype=np.bool_)


def macro_of(counts: Numbers, held: BoolArray) -> Numbers:
    """Mean F1 over the classes ``held`` ``(n_classes,)`` from counts ``(..., n_classes, 3)``.

    A class that a resampled round neither holds nor predicts is left out of that round.
    """
    scores = f1_of(counts[..., held, :])
    return _ratio(np.nansum(scores, axis=-1), np.isfinite(scores).sum(axis=-1))


def _ratio(part: Numbers, whole: NDArray[np.generic]) -> Numbers:
    divisor = np.asarray(whole, dtype=np.float64)
    ratio: Numbers = np.divide(part, divisor, out=np.full(np.shape(part), np.nan), where=divisor > 0)
    return ratio


def micro_f1(y_true: BoolArray, y_pred: BoolArray) -> float:
    """F1 over all decisions ``(n, 3)`` together; 1.0 where nothing is there and nothing was found."""
    score = float(f1_of(count_rows(y_true, y_pred).sum(axis=(0, 1))))
    return 1.0 if np.isnan(score) else score


def stance_f1(y_true: BoolArray, y_pred: BoolArray) -> FloatArray:
    """F1 per stance, ``(3,)``; 0.0 where a stance is neither in gold nor predicted."""
    return np.nan_to_num(f1_of(count_rows(y_true, y_pred).sum(axis=0))).astype(np.float32)


def macro_f1(y_true: IntArray, y_pred: IntArray) -> float:
    """Mean F1 over the classes that gold holds; a class that is only predicted costs the others their hits.

    >>> macro_f1(np.array([0, 0, 2]), np.array([0, 1, 2]))
    0.8333333333333333
    """
    n_classes = int(max(y_true.max(initial=-1), y_pred.max(initial=-1))) + 1
    gold = one_hot(y_true, n_classes)
    return float(macro_of(count_rows(gold, one_hot(y_pred, n_classes)).sum(axis=0), held_classes(gold)))


def confusion_matrix(y_true: BoolArray, y_pred: BoolArray) -> IntArray:
    """Count gold (rows) against predicted labels (columns), ``(n_classes + 1, n_classes + 1)``; the last is "none".

    A label found stands on the diagonal. A missed one is counted under every wrong label of its pair, or under none if
    there is no wrong one; a wrong label of a pair without a missed one is counted beside none. With one label a pair
    this is the usual matrix; for several see Heydarian et al., "MLCM: Multi-Label Confusion Matrix", 2022.
    """
    missed, wrong = y_true & ~y_pred, y_pred & ~y_true
    missed_or_none = np.column_stack([missed, ~missed.any(axis=1)]).astype(np.float64)
    wrong_or_none = np.column_stack([wrong, ~wrong.any(axis=1)]).astype(np.float64)
    matrix = missed_or_none.T @ wrong_or_none
    matrix[-1, -1] = (~y_true.any(axis=1) & ~y_pred.any(axis=1)).sum()
    matrix[np.arange(y_true.shape[1]), np.arange(y_true.shape[1])] += (y_true & y_pred).sum(axis=0)
    return matrix.round().astype(np.int64)


def tune_thresholds(probabilities: FloatArray, y_true: BoolArray) -> tuple[float, ...]:
    """Choose per stance the threshold with the best F1 on ``(n, 3)`` development data.

    Between two equally good thresholds the one nearer to 0.5 wins. A stance without gold keeps 0.5.
    """
    return tuple(_best_threshold(probabilities[:, i], y_true[:, i]) for i in range(len(Stance)))


def calibrated_thresholds(probabilities: FloatArray, y_true: BoolArray) -> tuple[float, ...]:
    """Choose per stance half of the best F1 that calibrated probabilities ``(n, 3)`` reach: what maximises F1.

    So Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure" (ECML PKDD 2014).
    The best F1 moves far less from sample to sample than the place where it is reached, which ``tune_thresholds``
    takes. A stance without gold gets 0.5.
    """
    best = [
        _f1_curve(probabilities[:, i], y_true[:, i]).max() if y_true[:, i].any() else 1.0 for i in range(len(Stance))
    ]
    return tuple(round(float(f1) / 2, 4) for f1 in best)


_GRID = np.linspace(0.05, 0.95, 91)


def _f1_curve(scores: FloatArray, y_true: BoolArray) -> NDArray[np.float64]:
    """F1 at every threshold of the grid, where there is gold."""
    predicted = scores[:, None] >= _GRID
    hits = (predicted & y_true[:, None]).sum(axis=0)
    return np.asarray(2 * hits / (predicted.sum(axis=0) + y_true.sum()))


def _best_threshold(scores: FloatArray, y_true: BoolArray) -> float:
    if not y_true.any():
        return 0.5
    f1 = _f1_curve(scores, y_true)
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return round(float(_GRID[best[np.abs(_GRID[best] - 0.5).argmin()]]), 4)


def positive_probability(probabilities: FloatArray) -> FloatArray:
    """Probability of support or cooperate, taken as independent: ``1 - (1 - p_support)(1 - p_cooperate)``."""
    support, _, cooperate = probabilities.T
    return np.asarray(1 - (1 - support) * (1 - cooperate), dtype=np.float32)


def polarity_chances(probabilities: FloatArray) -> FloatArray:
    """Probability of each polarity, ``(n, 3)``, columns as ``POLARITIES``; neutral is neither of two independent sides.

    Both sides can hold at once, so rows need not sum to 1.
    """
    negative, positive = probabilities[:, 1], positive_probability(probabilities)
    return np.stack([negative, (1 - negative) * (1 - positive), positive], axis=1)


def polarity_classes(probabilities: FloatArray) -> IntArray:
    """Predict classes of ``POLARITIES`` from ``(n, 3)``: the likelier side if it reaches ``SIDE``, else neutral."""
    sides = np.stack([probabilities[:, 1], positive_probability(probabilities)], axis=1)
    return np.where(sides.max(axis=1) < SIDE, 1, np.where(sides.argmax(axis=1) == 0, 0, 2))


def polarity_numbers(labels: Sequence[Label]) -> IntArray:
    """Number gold labels as ``POLARITIES`` has them."""
    return np.array([POLARITIES.index(as_polarity(label)) for label in labels], dtype=np.int64)


def directed_classes(forward: FloatArray, backward: FloatArray) -> IntArray:
    """Predict the five classes of DSE (Park et al., Findings of ACL 2021) from both directions' ``(n, 3)``.

    0 neutral, 1 positive p->q, 2 positive q->p, 3 negative p->q, 4 negative q->p: the likeliest that reaches ``SIDE``.
    """
    scores = np.stack(
        [positive_probability(forward), positive_probability(backward), forward[:, 1], backward[:, 1]], axis=1
    )
    return np.where(scores.max(axis=1) < SIDE, 0, scores.argmax(axis=1) + 1)
