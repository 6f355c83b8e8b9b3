"""DSE: news sentences with two bracketed entities, one for or against the other (Park et al., Findings of ACL 2021)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair
from stance.formats.rows import make_excerpt, mention_at, read_lines
from stance.formats.spans import mend_span
from stance.labels import Polarity

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_LABELS = MappingProxyType(
    {
        "0": (Polarity.NEUTRAL, Polarity.NEUTRAL),
        "1": (Polarity.POSITIVE, Polarity.NEUTRAL),
        "2": (Polarity.NEUTRAL, Polarity.POSITIVE),
        "3": (Polarity.NEGATIVE, Polarity.NEUTRAL),
        "4": (Polarity.NEUTRAL, Polarity.NEGATIVE),
    }
)
"""Class -> polarity from p to q and from q to p."""


@dataclass(frozen=True, slots=True)
class DseRow:
    """A row of the file: its excerpt and the class, 0 to 4, that the publisher scores."""

    excerpt: Excerpt
    number: int


def read_dse_file(path: Path) -> list[Excerpt]:
    """Read one DSE file: sentence, p, q, class, divided by tabs. Each row gives p->q and q->p.

    The first bracket is p and the second q, also where both have the same words. The publisher took every ``s`` off
    the ends of an entity, so that brackets cut words; they are moved to whole words. An entity that is no word at all
    (a bracketed comma) leaves its row without pairs.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [row.excerpt for row in read_dse_rows(path)]


def read_dse_rows(path: Path) -> list[DseRow]:
    """Read one DSE file with its classes.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_row(row, path, line) for line, row in read_lines(path) if row.strip()]


def dse_number(excerpt: Excerpt) -> int:
    """Tell the class of an excerpt that has its two pairs, p->q and q->p."""
    forth, back = (Polarity(pair.label) for pair in excerpt.pairs if isinstance(pair.label, Polarity))
    return list(_LABELS.values()).index((forth, back))


def _row(row: str, path: Path, line: int) -> DseRow:
    # A field with a quotation mark in it is quoted as in CSV; no field goes over a line end.
    fields = next(csv.reader([row], delimiter="\t"))
    if len(fields) != 4 or fields[3] not in _LABELS:
        raise DataError(
            f"expected sentence, p, q and a class out of {', '.join(_LABELS)}, divided by tabs; got {row!r}; "
            "correct the row",
            path,
            line,
        )
    marked, p, q, kind = fields
    # A bracket of the text's own is neither p nor q; the columns drop white space that a bracket may hold.
    brackets = [m for m in _BRACKETS.finditer(marked) if m[1].strip() in (p.strip(), q.strip())]
    if [m[1].strip() for m in brackets] != [p.strip(), q.strip()]:
        raise DataError(f"expected [{p}] and then [{q}] in the sentence; got {marked!r}; mend the brackets", path, line)
    first, second = brackets
    edges = [first.start(), first.end() - 1, second.start(), second.end() - 1]
    text = "".join(c for i, c in enumerate(marked) if i not in edges)
    spans = [mend_span(text, edges[i] - i, edges[i + 1] - i - 1) for i in (0, 2)]
    if spans[0] is None or spans[1] is None or spans[0] == spans[1]:
        return DseRow(make_excerpt("dse", path, line, text, []), int(kind))
    one, other = (mention_at(path, line, text, span) for span in spans if span)
    forth, back = _LABELS[kind]
    pairs = [GoldPair(one, other, forth), GoldPair(other, one, back)]
    return DseRow(make_excerpt("dse", path, line, text, pairs), int(kind))
