"""Excerpt: one annotated sentence, the gold that training and evaluation share.

The file format is JSON lines, one object per sentence, offsets half-open characters into ``text``::

    {"id": "x-1", "source": "seed", "document": "d1", "date": "2021-08-16", "author": "Xinhua", "context": "",
     "text": "Iran thanked China.", "mentions": [[0, 4], [13, 18]],
     "pairs": [{"holder": [0, 4], "target": [13, 18], "stances": ["support"]}], "complete": true}

``holder`` is a span, ``null`` for the author, or ``"any"``. A pair carries ``stances`` or, where no more is
known, ``polarity``; it may carry ``relation``, a PLOVER root code. ``complete: true`` says that every directed
pair not listed has no stance.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stance.errors import DataError, StanceError
from stance.labels import PLOVER_ROOTS, Label, Polarity, Stance, parse_stances
from stance.pairs import ANY, AUTHOR, Holder, OpenHolder, Pair, make_pairs
from stance.sentences import Sentence
from stance.targets import Mention, Target

_KEYS = frozenset({"id", "source", "document", "date", "author", "context", "text", "mentions", "pairs", "complete"})
_PAIR_KEYS = frozenset({"holder", "target", "stances", "polarity", "relation"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an excerpt comes from: corpus, document and date, each as the publisher writes it."""

    source: str | None = None
    document: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class GoldPair:
    """One annotated pair: whose stance, toward whom, and what is known of it."""

    holder: Holder
    target: Mention
    label: Label
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One annotated sentence with everything that is known of its stances."""

    id: str
    text: str
    context: str = ""
    author: str | None = None
    mentions: tuple[Mention, ...] = ()
    pairs: tuple[GoldPair, ...] = ()
    complete: bool = False
    origin: Origin = field(default_factory=Origin)

    @property
    def sentence(self) -> Sentence:
        """The excerpt's text as a sentence of its own."""
        return Sentence.of(self.text)

    @property
    def document_key(self) -> str:
        """What excerpts of one document share and no others have; without a document, those of the same text do."""
        return f"{self.origin.source}/{self.origin.document}" if self.origin.document else f"text:{self.text}"

    @property
    def holders(self) -> tuple[Mention, ...]:
        """Every span that can hold a stance: the mentions, then holders that are no mention."""
        spans = {(m.start, m.end): m for m in self.mentions}
        for pair in self.pairs:
            if isinstance(pair.holder, Mention):
                spans.setdefault((pair.holder.start, pair.holder.end), pair.holder)
        return tuple(spans.values())

    def to_pairs(self) -> tuple[list[Pair], list[Label]]:
        """List the directed pairs to judge, with gold labels in the same order.

        A complete excerpt expands to every pair of a mention, a holder or the author toward a mention;
        unlisted ones carry the empty set. An incomplete one gives only the pairs that it lists.
        """
        sentence = self.sentence
        listed = {(_place(p.holder), _place(p.target)): p for p in self.pairs}
        if not self.complete:
            return [Pair(sentence, p.holder, p.target) for p in self.pairs], [p.label for p in self.pairs]
        extra = [h for h in self.holders if h not in self.mentions]
        pairs = make_pairs(sentence, self.mentions, holders=[*extra, AUTHOR])
        empty: Label = frozenset()
        gold = [listed.get((_place(p.holder), _place(p.target))) for p in pairs]
        return pairs, [empty if g is None else g.label for g in gold]

    def to_target_pairs(self) -> tuple[list[Pair], list[Label]]:
        """List one pair per mention with holder ``ANY``: gold is the union over all holders.

        Only a complete excerpt knows the union; an incomplete one gives the pairs it lists with ``ANY``.
        """
        sentence = self.sentence
        if not self.complete:
            listed = [p for p in self.pairs if p.holder is ANY]
            return [Pair(sentence, ANY, p.target) for p in listed], [p.label for p in listed]
        union: dict[tuple[int, int], set[Stance]] = {(m.start, m.end): set() for m in self.mentions}
        for pair in self.pairs:
            if not isinstance(pair.label, Polarity):
                union[pair.target.start, pair.target.end] |= pair.label
        pairs = [Pair(sentence, ANY, mention) for mention in self.mentions]
        return pairs, [frozenset(union[m.start, m.end]) for m in self.mentions]


