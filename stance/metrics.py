"""Numbers from gold and predicted label sets. numpy and scikit-learn only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from stance.labels import Label, Polarity, Stance, as_polarity
from stance.scoring import FloatArray

BoolArray = NDArray[np.bool_]
POLARITIES = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
"""Order of polarity classes in arrays of class numbers."""


def label_matrix(labels: Sequence[Label]) -> BoolArray:
    """Lay exact label sets out as ``(n, 3)``, columns as ``Stance``.

    Raises:
        ValueError: a label is a polarity, which does not fix the stances.
    """
    if any(isinstance(label, Polarity) for label in labels):
        raise ValueError("expected exact stances; got a polarity; score such pairs with polarity_classes")
    return np.array([[s in label for s in Stance] for label in labels], dtype=np.bool_).reshape(-1, len(Stance))


def micro_f1(y_true: BoolArray, y_pred: BoolArray) -> float:
    """F1 over all decisions ``(n, 3)`` together; 1.0 where nothing is there and nothing was found."""
    return float(f1_score(y_true.ravel(), y_pred.ravel(), zero_division=1.0))


def stance_f1(y_true: BoolArray, y_pred: BoolArray) -> FloatArray:
    """F1 per stance, ``(3,)``; 0.0 where a stance is neither in gold nor predicted."""
    scores = [f1_score(y_true[:, i], y_pred[:, i], zero_division=0.0) for i in range(len(Stance))]
    return np.asarray(scores, dtype=np.float32)


def tune_thresholds(probabilities: FloatArray, y_true: BoolArray) -> tuple[float, ...]:
    """Choose per stance the threshold with the best F1 on ``(n, 3)`` development data.

    Between two equally good thresholds the one nearer to 0.5 wins. A stance without gold keeps 0.5.
    """
    return tuple(_best_threshold(probabilities[:, i], y_true[:, i]) for i in range(len(Stance)))


def _best_threshold(scores: FloatArray, y_true: BoolArray) -> float:
    if not y_true.any():
        return 0.5
    grid = np.linspace(0.05, 0.95, 91)
    predicted = scores[:, None] >= grid
    hits = (predicted & y_true[:, None]).sum(axis=0)
    f1 = 2 * hits / (predicted.sum(axis=0) + y_true.sum())
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    return round(float(grid[best[np.abs(grid[best] - 0.5).argmin()]]), 4)


def positive_probability(probabilities: FloatArray) -> FloatArray:
    """Probability of support or cooperate, taken as independent: ``1 - (1 - p_support)(1 - p_cooperate)``."""
    support, _, cooperate = probabilities.T
    return np.asarray(1 - (1 - support) * (1 - cooperate), dtype=np.float32)


def polarity_classes(probabilities: FloatArray) -> NDArray[np.int64]:
    """Predict classes of ``POLARITIES`` from ``(n, 3)``: the likelier side if it reaches 0.5, else neutral."""
    sides = np.stack([probabilities[:, 1], positive_probability(probabilities)], axis=1)
    best = sides.argmax(axis=1)
    return np.where(sides.max(axis=1) < 0.5, 1, np.where(best == 0, 0, 2))


def polarity_numbers(labels: Sequence[Label]) -> NDArray[np.int64]:
    """Number gold labels as ``POLARITIES`` has them."""
    return np.array([POLARITIES.index(as_polarity(label)) for label in labels], dtype=np.int64)


def directed_classes(forward: FloatArray, backward: FloatArray) -> NDArray[np.int64]:
    """Predict the five classes of DSE (Park et al., Findings of ACL 2021) from both directions' ``(n, 3)``.

    0 neutral, 1 positive p->q, 2 positive q->p, 3 negative p->q, 4 negative q->p: the likeliest one if it reaches 0.5.
    """
    scores = np.stack(
        [positive_probability(forward), positive_probability(backward), forward[:, 1], backward[:, 1]], axis=1
    )
    return np.where(scores.max(axis=1) < 0.5, 0, scores.argmax(axis=1) + 1)


def macro_f1(y_true: NDArray[np.int64], y_pred: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur in gold or prediction."""
    return float(f1_score(y_true, y_pred, average="macro", zero_division=0.0))
