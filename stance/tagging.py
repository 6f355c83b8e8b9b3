"""Named mentions as tags of words, and back: what the mention tagger learns and what its answers say. numpy only.

Every word of a sentence, as the tokenizer's pre-tokenizer cuts it, is outside of a mention, begins one or goes on with
one (Ramshaw and Marcus, 1995). The first word piece of a word carries its tag; the others carry none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from stance.sentences import Span

OUTSIDE, BEGIN, INSIDE = range(3)
TAGS = ("O", "B", "I")
"""Columns of the tag logits."""

UNKNOWN_TAG = -100
"""Tag of a piece that teaches nothing; cross entropy passes it over."""


def tag_pieces(encoding: Encoding, text: str, spans: Sequence[Span]) -> NDArray[np.int64]:
    """Tag the word pieces of a sentence, ``(n_pieces,)``, with the mentions at ``spans``.

    Annotators mark a spelling once: its further places as a whole word are tagged alike. A piece inside a word is
    ``UNKNOWN_TAG``.
    """
    places = set(spans)
    for start, end in sorted(spans):
        for match in re.finditer(rf"(?<!\w){re.escape(text[start:end])}(?!\w)", text):
            if all(match.end() <= a or b <= match.start() for a, b in places):
                places.add(match.span())
    offsets = encoding.offsets  # made anew whenever it is asked for
    tags = np.full(len(offsets), UNKNOWN_TAG, dtype=np.int64)
    for i in _first_pieces(encoding):
        start, end = offsets[i]
        around = [a for a, b in places if a < end and start < b]
        tags[i] = OUTSIDE if not around else BEGIN if start <= min(around) else INSIDE
    return tags


def find_spans(encoding: Encoding, logits: NDArray[np.floating], margin: float = 0.0) -> list[Span]:
    """Read the mentions off tag logits ``(n_pieces, 3)``; one may begin with ``INSIDE``, and ends where a word ends.

    Those of which every word beats ``OUTSIDE`` by ``margin`` are given.
    """
    answers = logits.argmax(axis=1)
    lead = logits[:, [BEGIN, INSIDE]].max(axis=1, initial=-np.inf) - logits[:, OUTSIDE]
    offsets, firsts = encoding.offsets, _first_pieces(encoding)
    if not firsts:
        return []
    ends = [offsets[j - 1][1] for j in [*firsts[1:], len(offsets)]]
    spans: list[Span] = []
    surety: list[float] = []
    open_ = False
    for i, end in zip(firsts, ends, strict=True):
        start = offsets[i][0]
        if answers[i] == INSIDE and open_:
            spans[-1] = (spans[-1][0], end)
            surety[-1] = min(surety[-1], float(lead[i]))
        elif answers[i] != OUTSIDE:
            spans.append((start, end))
            surety.append(float(lead[i]))
        open_ = answers[i] != OUTSIDE
    return [span for span, sure in zip(spans, surety, strict=True) if sure >= margin]


def first_places(text: str, spans: Sequence[Span]) -> set[Span]:
    """Leave the first place of every spelling, as annotators mark it."""
    first: dict[str, Span] = {}
    for start, end in sorted(spans):
        first.setdefault(text[start:end], (start, end))
    return set(first.values())


def _first_pieces(encoding: Encoding) -> list[int]:
    words = encoding.word_ids
    return [i for i, word in enumerate(words) if word is not None and (i == 0 or words[i - 1] != word)]
