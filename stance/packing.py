"""From pairs of one sentence to one packed input: token ids, positions, groups and marker places. numpy only.

A sentence is encoded once, however many pairs it has. Each pair adds two marker tokens behind the text, ``[H]`` and
``[T]``, which take the places of holder and target ("levitated markers": PL-Marker, Ye et al., ACL 2022; PURE's
approximation, Zhong and Chen, NAACL 2021). AUTHOR and ANY have a token of their own in place of ``[H]``, at the place
of ``[CLS]``. Where a span ends, the head reads from the text's own states: closing markers would cost two more columns
a pair. Text and markers are two blocks of columns, because the encoder's first layers may read the text alone.

``groups`` says who may attend to whom: text (group 0) is open to everybody, the markers of a pair (group
1, 2, ...) only to one another, padding (-1) to nobody. So text states do not depend on the pairs, and no pair on
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.pairs import AUTHOR, Pair
from stance.targets import Mention

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

MARKER_TOKENS = ("[H]", "[AUTHOR]", "[ANY]", "[T]")
"""Tokens added to the encoder's vocabulary, in this order."""

MARKERS_PER_PAIR = 2
ENDS_PER_PAIR = 4
_LIKE_LENGTH = 4  # columns of text by which neighbours may differ before their markers decide the order
# A holder's mode is the place of its marker in MARKER_TOKENS.
_MENTION, _AUTHOR, _ANY, _TARGET = range(4)


@dataclass(frozen=True, slots=True)
class PackingSettings:
    """What packing must know of tokenizer and encoder."""

    cls_id: int
    sep_id: int
    pad_id: int
    marker_ids: tuple[int, ...]
    max_length: int
    position_offset: int = 0
    max_pairs: int = 32

    @property
    def max_text(self) -> int:
        """Word pieces of text that one row holds, without ``[CLS]`` and ``[SEP]``."""
        return self.max_length - 2


@dataclass(frozen=True, slots=True)
class PackedRow:
    """One encoder row: the word pieces of a sentence (or a window of it) and the pairs judged on it.

    ``tokens`` is ``(n_tokens,)``; ``spans`` is ``(n_pairs, 4)``: first and last piece of holder and of target, as
    indices into ``tokens`` (-1 for AUTHOR and ANY); ``modes`` is ``(n_pairs,)``; ``index`` gives each pair's place in
    the list that was packed; ``truncated`` is true where the row does not hold the whole sentence.
    """

    tokens: IntArray
    spans: IntArray
    modes: IntArray
    index: IntArray
    truncated: bool

    @property
    def size(self) -> tuple[int, int]:
        """Columns the row takes: those of text, ``[CLS]`` and ``[SEP]``, and those of markers."""
        return len(self.tokens) + 2, MARKERS_PER_PAIR * len(self.modes)


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Rows side by side, as the encoder takes them.

    ``input_ids`` and ``position_ids`` ``(n_rows, length)`` hold the text, ``marker_ids`` ``(n_rows, n_markers)``
    the markers, ``marker_ends`` ``(n_rows, n_markers, 2)`` the text columns that each stands for, first and last;
    ``groups`` ``(n_rows, length + n_markers)`` the groups of both, text first. ``pair_rows`` ``(n_pairs,)`` is the row
    of each pair, ``markers`` ``(n_pairs, 2)`` the columns of its markers behind those of the text, ``spans``
    ``(n_pairs, 4)`` the columns of the first and last word piece of holder and target (that of ``[CLS]`` for AUTHOR and
    ANY). ``index`` is ``(n_pairs,)``.
    """

    input_ids: IntArray
    position_ids: IntArray
    marker_ids: IntArray
    marker_ends: IntArray
    groups: IntArray
    pair_rows: IntArray
    markers: IntArray
    spans: IntArray
    index: IntArray


MODEL_INPUTS = ("input_ids", "position_ids", "marker_ids", "marker_ends", "groups", "pair_rows", "markers", "spans")
"""Arrays of a ``PackedBatch`` that the network takes, in the order of ``StanceModel.forward``."""


def pack_sentence(
    tokens: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    pairs: Sequence[Pair],
    settings: PackingSettings,
    index: Iterable[int] | None = None,
) -> list[PackedRow]:
    """Pack the pairs of one sentence into as few rows as its length and ``max_pairs`` allow.

    ``tokens`` and ``offsets`` are the sentence's word pieces, without special tokens, and their half-open characters.
    A sentence longer than ``max_text`` is windowed around each pair; where holder and target lie further apart than a
    window, the row joins a half window around each. ``index`` numbers the pairs (default: their places in ``pairs``).
    """
    ids = np.asarray(tokens, dtype=np.int64)
    places = np.arange(len(pairs)) if index is None else np.fromiter(index, np.int64, len(pairs))
    spans, modes = _token_spans(np.asarray(offsets, dtype=np.int64).reshape(-1, 2), pairs)
    if len(ids) <= settings.max_text:
        return _chunks(ids, spans, modes, places, truncated=False, max_pairs=settings.max_pairs)
    by_view: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for i, span in enumerate(spans):
        by_view.setdefault(_view(span, len(ids), settings.max_text), []).append(i)
    rows: list[PackedRow] = []
    for view, chosen in by_view.items():
        kept = np.concatenate([np.arange(first, last) for first, last in view])
        local = np.where(spans[chosen] < 0, -1, np.searchsorted(kept, spans[chosen]).clip(max=len(kept) - 1))
        rows += _chunks(ids[kept], local, modes[chosen], places[chosen], truncated=True, max_pairs=settings.max_pairs)
    return rows


def text_row(tokens: IntArray, index: int = 0) -> PackedRow:
    """Lay out a text of which no pair is asked; a graph wants one, so it has anybody's toward the first piece."""
    return PackedRow(tokens, np.array([[-1, -1, 0, 0]]), np.array([_ANY]), np.array([index]), truncated=False)