def load_excerpts(path: str | Path) -> list[Excerpt]:
    """Read a JSON-lines file of excerpts.

    Raises:
        DataError: the file cannot be read, or a row breaks the format; the message names file and line.
    """
    return [excerpt for _, excerpt in read_excerpts(Path(path))]


def save_excerpts(excerpts: Iterable[Excerpt], path: str | Path) -> None:
    """Write excerpts as JSON lines; ``load_excerpts`` reads back equal objects."""
    # A lone surrogate, which UTF-8 cannot hold, goes out as the JSON escape that it came from.
    with Path(path).open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for excerpt in excerpts:
            file.write(json.dumps(excerpt_record(excerpt), ensure_ascii=False) + "\n")


def parse_excerpt(record: Mapping[str, Any]) -> Excerpt:
    """Build an excerpt from one decoded JSON object.

    Raises:
        StanceError: a key is missing, unknown or ill-typed, a span does not fit the text, or a label is unknown.
    """
    _check_keys(record)
    text = record["text"]
    mentions = tuple(_mention(span, text, "a mention") for span in record["mentions"])
    spans = [(m.start, m.end) for m in mentions]
    if len(set(spans)) < len(spans):
        raise StanceError("expected each mention once; got a span twice; remove the second")
    complete = record["complete"]
    pairs = tuple(_gold_pair(row, text, set(spans)) for row in record["pairs"])
    places = [(_place(p.holder), _place(p.target)) for p in pairs]
    if len(set(places)) < len(places):
        raise StanceError("expected each directed pair once; got one twice; join their stances")
    if complete and any(isinstance(p.label, Polarity) or p.holder is ANY for p in pairs):
        raise StanceError(
            "expected a complete excerpt to hold exact stances of named holders or the author; "
            'got a polarity or "any"; write "complete": false'
        )
    origin = Origin(record.get("source"), record.get("document"), record.get("date"))
    context, author = record.get("context") or "", record.get("author")
    return Excerpt(record["id"], text, context, author, mentions, pairs, complete, origin)


def read_excerpts(path: Path) -> Iterator[tuple[int, Excerpt]]:
    """Read a JSON-lines file of excerpts one by one, each with its 1-based line number.

    Raises:
        DataError: as ``load_excerpts``.
    """
    for number, record in read_json_lines(path):
        try:
            yield number, parse_excerpt(record)
        except StanceError as error:
            raise DataError(str(error), path, number) from None


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read one JSON object per line with its 1-based line number; blank lines are passed over.

    Raises:
        DataError: the file is missing, is not UTF-8, or a line is not a JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _json_object(line, path, number)
    except OSError as error:
        raise DataError(f"expected a readable file; got {error.strerror}; check the path", path) from None
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8 text; got {error.reason}; save the file as UTF-8", path) from None


