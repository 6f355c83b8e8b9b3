"""Annotations kept without the text they annotate: what may be published of texts that may not.

``train.jsonl`` holds one object per sentence: the excerpt format without ``text`` and ``context``, and in their place
``digest``, the first 16 hex digits of the SHA-256 of the sentence. Where the text comes from is said by ``source``:

* a file ``SOURCE.jsonl.gz`` of documents (``id``, ``text``, ``date``, ``speaker``): ``span`` gives the half-open
  characters of the sentence in the document, whose runs of white space are then read as one space;
* a corpus of ``corpora.py``, or one in the excerpt format, in the folder ``SOURCE``: the sentence with that digest.

``python -m training.standoff FOLDER --texts DIR OUT.jsonl`` writes the excerpts with their text, to look at or compare.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, parse_excerpt, read_json_lines, save_excerpts
from training.command import one_line_errors
from training.corpora import READERS, Splits, read_excerpts

STANDOFF, SILVER = "standoff", "silver"
"""Readers in training settings of what stands off from its text: annotations, and labels of larger models."""


def read_standoff(folder: Path, texts: Path) -> Splits:
    """Read ``train.jsonl`` in ``folder`` and put back its sentences from the sources in ``texts``.

    Raises:
        DataError: a source or sentence is missing, is another than was annotated, or a row breaks the format.
    """
    path = folder / "train.jsonl"
    rows = list(read_json_lines(path))
    sources = Sources(texts, [row for _, row in rows])
    return {"train": [_excerpt(row, sources, path, number) for number, row in rows]}


def digest(text: str) -> str:
    """Abbreviate a sentence to 16 hex digits.

    >>> digest("Iran thanked China.")
    '922141ca10c4df8e'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Sources:
    """The texts that rows of annotations stand off from, read once from the folder ``texts``.

    Raises:
        DataError: a source of the rows is missing there.
    """

    def __init__(self, texts: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        needed: dict[str, set[str]] = {}
        for row in rows:
            needed.setdefault(str(row.get("source")), set()).add(str(row.get("document")))
        self._records = {source: _source(source, texts, documents) for source, documents in needed.items()}

    def find(self, row: Mapping[str, Any], path: Path, number: int) -> tuple[str, Mapping[str, Any]]:
        """Give the sentence of a row, which stands in line ``number`` of ``path``, and what is known of its document.

        Raises:
            DataError: the source holds no such sentence, or another.
        """
        name = str(row.get("document") if "span" in row else row.get("digest"))
        record = self._records[str(row.get("source"))].get(name)
        if record is None:
            raise DataError(
                f"expected the source of {row.get('id', name)!r} to hold it; got no such text; update it", path, number
            )
        text = record["text"]
        if "span" in row:
            start, end = row["span"]
            text = " ".join(text[start:end].split())
        if digest(text) != row.get("digest"):
            raise DataError(
                f"expected the sentence annotated as {row.get('id', name)!r}; got {text!r}; update the source",
                path,
                number,
            )
        return text, record


def archive_path(source: str, texts: Path) -> Path:
    """Tell where the documents of a source lie."""
    return texts / f"{source}.jsonl.gz"


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """Read documents, one a line."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _source(source: str, texts: Path, documents: set[str]) -> Mapping[str, Any]:
    """Give the documents of a source by id, or the sentences of a corpus by digest."""
    archive = archive_path(source, texts)
    if archive.is_file():
        return {record["id"]: record for record in read_archive(archive) if record["id"] in documents}
    if (texts / source).is_dir():
        parts = READERS.get(source, read_excerpts)(texts / source)
        return {digest(excerpt.text): {"text": excerpt.text} for excerpt in parts["train"]}
    raise DataError(f"expected {source}.jsonl.gz or a corpus {source!r} here; got neither; get the source", texts)


def _excerpt(row: Mapping[str, Any], sources: Sources, path: Path, number: int) -> Excerpt:
    text, record = sources.find(row, path, number)
    kept = {key: row[key] for key in row if key not in ("digest", "span")}
    known = {"text": text, "date": record.get("date"), "author": record.get("speaker"), "complete": True}
    try:
        return parse_excerpt({**known, **kept})
    except StanceError as error:
        raise DataError(str(error), path, number) from None


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.standoff", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the annotations")
    parser.add_argument("--texts", type=Path, required=True, help="folder of their sources")
    parser.add_argument("output", type=Path, help="file of excerpts to write")
    options = parser.parse_args(arguments)
    save_excerpts(read_standoff(options.folder, options.texts)["train"], options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
