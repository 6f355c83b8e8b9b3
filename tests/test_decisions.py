"""Calibration, thresholds and decisions on documents held back."""

from __future__ import annotations

import numpy as np
import pytest

from stance.folder import Calibration
from stance.metrics import calibrated_thresholds
from stance.scoring import calibrate
from training.decisions import decide_held_back, fit_decisions, fit_platt, fold_numbers

DRAWS = np.random.default_rng(8)
LOGITS = DRAWS.normal(-1.0, 2.0, (4000, 3)).astype(np.float32)
# True chances are a logistic map of the logits, another one per stance.
SLOPES, INTERCEPTS = (0.5, 1.0, 2.0), (0.3, -1.0, 0.0)
GOLD = DRAWS.random(LOGITS.shape) < calibrate(LOGITS, Calibration(SLOPES, INTERCEPTS))
DOCUMENTS = [f"d{i // 8:04d}" for i in range(len(LOGITS))]


def test_platt_finds_the_map_that_gold_was_drawn_by() -> None:
    fitted = fit_platt(LOGITS, GOLD)
    assert fitted.slope == pytest.approx(SLOPES, rel=0.15)
    assert fitted.intercept == pytest.approx(INTERCEPTS, abs=0.2)


@pytest.mark.parametrize("gold", [np.zeros((6, 3), dtype=np.bool_), np.ones((6, 3), dtype=np.bool_)])
def test_stance_without_both_answers_keeps_its_own_probabilities(gold: np.ndarray) -> None:
    assert fit_platt(LOGITS[:6], gold) == Calibration()


def test_map_that_would_fall_is_not_taken() -> None:
    fitted = fit_platt(-LOGITS, GOLD)
    assert fitted.slope == (1.0, 1.0, 1.0)


def test_thresholds_are_those_of_the_calibrated_probabilities() -> None:
    calibration, thresholds = fit_decisions(LOGITS, GOLD)
    assert calibration == fit_platt(LOGITS, GOLD)
    assert thresholds == calibrated_thresholds(calibrate(LOGITS, calibration), GOLD)


def test_folds_keep_documents_whole_and_have_as_many() -> None:
    folds = fold_numbers(DOCUMENTS)
    assert all(len(set(folds[i : i + 8])) == 1 for i in range(0, len(folds), 8))
    assert np.bincount(folds).tolist() == [2000, 2000]


def test_document_has_no_part_in_what_decides_it() -> None:
    fold = fold_numbers(DOCUMENTS)
    probabilities, decided = decide_held_back(LOGITS, GOLD, DOCUMENTS)
    other_gold = np.where((fold == 0)[:, None], ~GOLD, GOLD)  # the first fold's gold turned round
    again, decided_again = decide_held_back(LOGITS, other_gold, DOCUMENTS)
    assert np.array_equal(probabilities[fold == 0], again[fold == 0])
    assert np.array_equal(decided[fold == 0], decided_again[fold == 0])
    assert not np.array_equal(probabilities[fold == 1], again[fold == 1])
    calibration, thresholds = fit_decisions(LOGITS[fold == 1], GOLD[fold == 1])
    assert np.array_equal(probabilities[fold == 0], calibrate(LOGITS[fold == 0], calibration))
    assert np.array_equal(decided[fold == 0], probabilities[fold == 0] >= thresholds)
