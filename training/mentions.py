"""Corpora of named entities: sentences in which every name is marked and no stance is judged. They train the tagger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stance.errors import DataError
from stance.excerpts import Excerpt, Origin
from stance.formats.rows import read_lines
from stance.targets import Mention, Target

MENTION_CORPORA = frozenset({"crossner", "uner"})
"""Sources of such excerpts."""

_TAG = re.compile(r"O|[BI]-[\w-]+")
_NO_SPACE_BEFORE = frozenset({",", ".", ";", ":", ")", "]", "}", "!", "?", "%", "'s", "’s", "n't", "'"})
_NO_SPACE_AFTER = frozenset({"(", "[", "{", "$", "£", "€"})


def marks_all_mentions(excerpt: Excerpt) -> bool:
    """Say whether every named mention of an excerpt is marked, so that the rest of it names nobody."""
    return excerpt.complete or excerpt.origin.source in MENTION_CORPORA


def read_crossner(folder: Path) -> dict[str, list[Excerpt]]:
    """Read CrossNER's political domain: ``train.txt`` and ``dev.txt``, a word and its tag a line.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    return {part: read_tagged_file(folder / f"{part}.txt", "crossner", word=0, tag=1) for part in ("train", "dev")}


def read_uner(folder: Path) -> dict[str, list[Excerpt]]:
    """Read Universal NER's English web texts: the development file, all of it to train on.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return {"train": read_tagged_file(folder / "en_ewt-ud-dev.iob2", "uner", word=1, tag=2)}


def read_tagged_file(path: Path, source: str, *, word: int, tag: int) -> list[Excerpt]:
    """Read one file of tagged words: a word a line, columns by tabs, an empty line after every sentence.

    ``word`` and ``tag`` number their columns. Lines that begin with "# " are comments. The sentence is put together
    with spaces where print has them; types of names are not kept.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    excerpts = []
    for first, rows in _sentences(path):
        words, tags = [], []
        for number, row in rows:
            cells = row.split("\t")
            if len(cells) <= max(word, tag) or not cells[word] or not _TAG.fullmatch(cells[tag]):
                raise DataError(
                    f"expected a word and its tag O, B-... or I-...; got {row!r}; mend the row", path, number
                )
            words.append(cells[word])
            tags.append(cells[tag])
        excerpts.append(_excerpt(f"{source}-{path.stem}-{first}", source, words, tags))
    return excerpts


def _sentences(path: Path) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    rows: list[tuple[int, str]] = []
    for number, row in read_lines(path):
        if row.strip():
            if not row.startswith("# "):
                rows.append((number, row))
        elif rows:
            yield rows[0][0], rows
            rows = []
    if rows:
        yield rows[0][0], rows


def _excerpt(identity: str, source: str, words: Sequence[str], tags: Sequence[str]) -> Excerpt:
    text, before = "", ""
    spans: list[tuple[int, int]] = []
    inside = False
    for written, tag in zip(words, tags, strict=True):
        if text and written not in _NO_SPACE_BEFORE and before not in _NO_SPACE_AFTER:
            text += " "
        start, text, before = len(text), text + written, written
        if tag[0] == "I" and inside:
            spans[-1] = (spans[-1][0], len(text))
        elif tag != "O":
            spans.append((start, len(text)))
        inside = tag != "O"
    mentions = tuple(Mention(a, b, Target(text[a:b])) for a, b in spans if any(c.isalnum() for c in text[a:b]))
    return Excerpt(identity, text, mentions=mentions, origin=Origin(source, identity))
