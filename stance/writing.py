"""Writing: documents, one after the other, in the formats of ``stance predict``, held in memory no longer than that."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Literal

from stance.errors import StanceError
from stance.labels import Stance
from stance.overview import OVERVIEW_COLUMNS, flat_row
from stance.predictions import FLAT_COLUMNS, Document, Prediction, flat_record
from stance.sentences import Sentence, encodable

ROW_GROUP = 50_000
"""Rows that Parquet output holds before it writes them."""

Named = Iterable[tuple[str, Document]]
"""Documents, each with the name of its file."""


@dataclass(frozen=True, slots=True)
class View:
    """What is written of a document: ``records`` as JSON holds them, ``flatten`` to ``columns``, ``lines`` to read."""

    records: Callable[[Document], list[dict[str, Any]]]
    flatten: Callable[[Mapping[str, Any]], dict[str, Any]]
    columns: Sequence[str]
    lines: Callable[[Document], Iterator[str]]


def prediction_view() -> View:
    """See every prediction."""
    return View(Document.to_records, flat_record, FLAT_COLUMNS, _prediction_lines)


def summary_view(by: Literal["actor", "state"]) -> View:
    """See the document's summary, as ``Document.stances``."""

    def records(document: Document) -> list[dict[str, Any]]:
        return document.stances(by).to_records()

    def lines(document: Document) -> Iterator[str]:
        return _summary_lines(records(document), len(document.sentences))

    return View(records, flat_row, OVERVIEW_COLUMNS, lines)


def write_table(documents: Named, view: View, out: IO[str], *, names: bool) -> None:
    """Write for the reader. ``names`` says whether each document comes under the name of its file."""
    for number, (name, document) in enumerate(documents):
        if names:
            out.write(("\n" if number else "") + f"== {name}\n")
        out.writelines(f"{line}\n" for line in view.lines(document))


def write_jsonl(documents: Named, view: View, out: IO[str], *, names: bool) -> None:
    """Write one JSON object a line; ``names`` adds the key ``file``."""
    for name, document in documents:
        for record in view.records(document):
            out.write(json.dumps({"file": name, **record} if names else record, ensure_ascii=False) + "\n")


def write_csv(documents: Named, view: View, out: IO[str], *, names: bool) -> None:
    """Write comma-separated rows under one head; ``names`` adds the column ``file``."""
    writer = csv.DictWriter(out, _columns(view, names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(documents, view, names))


def write_parquet(documents: Named, view: View, out: IO[bytes], *, names: bool) -> None:
    """Write the columns of CSV output as Apache Parquet, ``ROW_GROUP`` rows at a time; needs pyarrow.

    Raises:
        StanceError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415  # as above
    except ImportError:
        message = "expected pyarrow, which writes Parquet; got no such package; pip install 'stance[parquet]'"
        raise StanceError(message) from None
    schema = pa.schema([(column, pa.type_for_alias(_kind(column))) for column in _columns(view, names)])
    rows = _rows(documents, view, names)
    with ParquetWriter(out, schema) as writer:
        while group := list(islice(rows, ROW_GROUP)):
            clean = [{k: encodable(v) if isinstance(v, str) else v for k, v in row.items()} for row in group]
            writer.write_table(pa.Table.from_pylist(clean, schema))


WRITERS: Mapping[str, Callable[..., None]] = {
    "table": write_table,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
}
BINARY = {"parquet"}
"""Formats whose writer takes a stream of bytes."""


def _columns(view: View, names: bool) -> list[str]:
    return ["file", *view.columns] if names else list(view.columns)


def _rows(documents: Named, view: View, names: bool) -> Iterator[dict[str, Any]]:
    """Give flat rows, one for each of ``_columns``."""
    for name, document in documents:
        for record in view.records(document):
            flat = view.flatten(record)
            yield {"file": name, **flat} if names else flat


def _kind(column: str) -> str:
    """Name the Arrow type of a flat column; all but text may be missing in a row."""
    if column.startswith("n_") or column.endswith(("_index", "_start", "_end")):
        return "int64"
    if column.startswith("p_") or column == "confidence":
        return "float64"
    return "bool" if column in {"abstained", "truncated"} else "string"


def _prediction_lines(document: Document) -> Iterator[str]:
    """Show each sentence and below it who takes which stance; sentences without one are counted, not shown."""
    by_sentence: dict[Sentence, list[Prediction]] = {}
    for prediction in document:
        by_sentence.setdefault(prediction.sentence, []).append(prediction)
    shown = 0
    for number, sentence in enumerate(document.sentences, start=1):
        taken = [p for p in by_sentence.get(sentence, []) if p.stances]
        if not taken:
            continue
        shown += 1
        yield f"\n[{number}] {' '.join(sentence.text.split())}"
        for p in taken:
            stances = ", ".join(f"{s} {p.probabilities[s]:.2f}" for s in Stance if s in p.stances)
            note = "  (long sentence: judged on a part)" if p.truncated else ""
            meant = ", ".join(actor.name for actor in p.resolved)
            holder = f"{p.holder} ({meant})" if meant not in ("", str(p.holder)) else str(p.holder)
            yield f"    {holder:>24} -> {p.target.name:<24} {stances}{note}"
    abstained = sum(p.abstained for p in document)
    if abstained:
        yield f"\nNo verdict on {abstained} of {len(document)} targets: below the confidence asked for."
    total = len(document.sentences)
    yield f"\n{shown} of {total} sentences take a stance; {total - shown} take none toward a named target."


def _summary_lines(records: Sequence[Mapping[str, Any]], n_sentences: int) -> Iterator[str]:
    """Show one line per holder and target: sentences per stance, mean probability, and which sentences they are."""
    for r in records:
        stances = ", ".join(f"{s} {r['counts'][s]} ({r['probabilities'][s]:.2f})" for s in r["stances"])
        places = ", ".join(str(s["index"] + 1) for s in r["sentences"])
        yield f"{r['holder']['name']:>24} -> {r['target']['name']:<24} {stances}  [{places}]"
    yield f"{len(records)} pairs of actors in {n_sentences} sentences: sentences (mean probability) [which]"
