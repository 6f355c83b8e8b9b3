"""Whether probabilities mean what they say, and what abstaining on the unsure ones buys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.metrics import BoolArray

BINS = 15
"""Bins of equal width over [0, 1] in the expected calibration error (Guo et al., ICML 2017)."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Shares of the pairs that a risk-coverage table shows."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Probabilities from ``lower`` to ``upper``: how many, their mean, and the share of them that gold holds true."""

    lower: float
    upper: float
    n: int
    mean: float
    share: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of one column of probabilities, or of all of them together.

    ``ece`` is the expected calibration error over ``BINS`` bins, ``brier`` the mean squared error (Brier, 1950).
    """

    name: str
    n: int
    ece: float
    brier: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Judging only the surest ``coverage`` of the pairs, ``n`` of them, errs on a share of ``risk``.

    ``confidence`` is what the least sure of them has.
    """

    coverage: float
    n: int
    risk: float
    confidence: float


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Risk at each of ``COVERAGES`` and ``area``, the mean risk over all coverages (Geifman and El-Yaniv, 2017)."""

    area: float
    points: tuple[RiskPoint, ...]


def measure_reliability(name: str, probabilities: NDArray[np.floating], y_true: BoolArray) -> Reliability:
    """Compare probabilities ``(n,)`` with what is true.

    >>> measure_reliability("x", np.array([0.9, 0.9, 0.1]), np.array([True, False, False])).ece
    0.3
    """
    scores, truth = probabilities.astype(np.float64), y_true.astype(np.float64)
    n = len(scores)
    if not n:
        return Reliability(name, 0, float("nan"), float("nan"), ())
    places = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    counts, means, shares = (np.bincount(places, weights=w, minlength=BINS) for w in (np.ones(n), scores, truth))
    ece = float(np.abs(means - shares).sum() / n)
    bins = tuple(
        Bin(i / BINS, (i + 1) / BINS, int(counts[i]), float(means[i] / counts[i]), float(shares[i] / counts[i]))
        for i in np.flatnonzero(counts)
    )
    return Reliability(name, n, ece, float(((scores - truth) ** 2).mean()), bins)


def measure_risk(confidence: NDArray[np.floating], correct: BoolArray) -> RiskCoverage:
    """Order pairs ``(n,)`` from sure to unsure and see how often the surest ones are wrong.

    Equally sure pairs stand in no order: each carries their mean error.

    >>> round(measure_risk(np.array([0.9, 0.8, 0.6]), np.array([True, False, True])).area, 4)
    0.2778
    """
    n = len(confidence)
    if not n:
        return RiskCoverage(float("nan"), ())
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, errors = confidence[order], (~correct[order]).astype(np.float64)
    _, ties = np.unique(-sorted_confidence, return_inverse=True)
    mean_error = np.bincount(ties, weights=errors) / np.bincount(ties)
    risks = np.cumsum(mean_error[ties]) / np.arange(1, n + 1)
    kept = [max(1, int(np.floor(share * n + 0.5))) for share in COVERAGES]
    points = (
        RiskPoint(c, k, float(risks[k - 1]), float(sorted_confidence[k - 1]))
        for c, k in zip(COVERAGES, kept, strict=True)
    )
    return RiskCoverage(float(risks.mean()), tuple(points))
