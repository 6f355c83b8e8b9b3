"""Intervals by resampling whole documents: sentences of one document are not independent of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
Figure = Callable[[Counts], Counts]
"""From counts ``(..., k)`` or ``(..., k, k)`` to figures ``(...)``; NaN where a figure is not defined."""

RESAMPLES = 1000
LEVEL = 0.95
"""Share of resampled figures that an interval covers."""

_DRAWS_AT_ONCE = 10_000_000


class Interval(NamedTuple):
    """A percentile interval; both ends are NaN where no resample defines the figure."""

    low: float
    high: float


def count_by_document(documents: Sequence[str], rows: Counts) -> Counts:
    """Add up rows ``(n, ...)`` by the document of each; ``(n_documents, ...)``, documents in order of appearance.

    >>> count_by_document(["a", "b", "a"], np.array([[1.0], [2.0], [4.0]])).tolist()
    [[5.0], [2.0]]
    """
    places = {document: i for i, document in enumerate(dict.fromkeys(documents))}
    counts = np.zeros((len(places), *rows.shape[1:]))
    np.add.at(counts, [places[document] for document in documents], rows)
    return counts


def resample(counts: Counts, *, n_resamples: int = RESAMPLES, seed: int = 0) -> Counts:
    """Draw as many documents as there are, with replacement, ``n_resamples`` times, and add up their counts.

    ``counts`` is ``(n_documents, ...)``, the result ``(n_resamples, ...)``. Cluster bootstrap: Cameron, Gelbach and
    Miller, Review of Economics and Statistics 90 (2008).
    """
    n = len(counts)
    if n == 0:
        return np.zeros((n_resamples, *counts.shape[1:]))
    flat = counts.reshape(n, -1)
    draws = np.random.default_rng(seed)
    block = max(1, _DRAWS_AT_ONCE // n)
    sums = [
        draws.multinomial(n, np.full(n, 1 / n), size=min(block, n_resamples - done)) @ flat
        for done in range(0, n_resamples, block)
    ]
    return np.concatenate(sums).reshape(n_resamples, *counts.shape[1:])


def interval(counts: Counts, figure: Figure, *, n_resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Give the percentile interval of a figure over resampled documents; undefined resamples are left out.

    >>> share = lambda counts: counts[..., 0] / counts[..., 1]
    >>> interval(np.array([[1.0, 2.0]] * 5), share)
    Interval(low=0.5, high=0.5)
    """
    figures = figure(resample(counts, n_resamples=n_resamples, seed=seed))
    figures = figures[~np.isnan(figures)]
    if not figures.size:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def divide(parts: Counts, wholes: Counts) -> Counts:
    """Divide, with NaN where the whole is zero."""
    quotients: Counts = np.divide(parts, wholes, out=np.full(np.shape(wholes), np.nan), where=wholes != 0)
    return quotients
