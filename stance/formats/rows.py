"""Rows of a publisher's file, with the line that each came from."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, GoldPair, Origin
from stance.formats.spans import mention
from stance.targets import Mention

_Kind = TypeVar("_Kind")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read a text file line by line with 1-based numbers; only a line feed ends a line.

    Raises:
        DataError: the file is missing or is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            for number, row in enumerate(file, start=1):
                yield number, row.rstrip("\r\n")
    except OSError as error:
        raise DataError(f"expected a readable file; got {error.strerror}; check the path", path) from None
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8 text; got {error.reason}; save the file as UTF-8", path) from None


def read_table(path: Path, columns: Sequence[str], delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a CSV file with a header; each row comes with the 1-based line that it starts on.

    Raises:
        DataError: the file cannot be read, lacks a column, or a row has more or fewer fields than the header.
    """
    rows = csv.reader((f"{row}\n" for _, row in read_lines(path)), delimiter=delimiter)
    header = next(rows, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(
            f"expected the columns {list(columns)}; got no {missing[0]!r}; get the publisher's file", path, 1
        )
    line = rows.line_num + 1
    for fields in _checked(rows, path):
        if len(fields) != len(header):
            raise DataError(f"expected {len(header)} fields; got {len(fields)}; mend the row", path, line)
        yield line, dict(zip(header, fields, strict=True))
        line = rows.line_num + 1


def _checked(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise DataError(
            f"expected a CSV file; got {error}; look for a quotation mark that is not closed", path
        ) from None


def field(record: object, key: str, kind: type[_Kind], path: Path, line: int) -> _Kind:
    """Look up one field of a decoded JSON object.

    Raises:
        DataError: the record is no object, or the field is missing or of another type.
    """
    value: Any = record.get(key) if isinstance(record, Mapping) else None
    if not isinstance(value, kind):
        raise DataError(f"expected {key!r} as {kind.__name__}; got {value!r}; add or correct it", path, line)
    return value


def mention_at(path: Path, line: int, text: str, span: Sequence[int]) -> Mention:
    """Make a mention, as ``stance.formats.spans.mention`` does, of a span that stands in a file.

    Raises:
        DataError: the span does not lie in the text or holds no letter or digit.
    """
    try:
        return mention(text, span[0], span[1])
    except StanceError as error:
        raise DataError(str(error), path, line) from None


def make_excerpt(
    corpus: str,
    path: Path,
    line: int,
    text: str,
    pairs: Sequence[GoldPair],
    *,
    mentions: Sequence[Mention] = (),
    document: str | None = None,
    author: str | None = None,
) -> Excerpt:
    """Build the excerpt of one row; its id names file and line, its mentions are ``mentions`` and all targets.

    Raises:
        DataError: the text is white space.
    """
    if not text.strip():
        raise DataError(f"expected a sentence; got {text!r}; remove the row", path, line)
    known = sorted({*mentions, *(pair.target for pair in pairs)}, key=lambda m: (m.start, m.end))
    return Excerpt(
        id=f"{corpus}-{path.stem}-{line:06d}",
        text=text,
        author=author,
        mentions=tuple(known),
        pairs=tuple(pairs),
        origin=Origin(source=corpus, document=document),
    )