def collate(rows: Sequence[PackedRow], settings: PackingSettings) -> PackedBatch:
    """Lay rows side by side, text and markers each padded to the longest. No loop over tokens or pairs."""
    n_text, n_markers = np.array([row.size for row in rows]).T
    width, marker_width = int(n_text.max()), int(n_markers.max())
    columns = np.arange(width)
    is_text = columns < n_text[:, None]
    is_piece = is_text & (columns > 0) & (columns < n_text[:, None] - 1)
    input_ids = np.full((len(rows), width), settings.pad_id, dtype=np.int64)
    input_ids[:, 0] = settings.cls_id
    input_ids[np.arange(len(rows)), n_text - 1] = settings.sep_id
    input_ids[is_piece] = np.concatenate([r.tokens for r in rows])
    position_ids = np.where(is_text, columns, 0) + settings.position_offset

    n_pairs = n_markers // MARKERS_PER_PAIR
    pair_rows = np.repeat(np.arange(len(rows)), n_pairs)
    within = np.arange(len(pair_rows)) - np.repeat(np.cumsum(n_pairs) - n_pairs, n_pairs)
    places = MARKERS_PER_PAIR * within[:, None] + np.arange(MARKERS_PER_PAIR)
    modes = np.concatenate([r.modes for r in rows])
    kinds = np.stack([modes, np.full_like(modes, _TARGET)], axis=1)
    spans = np.concatenate([r.spans for r in rows]) + 1  # behind [CLS]; AUTHOR and ANY (-1) fall on it
    at = (pair_rows[:, None], places)
    marker_ids = np.full((len(rows), marker_width), settings.pad_id, dtype=np.int64)
    marker_ids[at] = np.asarray(settings.marker_ids, dtype=np.int64)[kinds]
    marker_ends = np.zeros((len(rows), marker_width, 2), dtype=np.int64)
    marker_ends[at] = spans.reshape(-1, MARKERS_PER_PAIR, 2)
    marker_groups = np.full((len(rows), marker_width), -1)
    marker_groups[at] = within[:, None] + 1
    return PackedBatch(
        input_ids=input_ids,
        position_ids=position_ids,
        marker_ids=marker_ids,
        marker_ends=marker_ends,
        groups=np.concatenate([np.where(is_text, 0, -1), marker_groups], axis=1),
        pair_rows=pair_rows,
        markers=places,
        spans=spans,
        index=np.concatenate([r.index for r in rows]),
    )


