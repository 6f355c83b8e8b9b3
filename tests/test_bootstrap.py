"""Resampled counts are those of resampled rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score

from stance.bootstrap import DocumentCounts, count_by_document, interval, p_value, resample
from stance.errors import StanceError
from stance.metrics import count_rows, f1_of, macro_of

ROWS = np.random.default_rng(5)
N, N_DOCUMENTS = 300, 40
DOCUMENTS = ROWS.integers(0, N_DOCUMENTS, N)
Y_TRUE, Y_PRED = ROWS.random((2, N, 3)) < 0.3


def naive_rounds(rounds: int, seed: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Draw documents and list the rows of each round, a document drawn twice coming twice."""
    generator = np.random.default_rng(seed)
    return [
        np.concatenate([np.flatnonzero(d == DOCUMENTS) for d in generator.integers(0, N_DOCUMENTS, N_DOCUMENTS)])
        for _ in range(rounds)
    ]


def test_every_round_scores_as_its_rows_do_in_scikit_learn() -> None:
    counts = count_by_document(DOCUMENTS, count_rows(Y_TRUE, Y_PRED))
    (samples,) = resample([counts], N_DOCUMENTS, rounds=30, seed=9)
    held = np.array([True, True, True])
    for sample, rows in zip(samples, naive_rounds(30, 9), strict=True):
        assert f1_of(sample) == pytest.approx(f1_score(Y_TRUE[rows], Y_PRED[rows], average=None))
        micro, macro = (f1_score(Y_TRUE[rows], Y_PRED[rows], average=kind) for kind in ("micro", "macro"))
        assert float(f1_of(sample.sum(axis=0))) == pytest.approx(micro)
        assert float(macro_of(sample, held)) == pytest.approx(macro)


def test_groups_see_the_same_draws_whatever_documents_they_have() -> None:
    counts = count_by_document(DOCUMENTS, np.ones((N, 1)))
    some = DOCUMENTS < 7
    part = count_by_document(DOCUMENTS[some], np.ones((int(some.sum()), 1)))
    rest = count_by_document(DOCUMENTS[~some], np.ones((int((~some).sum()), 1)))
    whole, one, other = resample([counts, part, rest], N_DOCUMENTS, rounds=20, seed=1)
    assert np.array_equal(whole, one + other)


def test_many_documents_are_drawn_in_several_chunks_of_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = count_by_document(DOCUMENTS, count_rows(Y_TRUE, Y_PRED))
    (at_once,) = resample([counts], N_DOCUMENTS, rounds=25, seed=3)
    monkeypatch.setattr("stance.bootstrap._CHUNK_CELLS", 4 * N_DOCUMENTS)
    (in_chunks,) = resample([counts], N_DOCUMENTS, rounds=25, seed=3)
    assert np.array_equal(at_once, in_chunks)


def test_interval_is_near_the_exact_one_of_a_mean() -> None:
    values = ROWS.normal(size=400)
    counts = DocumentCounts(np.arange(400), np.stack([values, np.ones(400)], axis=1))
    (samples,) = resample([counts], 400, rounds=2000, seed=0)
    low, high = interval(samples[:, 0] / samples[:, 1])
    half = 1.96 * values.std() / math.sqrt(400)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_undefined_rounds_are_left_out() -> None:
    assert interval(np.array([np.nan, 1.0, 1.0])) == (1, 1)
    assert all(math.isnan(end) for end in interval(np.full(3, np.nan)))
    assert math.isnan(p_value(np.full(3, np.nan)))


@pytest.mark.parametrize(("below", "above", "p"), [(0, 99, 0.02), (99, 0, 0.02), (9, 90, 0.2), (50, 49, 1.0)])
def test_p_value_counts_the_other_side(below: int, above: int, p: float) -> None:
    assert p_value(np.array([-1.0] * below + [1.0] * above)) == pytest.approx(p)


def test_no_difference_has_a_p_value_of_one() -> None:
    assert p_value(np.zeros(50)) == 1


@pytest.mark.parametrize(
    ("rounds", "seed", "reason"), [(0, 0, "rounds of at least 1"), (10, -1, "a seed of at least 0")]
)
def test_draws_that_cannot_be_made_are_refused(rounds: int, seed: int, reason: str) -> None:
    counts = count_by_document(np.array([0, 1]), np.array([[1.0], [2.0]]))
    with pytest.raises(StanceError, match=f"expected {reason}"):
        resample([counts], 2, rounds=rounds, seed=seed)
