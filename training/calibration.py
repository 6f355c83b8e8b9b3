"""Calibration and thresholds of a finished network, from complete development excerpts.

Probabilities come from a logistic map of the logits per stance (Platt, "Probabilistic outputs for support vector
machines", 1999), one for directed pairs and one for holder ANY; thresholds are those of the best F1 on them.
``python -m training.calibration MODEL_DIR --corpora DIR`` fits a finished folder anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from stance.excerpts import Excerpt
from stance.folder import Calibration, ModelSettings, write_settings
from stance.labels import Stance
from stance.loading import load_scorer
from stance.metrics import BoolArray, tune_thresholds
from stance.reliability import measure_reliability
from stance.scoring import FloatArray, PairScorer, calibrate
from training.behaviour import load_cases
from training.card import write_card
from training.command import one_line_errors
from training.data import add_development_options, read_development
from training.development import EXACT_KINDS, FOLDS, evaluate_development, fold_numbers, list_exact
from training.record import read_record, rounded, write_record


def fit_settings(
    scorer: PairScorer, development: Mapping[str, Sequence[Excerpt]]
) -> tuple[ModelSettings, dict[str, float]]:
    """Fit calibration and thresholds to the complete excerpts of all development splits together.

    Returns the scorer's settings with both, and the expected calibration error of each kind of pair where every fold
    of documents is mapped as the other folds say. Without complete excerpts the settings stay as they are.
    """
    complete = [e for excerpts in development.values() for e in excerpts if e.complete]
    fitted: dict[str, tuple[Calibration, tuple[float, ...]]] = {}
    figures: dict[str, float] = {}
    for kind in EXACT_KINDS:
        pairs, y_true, documents = list_exact(complete, kind)
        if not pairs:
            return scorer.settings, {}
        logits = scorer.logits(pairs)[0]
        calibration = fit_platt(logits, y_true)
        fitted[kind] = calibration, tune_thresholds(calibrate(logits, calibration), y_true)
        held_back = _cross_fitted(logits, y_true, documents)
        figures[f"calibration/{kind}.ece"] = measure_reliability(kind, held_back.ravel(), y_true.ravel()).ece
    (directed, thresholds), (anybody, any_thresholds) = fitted["pairs"], fitted["targets"]
    settings = replace(
        scorer.settings,
        calibration=directed,
        any_calibration=anybody,
        thresholds=thresholds,
        any_thresholds=any_thresholds,
    )
    return settings, figures


def settle(scorer: PairScorer, development: Mapping[str, Sequence[Excerpt]]) -> dict[str, float]:
    """Give a scorer its fitted settings and score it with them, as it will be used: the figures of a model's record."""
    scorer.settings, figures = fit_settings(scorer, development)
    return {**evaluate_development(scorer, development).scores, **figures}


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


def _cross_fitted(logits: FloatArray, y_true: BoolArray, documents: Sequence[str]) -> FloatArray:
    fold = fold_numbers(documents)
    probabilities = np.zeros_like(logits)
    for k in range(FOLDS):
        probabilities[fold == k] = calibrate(logits[fold == k], fit_platt(logits[fold != k], y_true[fold != k]))
    return probabilities


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.calibration", description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    development, record = read_development(options), read_record(options.model)
    scorer = load_scorer(options.model, backend="torch", device="cpu")
    scores = settle(scorer, development)
    write_settings(scorer.settings, options.model)
    write_record({**record, "scores": rounded(scores)}, options.model)
    write_card(options.model, development, load_cases())
    return 0


if __name__ == "__main__":
    sys.exit(main())