def bucket_rows(sizes: Sequence[tuple[int, int]] | IntArray, max_tokens: int) -> list[IntArray]:
    """Group rows of like size into batches of at most ``max_tokens`` columns, padding counted.

    ``sizes`` is ``(n_rows, 2)``: columns of text and of markers, as ``PackedRow.size``. Rows are sorted by text, and
    those of about as much text by markers. Returns indices into ``sizes``; a row larger than the budget gets a batch of
    its own.
    """
    table = np.asarray(sizes, dtype=np.int64).reshape(-1, 2)
    order = np.lexsort((-table[:, 1], -(table[:, 0] // _LIKE_LENGTH)))
    batches: list[IntArray] = []
    start = 0
    while start < len(order):
        # Every row has a column or more, so that no further ones fit; a batch never shrinks with a further row.
        widest = np.maximum.accumulate(table[order[start : start + max_tokens]], axis=0).sum(axis=1)
        count = max(1, int(np.count_nonzero(widest * np.arange(1, len(widest) + 1) <= max_tokens)))
        batches.append(order[start : start + count])
        start += count
    return batches


def _token_spans(offsets: IntArray, pairs: Sequence[Pair]) -> tuple[IntArray, IntArray]:
    """Turn character spans into first and last word piece, ``(n_pairs, 4)``, and holders into modes, ``(n_pairs,)``."""
    modes = np.array([_mode(p) for p in pairs], dtype=np.int64)
    characters = np.array(
        [
            (
                *((p.holder.start, p.holder.end) if isinstance(p.holder, Mention) else (0, 0)),
                p.target.start,
                p.target.end,
            )
            for p in pairs
        ],
        dtype=np.int64,
    ).reshape(-1, 4)
    last_piece = max(len(offsets) - 1, 0)
    first = np.searchsorted(offsets[:, 1], characters[:, ::2], side="right").clip(max=last_piece)
    last = (np.searchsorted(offsets[:, 0], characters[:, 1::2], side="left") - 1).clip(min=first)
    spans = np.stack([first[:, 0], last[:, 0], first[:, 1], last[:, 1]], axis=1)
    spans[modes != _MENTION, :2] = -1
    return spans, modes


def _mode(pair: Pair) -> int:
    if isinstance(pair.holder, Mention):
        return _MENTION
    return _AUTHOR if pair.holder is AUTHOR else _ANY


def _chunks(
    ids: IntArray, spans: IntArray, modes: IntArray, places: IntArray, *, truncated: bool, max_pairs: int
) -> list[PackedRow]:
    return [
        PackedRow(ids, spans[i : i + max_pairs], modes[i : i + max_pairs], places[i : i + max_pairs], truncated)
        for i in range(0, len(modes), max_pairs)
    ]


def _view(span: IntArray, n_tokens: int, size: int) -> tuple[tuple[int, int], ...]:
    """Choose the stretches of a long sentence that show a pair: one window, or half a window around each."""
    known = span[span >= 0]
    low, high = int(known.min()), int(known.max())
    if high - low < size:
        return (_window((low + high) // 2, n_tokens, size, must=(low, high)),)
    halves = sorted(_window(int(span[i] + span[i + 1]) // 2, n_tokens, size // 2) for i in (0, 2))
    (a, b), (c, d) = halves
    return ((a, min(b, c)), (c, d))


def _window(centre: int, n_tokens: int, size: int, must: tuple[int, int] | None = None) -> tuple[int, int]:
    """Centre a window; starts are multiples of a quarter window, so that near pairs share a row."""
    start = min(max(centre - size // 2, 0), n_tokens - size)
    rounded = start - start % max(1, size // 4)
    if must is not None and not (rounded <= must[0] and must[1] < rounded + size):
        start = min(max(start, must[1] - size + 1), must[0])
        return start, start + size
    return rounded, rounded + size
