from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from stance.reliability import BINS, COVERAGES, measure_reliability, measure_risk

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_expected_calibration_error_by_hand() -> None:
    # two bins: 0.10 and 0.12 with one of two true; 0.95, 0.97, 0.99, 1.0 with three of four true
    scores = np.array([0.10, 0.12, 0.95, 0.97, 0.99, 1.0])
    truth = np.array([True, False, True, True, True, False])
    measured = measure_reliability("x", scores, truth)
    assert measured.ece == pytest.approx(2 / 6 * abs(0.11 - 0.5) + 4 / 6 * abs(0.9775 - 0.75))
    assert [b.n for b in measured.bins] == [2, 4]
    assert [b.mean for b in measured.bins] == pytest.approx([0.11, 0.9775])
    assert [b.share for b in measured.bins] == [0.5, 0.75]
    assert [(b.lower, b.upper) for b in measured.bins] == [(1 / BINS, 2 / BINS), (14 / BINS, 1)]


@given(PAIRS)
def test_brier_is_that_of_scikit_learn_and_bins_hold_every_pair(pairs: list[tuple[float, bool]]) -> None:
    scores, truth = np.array([p for p, _ in pairs]), np.array([y for _, y in pairs])
    measured = measure_reliability("x", scores, truth)
    assert measured.brier == pytest.approx(brier_score_loss(truth, scores, pos_label=True), abs=1e-9)
    assert sum(b.n for b in measured.bins) == measured.n == len(pairs)
    for b in measured.bins:
        inside = (scores >= b.lower - 1e-9) & (scores <= b.upper + 1e-9)
        assert b.lower - 1e-9 <= b.mean <= b.upper + 1e-9
        assert inside.sum() >= b.n
    assert 0 <= measured.ece <= 1


def test_risk_and_coverage_by_hand() -> None:
    confidence = np.array([0.5, 0.9, 0.8, 0.7])
    correct = np.array([False, True, False, True])
    # from sure to unsure: right, wrong, right, wrong
    measured = measure_risk(confidence, correct)
    assert measured.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert [p.coverage for p in measured.points] == [*COVERAGES]
    whole, half, least = (measured.points[COVERAGES.index(c)] for c in (1.0, 0.5, 0.1))
    assert (whole.n, whole.risk, whole.confidence) == (4, 0.5, 0.5)
    assert (half.n, half.risk, half.confidence) == (2, 0.5, 0.8)
    assert (least.n, least.risk, least.confidence) == (1, 0, 0.9)


@given(st.permutations([True, True, False, True, False, False]))
def test_equally_sure_pairs_carry_their_mean_error_in_any_order(correct: list[bool]) -> None:
    measured = measure_risk(np.full(6, 0.7), np.array(correct))
    assert [p.risk for p in measured.points] == pytest.approx([0.5] * len(COVERAGES))
    assert measured.area == pytest.approx(0.5)


def test_nothing_measured_is_undefined() -> None:
    nothing, no_truth = np.zeros(0), np.zeros(0, dtype=np.bool_)
    assert math.isnan(measure_reliability("x", nothing, no_truth).ece)
    assert math.isnan(measure_risk(nothing, no_truth).area)
