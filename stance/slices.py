"""Slices: the same figure on parts of the data, by where a pair comes from and what its sentence looks like."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np

from stance.excerpts import Excerpt
from stance.metrics import IntArray
from stance.pairs import Holder
from stance.targets import Mention

_Value = TypeVar("_Value", bound=Hashable)

LEAST_PAIRS = 10
"""Pairs that a target needs for a slice of its own."""

SliceKey = tuple[str, str]
"""Kind and value of a slice, such as ``("holder", "author")``."""

_MODES = ("name", "phrase", "span", "author", "any")
_WORDS = (10, 20, 30, 40)
_MENTIONS = (1, 2, 4, 8)


def slice_rows(
    excerpts: Sequence[Excerpt], holders: Sequence[Holder], targets: Sequence[Mention]
) -> dict[SliceKey, IntArray]:
    """Number the rows of every slice; the arguments have one entry a row.

    Kinds, in this order: ``source``; ``holder`` (name, phrase, span, author, any); ``words`` and ``targets`` in the
    sentence, as ranges; ``target`` by name, for names with ``LEAST_PAIRS`` rows or more, the frequent ones first.
    """
    sources = [e.origin.source or "unknown" for e in excerpts]
    modes = [_mode(e, h) for e, h in zip(excerpts, holders, strict=True)]
    counts = {id(e): (len(e.text.split()), len(e.mentions)) for e in excerpts}
    words = [bisect_left(_WORDS, counts[id(e)][0]) for e in excerpts]
    mentions = [bisect_left(_MENTIONS, counts[id(e)][1]) for e in excerpts]
    found = {("source", name): rows for name, rows in sorted(_grouped(sources).items())}
    by_mode = _grouped(modes)
    found |= {("holder", mode): by_mode[mode] for mode in _MODES if mode in by_mode}
    found |= {("words", ranged(i, _WORDS)): rows for i, rows in sorted(_grouped(words).items())}
    found |= {("targets", ranged(i, _MENTIONS)): rows for i, rows in sorted(_grouped(mentions).items())}
    names = _grouped([t.name for t in targets])
    frequent = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
    return found | {("target", name): rows for name, rows in frequent if len(rows) >= LEAST_PAIRS}


def ranged(number: int, ends: Sequence[int]) -> str:
    """Write the range between two of ``ends``, both whole numbers, the upper one included.

    >>> [ranged(i, (10, 20)) for i in range(3)]
    ['up to 10', '11 to 20', 'over 20']
    """
    if number == len(ends):
        return f"over {ends[-1]}"
    low = ends[number - 1] + 1 if number else 1
    if low == ends[number]:
        return str(low)
    return f"{low} to {ends[number]}" if number else f"up to {ends[0]}"


def _mode(excerpt: Excerpt, holder: Holder) -> str:
    """Tell a holder that is named, and could be a target, from a phrase that only holds; a span where none can know."""
    if not isinstance(holder, Mention):
        return str(holder).removeprefix("@")
    if holder in excerpt.mentions:
        return "name"
    return "phrase" if excerpt.complete else "span"


def _grouped(values: Sequence[_Value]) -> dict[_Value, IntArray]:
    rows: dict[_Value, list[int]] = {}
    for i, value in enumerate(values):
        rows.setdefault(value, []).append(i)
    return {value: np.array(places, dtype=np.int64) for value, places in rows.items()}
