"""Bootstrap over documents: how much a figure would move with other documents of the same kind.

Sentences of one document are not independent, so whole documents are drawn (cluster bootstrap; Field and Welsh, 2007).
Only counts per document are resampled, never rows: a round is one product of document weights with these counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from stance.errors import StanceError
from stance.metrics import IntArray, Numbers

ROUNDS = 1000
"""Bootstrap rounds of a report."""
LEVEL = 0.95
"""Share of the rounds that an interval covers."""
_CHUNK_CELLS = 4_000_000  # weights held at once: 32 MB


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """Counts ``values`` ``(n, ...)`` of the documents numbered in ``documents`` ``(n,)``; other documents have none."""

    documents: IntArray
    values: Numbers

    @property
    def total(self) -> Numbers:
        """The counts of all documents together."""
        return np.asarray(self.values.sum(axis=0), dtype=np.float64)


def number_documents(keys: Iterable[str]) -> tuple[tuple[str, ...], IntArray]:
    """List documents in the order of their first row, and give each row the number of its own, ``(n_rows,)``.

    >>> number_documents(["b", "a", "b"])
    (('b', 'a'), array([0, 1, 0]))
    """
    known: dict[str, int] = {}
    numbers = [known.setdefault(key, len(known)) for key in keys]
    return tuple(known), np.array(numbers, dtype=np.int64)


def count_by_document(documents: IntArray, values: Numbers) -> DocumentCounts:
    """Add up the counts ``values`` ``(n_rows, ...)`` of rows by their document number ``(n_rows,)``.

    >>> count_by_document(np.array([4, 2, 4]), np.array([[1.0], [2.0], [3.0]])).values.tolist()
    [[2.0], [4.0]]
    """
    present, places = np.unique(documents, return_inverse=True)
    columns = values.reshape(len(documents), math.prod(values.shape[1:])).T  # -1 is not told of an empty array
    sums = np.array([np.bincount(places, weights=column, minlength=len(present)) for column in columns])
    return DocumentCounts(present, sums.T.reshape(len(present), *values.shape[1:]))


def check_draws(rounds: int, seed: int) -> None:
    """Refuse rounds and seeds that ``resample`` cannot draw with, before the work that leads to it.

    Raises:
        StanceError: ``rounds`` is below 1 or ``seed`` below 0.
    """
    if rounds < 1:
        raise StanceError(f"expected rounds of at least 1; got {rounds!r}; raise it")
    if seed < 0:
        raise StanceError(f"expected a seed of at least 0; got {seed!r}; raise it")


def resample(
    groups: Sequence[DocumentCounts], n_documents: int, *, rounds: int = ROUNDS, seed: int = 0
) -> list[Numbers]:
    """Draw as many documents as there are, with replacement, and add up their counts, ``(rounds, ...)`` per group.

    All groups see the same draws, so that differences between them are paired.

    Raises:
        StanceError: ``rounds`` is below 1 or ``seed`` below 0.
    """
    check_draws(rounds, seed)
    generator = np.random.default_rng(seed)
    shape = max(1, _CHUNK_CELLS // max(n_documents, 1))
    chunks: list[list[Numbers]] = [[] for _ in groups]
    for start in range(0, rounds, shape):
        size = min(shape, rounds - start)
        drawn = generator.integers(0, n_documents, size=(size, n_documents)) + n_documents * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n_documents).reshape(size, n_documents).T
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        for chunk, group in zip(chunks, groups, strict=True):
            held = weights if len(group.documents) == n_documents else weights[group.documents]
            flat = group.values.reshape(len(group.documents), -1)
            chunk.append((held.T @ flat).reshape(size, *group.values.shape[1:]))
    return [np.concatenate(chunk) for chunk in chunks]


def interval(samples: Numbers) -> tuple[float, float]:
    """Give the ends of the central ``LEVEL`` of rounds ``(rounds,)``, those left out in which a figure is undefined.

    >>> [round(end, 6) for end in interval(np.arange(101.0))]
    [2.5, 97.5]
    """
    known = samples[np.isfinite(samples)]
    if not known.size:
        return (float("nan"), float("nan"))
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def figure_interval(
    counts: DocumentCounts,
    n_documents: int,
    figure: Callable[[Numbers], Numbers],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> tuple[float, float]:
    """Give the interval of one figure, a function of counts ``(..., k)`` that is not a number where undefined.

    >>> counts = count_by_document(np.array([0, 1]), np.array([[1.0, 2.0], [2.0, 4.0]]))
    >>> figure_interval(counts, 2, lambda sums: sums[..., 0] / sums[..., 1])
    (0.5, 0.5)
    """
    if not len(counts.documents):
        return (float("nan"), float("nan"))
    (sums,) = resample([counts], n_documents, rounds=rounds, seed=seed)
    return interval(figure(sums))


def p_value(differences: Numbers) -> float:
    """Tell how often paired differences ``(rounds,)`` lie on the other side of zero, two-sided; never exactly 0."""
    known = differences[np.isfinite(differences)]
    if not known.size:
        return float("nan")
    tail = 1 + min((known <= 0).sum(), (known >= 0).sum())
    return float(min(1.0, 2 * tail / (1 + known.size)))
