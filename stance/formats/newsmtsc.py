"""NewsMTSC: news sentences with targets and the polarity toward each (Hamborg and Donnay, EACL 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair, read_json_lines
from stance.formats.rows import field, make_excerpt, mention_at
from stance.labels import Polarity
from stance.pairs import ANY
from stance.targets import Mention

_POLARITIES = MappingProxyType({2: Polarity.NEGATIVE, 4: Polarity.NEUTRAL, 6: Polarity.POSITIVE})
_ID = re.compile(r"(allsides_\d+_(\d+)|polusa_v1_\d+)_")


@dataclass(frozen=True, slots=True)
class NewsmtscRow:
    """A row of the file: its excerpt and every target as the publisher scores it, also one listed twice."""

    excerpt: Excerpt
    targets: tuple[tuple[Mention, Polarity], ...]


def read_newsmtsc_file(path: Path) -> list[Excerpt]:
    """Read one NewsMTSC file. ``further_mentions`` (pronouns, mostly) are left out.

    The article is the head of ``primary_gid``: ``allsides_<article>_<story>_<sentence>_...`` and
    ``polusa_v1_<article>_-1_<sentence>_...``. A span listed twice counts
    once, and not at all when its polarities differ.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [row.excerpt for row in read_newsmtsc_rows(path)]


def read_newsmtsc_rows(path: Path) -> list[NewsmtscRow]:
    """Read one NewsMTSC file with every listing of a target.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_row(row, path, line) for line, row in read_json_lines(path)]


def _row(row: Mapping[str, Any], path: Path, line: int) -> NewsmtscRow:
    text = field(row, "sentence_normalized", str, path, line)
    gid = field(row, "primary_gid", str, path, line)
    listed: list[tuple[Mention, Polarity]] = []
    for target in field(row, "targets", list, path, line):
        span = tuple(field(target, key, int, path, line) for key in ("from", "to"))
        if text[slice(*span)] != field(target, "mention", str, path, line):
            raise DataError(
                f"expected {target['mention']!r} at {span}; got {text[slice(*span)]!r}; correct the offsets", path, line
            )
        polarity = target.get("polarity")
        if not isinstance(polarity, int | float) or polarity not in _POLARITIES:
            raise DataError(f"expected polarity 2, 4 or 6; got {polarity!r}; correct it", path, line)
        listed.append((mention_at(path, line, text, span), _POLARITIES[int(polarity)]))
    labels: dict[Mention, set[Polarity]] = {}
    for mention, label in listed:
        labels.setdefault(mention, set()).add(label)
    pairs = [GoldPair(ANY, m, label) for m, (label, *others) in labels.items() if not others]
    article = _ID.match(gid)
    document = article[1] if article else gid
    return NewsmtscRow(make_excerpt("newsmtsc", path, line, text, pairs, document=document), tuple(listed))


def newsmtsc_story(excerpt: Excerpt) -> str | None:
    """Tell the story that an article of AllSides belongs to, several outlets' articles to one; None elsewhere."""
    article = _ID.match(f"{excerpt.origin.document}_")
    return f"allsides-story-{article[2]}" if article and article[2] else None
