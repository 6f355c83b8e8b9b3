from __future__ import annotations

import math

import numpy as np
import pytest

from stance.resampling import Counts, count_by_document, divide, interval, resample


def share(counts: Counts) -> Counts:
    return divide(counts[..., 0], counts[..., 1])


def test_rows_are_added_up_by_document_in_order_of_appearance() -> None:
    rows = np.arange(8.0).reshape(4, 2)
    assert count_by_document(["b", "a", "b", "c"], rows).tolist() == [[4, 6], [2, 3], [6, 7]]
    assert count_by_document([], np.zeros((0, 3, 3))).shape == (0, 3, 3)


def test_every_resample_holds_as_many_documents_as_there_are() -> None:
    counts = np.array([[1.0, 5.0], [1.0, 0.0], [1.0, 2.0]])
    sums = resample(counts, n_resamples=200)
    assert sums.shape == (200, 2)
    assert (sums[:, 0] == 3).all()
    assert set(sums[:, 1].tolist()) <= {5.0 * a + 2.0 * b for a in range(4) for b in range(4)}


def test_one_seed_one_interval() -> None:
    counts = np.array([[i % 3, 3.0] for i in range(20)])
    assert interval(counts, share, seed=4) == interval(counts, share, seed=4)
    assert interval(counts, share, seed=4) != interval(counts, share, seed=5)


def test_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    draws = np.random.default_rng(0)
    counts = np.stack([(draws.random(400) < 0.3).astype(float), np.ones(400)], axis=1)
    low, high = interval(counts, share, n_resamples=4000)
    mean = counts[:, 0].mean()
    error = math.sqrt(mean * (1 - mean) / 400)
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.006)


def test_documents_that_hang_together_widen_the_interval() -> None:
    alone = np.array([[i % 2, 1.0] for i in range(100)])
    together = count_by_document([str(i % 10 // 5 * 5 + i % 2 * 10 + i // 50) for i in range(100)], alone)
    wide, narrow = interval(together, share), interval(alone, share)
    assert wide.high - wide.low > narrow.high - narrow.low


def test_figure_that_is_never_defined_has_no_interval() -> None:
    assert all(math.isnan(end) for end in interval(np.zeros((3, 2)), share))
    assert all(math.isnan(end) for end in interval(np.zeros((0, 2)), share))


def test_many_documents_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = np.ones((50, 1))
    monkeypatch.setattr("stance.resampling._DRAWS_AT_ONCE", 120)
    assert resample(counts, n_resamples=7).tolist() == [[50.0]] * 7
