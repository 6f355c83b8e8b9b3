"""From logits to decisions: a calibration and a threshold per stance, and how right they are on documents held back.

Probabilities come from a logistic map of the logits per stance (Platt, "Probabilistic outputs for support vector
machines", 1999), thresholds from what F1 these reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from stance.folder import Calibration
from stance.labels import Stance
from stance.metrics import BoolArray, calibrated_thresholds
from stance.scoring import FloatArray, calibrate

FOLDS = 2
"""What one fold of documents is decided by is fitted to the others."""


def fit_decisions(logits: FloatArray, y_true: BoolArray) -> tuple[Calibration, tuple[float, ...]]:
    """Fit calibration and thresholds per stance to logits and gold ``(n, 3)``."""
    calibration = fit_platt(logits, y_true)
    return calibration, calibrated_thresholds(calibrate(logits, calibration), y_true)


def decide_held_back(logits: FloatArray, y_true: BoolArray, documents: Sequence[str]) -> tuple[FloatArray, BoolArray]:
    """Give probabilities and decisions ``(n, 3)``, each fold of documents by what is fitted to the other folds."""
    fold = fold_numbers(documents)
    probabilities, decided = np.zeros_like(logits), np.zeros_like(y_true)
    for k in range(FOLDS):
        calibration, thresholds = fit_decisions(logits[fold != k], y_true[fold != k])
        probabilities[fold == k] = calibrate(logits[fold == k], calibration)
        decided[fold == k] = probabilities[fold == k] >= np.asarray(thresholds)
    return probabilities, decided


def fold_numbers(documents: Sequence[str]) -> NDArray[np.int64]:
    """Deal documents out to ``FOLDS`` folds, in the order of their names."""
    order = {d: i % FOLDS for i, d in enumerate(sorted(set(documents)))}
    return np.array([order[d] for d in documents], dtype=np.int64)


def fit_platt(logits: FloatArray, y_true: BoolArray) -> Calibration:
    """Fit a rising logistic map per stance to logits and gold ``(n, 3)``; a stance that gives none keeps its own."""
    maps = [_logistic(logits[:, i], y_true[:, i]) for i in range(len(Stance))]
    return Calibration(tuple(slope for slope, _ in maps), tuple(intercept for _, intercept in maps))


def _logistic(logits: FloatArray, y_true: BoolArray) -> tuple[float, float]:
    if y_true.all() or not y_true.any():
        return 1.0, 0.0
    model = LogisticRegression(C=1e6).fit(logits[:, None].astype(np.float64), y_true)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return (round(slope, 4), round(intercept, 4)) if slope > 0 else (1.0, 0.0)