def _json_object(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(
            f"expected one JSON object; got {error.msg} at column {error.colno}; write one object per line",
            path,
            number,
        ) from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise DataError("expected one JSON object; got what no reader takes; mend the line", path, number) from None
    if not isinstance(record, dict):
        raise DataError(
            f"expected one JSON object; got {type(record).__name__}; write one object per line", path, number
        )
    return record


def _check_keys(record: Mapping[str, Any]) -> None:
    unknown = sorted(set(record) - _KEYS)
    if unknown:
        raise StanceError(f"expected keys out of {sorted(_KEYS)}; got {unknown[0]!r}; remove or rename it")
    required: dict[str, type] = {"id": str, "text": str, "mentions": list, "pairs": list, "complete": bool}
    for key, kind in required.items():
        if not isinstance(record.get(key), kind):
            raise StanceError(f"expected {key!r} as {kind.__name__}; got {record.get(key)!r}; add or correct it")
    for key in ("source", "document", "date", "author", "context"):
        if not isinstance(record.get(key), str | None):
            raise StanceError(f"expected {key!r} as text or null; got {record[key]!r}; correct it")
    if not record["text"].strip():
        raise StanceError("expected 'text' to hold a sentence; got white space; remove the row")


def _mention(span: object, text: str, what: str) -> Mention:
    if not (isinstance(span, list) and len(span) == 2 and all(type(i) is int for i in span)):
        raise StanceError(f"expected {what} as [start, end]; got {span!r}; give two character offsets")
    start, end = span
    if not 0 <= start < end <= len(text):
        raise StanceError(f"expected {what} inside the text of {len(text)} characters; got {span!r}; correct it")
    words = text[start:end]
    if words != words.strip() or not any(c.isalnum() for c in words):
        raise StanceError(f"expected {what} to cover whole words; got {words!r} at {span!r}; move its ends")
    return Mention(start, end, Target(words))


def _gold_pair(row: object, text: str, mentions: set[tuple[int, int]]) -> GoldPair:
    if not isinstance(row, dict) or not {"holder", "target"} <= set(row) or not set(row) <= _PAIR_KEYS:
        raise StanceError(
            f"expected a pair with 'holder', 'target' and 'stances' or 'polarity'; got {row!r}; correct its keys"
        )
    target = _mention(row["target"], text, "a target")
    if (target.start, target.end) not in mentions:
        raise StanceError(f"expected a target among the mentions; got {row['target']!r}; add it to 'mentions'")
    holder = _holder(row["holder"], text)
    if holder == target:
        raise StanceError(f"expected holder and target to differ; got {row['target']!r} for both; correct one")
    relation = row.get("relation")
    if relation is not None and relation not in list(PLOVER_ROOTS):
        raise StanceError(f"expected a PLOVER root out of {list(PLOVER_ROOTS)}; got {relation!r}; correct it")
    return GoldPair(holder, target, _label(row), relation)


def _holder(value: object, text: str) -> Holder:
    if value is None:
        return AUTHOR
    if value == "any":
        return ANY
    return _mention(value, text, "a holder")


def _label(row: Mapping[str, Any]) -> Label:
    if ("stances" in row) == ("polarity" in row):
        raise StanceError(f"expected either 'stances' or 'polarity'; got {sorted(row)}; give one of them")
    if "polarity" in row:
        try:
            return Polarity(row["polarity"])
        except ValueError:
            raise StanceError(
                f"expected a polarity out of {', '.join(Polarity)}; got {row['polarity']!r}; correct it"
            ) from None
    if not isinstance(row["stances"], list) or not all(isinstance(s, str) for s in row["stances"]):
        raise StanceError(f"expected 'stances' as a list of names; got {row['stances']!r}; correct it")
    return parse_stances(row["stances"])


def _place(actor: Holder) -> tuple[int, int] | OpenHolder:
    return (actor.start, actor.end) if isinstance(actor, Mention) else actor


def holder_field(holder: Holder) -> list[int] | str | None:
    """Write a holder as the excerpt format has it: a span, ``null`` or ``"any"``."""
    if isinstance(holder, Mention):
        return [holder.start, holder.end]
    return None if holder is AUTHOR else "any"


def excerpt_record(excerpt: Excerpt) -> dict[str, Any]:
    """Write an excerpt as its format has it; ``parse_excerpt`` reads it back."""
    origin = excerpt.origin
    return {
        "id": excerpt.id,
        "source": origin.source,
        "document": origin.document,
        "date": origin.date,
        "author": excerpt.author,
        "context": excerpt.context,
        "text": excerpt.text,
        "mentions": [[m.start, m.end] for m in excerpt.mentions],
        "pairs": [_pair_record(p) for p in excerpt.pairs],
        "complete": excerpt.complete,
    }


def _pair_record(pair: GoldPair) -> dict[str, Any]:
    record: dict[str, Any] = {
        "holder": holder_field(pair.holder),
        "target": [pair.target.start, pair.target.end],
    }
    if isinstance(pair.label, Polarity):
        record["polarity"] = str(pair.label)
    else:
        record["stances"] = [str(s) for s in Stance if s in pair.label]
    if pair.relation is not None:
        record["relation"] = pair.relation
    return record
