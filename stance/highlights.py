"""Highlights: a text as HTML, targets in the colours of the stances toward them, holders underlined."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from stance.labels import Stance
from stance.sentences import encodable

COLOURS = MappingProxyType({Stance.SUPPORT: "#b7e4c0", Stance.OPPOSE: "#f6bfae", Stance.COOPERATE: "#b9dcf7"})
"""Background of each stance; light, so that black text on it reads well on any page."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """Characters ``start`` to ``end`` of a text: a target with the stances toward it, or with none a holder."""

    start: int
    end: int
    stances: frozenset[Stance] = frozenset()


def highlight(text: str, spans: Iterable[Highlight]) -> str:
    """Mark spans in a text, which may overlap; everything that HTML would read as markup is escaped.

    >>> highlight("A & B", [Highlight(0, 1), Highlight(4, 5, frozenset({Stance.OPPOSE}))])
    '<u>A</u> &amp; <mark style="background: #f6bfae; color: #000">B</mark>'
    """
    spans = list(spans)
    text = encodable(text)
    cuts = sorted({0, len(text), *(s.start for s in spans), *(s.end for s in spans)})
    pieces = ((a, b, [s for s in spans if s.start <= a and b <= s.end]) for a, b in pairwise(cuts))
    return "".join(_piece(text[start:end], within) for start, end, within in pieces)


def chip(stance: Stance, words: str) -> str:
    """Write words on the colour of a stance.

    >>> chip(Stance.SUPPORT, "support 0.93")
    '<mark style="background: #b7e4c0; color: #000">support 0.93</mark>'
    """
    return _mark(html.escape(words), {stance})


def _piece(text: str, spans: Sequence[Highlight]) -> str:
    escaped = html.escape(text)
    if any(not s.stances for s in spans):
        escaped = f"<u>{escaped}</u>"
    stances = {stance for s in spans for stance in s.stances}
    return _mark(escaped, stances) if stances else escaped


def _mark(escaped: str, stances: Iterable[Stance]) -> str:
    colours = [COLOURS[s] for s in Stance if s in stances]
    background = colours[0]
    if len(colours) > 1:  # stripes side by side
        width = 100 // len(colours)
        stops = ", ".join(f"{c} {width * i}% {width * (i + 1)}%" for i, c in enumerate(colours))
        background = f"linear-gradient(90deg, {stops})"
    return f'<mark style="background: {background}; color: #000">{escaped}</mark>'
