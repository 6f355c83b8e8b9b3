"""Krippendorff's alpha for nominal values: agreement of annotators beyond chance.

alpha = 1 - observed disagreement / disagreement expected by chance: 1 is perfect agreement, 0 what chance gives, below
it lies systematic disagreement. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011); the tests hold the
worked examples A to C of that paper. Computed here because the kept package for it is under the GPL.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from stance.errors import StanceError
from stance.metrics import Numbers


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable | None]]) -> float:
    """Compute nominal alpha of any number of annotators; NaN where only one value occurs or nothing is paired.

    ``ratings`` holds one sequence per annotator, each with a value per unit; None is a missing value.

    >>> round(krippendorff_alpha(["aabbdcccedda", "babbbccceddd"]), 3)
    0.692

    Raises:
        StanceError: the annotators have different numbers of units.
    """
    lengths = {len(row) for row in ratings}
    if len(lengths) > 1:
        raise StanceError(f"expected one value per unit of every annotator; got {sorted(lengths)} units; use None")
    values = {value: i for i, value in enumerate(dict.fromkeys(v for row in ratings for v in row if v is not None))}
    counts = np.zeros((max(lengths, default=0), len(values)))
    for row in ratings:
        for unit, value in enumerate(row):
            if value is not None:
                counts[unit, values[value]] += 1
    return float(alpha(coincidences(counts)))


def coincidences(counts: Numbers) -> Numbers:
    """Build the coincidence matrix ``(k, k)`` from how often each unit got each value, ``(n_units, k)``.

    Every unit with m >= 2 values adds its ordered pairs of values, each with weight 1 / (m - 1).
    """
    totals = counts.sum(axis=1)
    paired, totals = counts[totals > 1], totals[totals > 1]
    weighted = paired / (totals - 1)[:, None]
    matrix: Numbers = weighted.T @ paired - np.diag(weighted.sum(axis=0))
    return matrix


def alpha(matrix: Numbers) -> Numbers:
    """Compute nominal alpha from coincidence matrices ``(..., k, k)``; NaN where chance leaves no disagreement.

    For two annotators without missing values the coincidence matrix is their contingency table plus its transpose.
    """
    margins = matrix.sum(axis=-1)
    n = margins.sum(axis=-1)
    disagreeing = n - np.trace(matrix, axis1=-2, axis2=-1)
    by_chance = n**2 - (margins**2).sum(axis=-1)
    undefined = np.full(np.shape(n), np.nan)
    share: Numbers = np.divide((n - 1) * disagreeing, by_chance, out=undefined, where=by_chance > 0)
    return 1 - share
