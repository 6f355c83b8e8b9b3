"""PLV: news sentences with a marked source and target and a PLOVER root code (Hu et al., ACL 2024)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair
from stance.formats.rows import make_excerpt, mention_at, read_table
from stance.labels import PLOVER_QUADS, PLOVER_ROOTS
from stance.pairs import ANY, Holder
from stance.targets import Mention

_MARK = re.compile(r"<(/?)([st])>", re.IGNORECASE)
_COLUMNS = ("marked_sentence", "gold_root")
_QUADS = {"1": "V-Coop", "2": "M-Coop", "3": "V-Conf", "4": "M-Conf"}


@dataclass(frozen=True, slots=True)
class PlvRow:
    """A row of the file: its excerpt and the classes that the publisher scores.

    ``quad`` is one of four: verbal or material, cooperation or conflict.
    """

    excerpt: Excerpt
    root: str
    quad: str


def read_plv_file(path: Path) -> list[Excerpt]:
    """Read one PLV file. Of a mark set several times in a sentence, the first place counts.

    A row whose source is unmarked (published as "An actor") gets the holder ``ANY``; one whose target is unmarked
    ("a recipient") gets no pair.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [row.excerpt for row in read_plv_rows(path)]


def read_plv_rows(path: Path) -> list[PlvRow]:
    """Read one PLV file with its classes; without a ``gold_penta`` column the quad class is that of the root.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_row(row, path, line) for line, row in read_table(path, _COLUMNS, "\t")]


def _row(row: Mapping[str, str], path: Path, line: int) -> PlvRow:
    root = row["gold_root"]
    if root not in PLOVER_ROOTS:
        raise DataError(f"expected gold_root out of {list(PLOVER_ROOTS)}; got {root!r}; correct it", path, line)
    penta = row.get("gold_penta")
    if penta is not None and penta not in _QUADS:
        raise DataError(f"expected gold_penta out of {list(_QUADS)}; got {penta!r}; correct it", path, line)
    text, spans = _without_marks(row["marked_sentence"], path, line)
    pairs: list[GoldPair] = []
    if "t" in spans and spans["t"] != spans.get("s"):
        holder: Holder = spans.get("s", ANY)
        pairs = [GoldPair(holder, spans["t"], frozenset({PLOVER_ROOTS[root]}), root)]
    quad = PLOVER_QUADS[root] if penta is None else _QUADS[penta]
    return PlvRow(make_excerpt("plv", path, line, text, pairs), root, quad)


def _without_marks(marked: str, path: Path, line: int) -> tuple[str, dict[str, Mention]]:
    text, position = "", 0
    opened: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    for mark in _MARK.finditer(marked):
        text += marked[position : mark.start()]
        position, name = mark.end(), mark[2].lower()
        if bool(mark[1]) != (name in opened):
            raise DataError(f"expected <{name}> and </{name}> in turn; got {marked!r}; mend the marks", path, line)
        if mark[1]:
            spans.setdefault(name, (opened.pop(name), len(text)))
        else:
            opened[name] = len(text)
    text += marked[position:]
    if opened or not spans:
        raise DataError(f"expected a closed <s> or <t> mark; got {marked!r}; mend the marks", path, line)
    return text, {name: mention_at(path, line, text, span) for name, span in spans.items()}
