"""From excerpts to training examples: one row per sentence with every judged pair, kept in a HF dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from datasets import Dataset
from tokenizers import Encoding

from stance.excerpts import Excerpt
from stance.labels import PLOVER_ROOTS, Label, Polarity, Stance
from stance.packing import ENDS_PER_PAIR, MARKERS_PER_PAIR, PackedBatch, PackedRow, collate
from stance.pairs import Pair
from stance.scoring import PairScorer
from stance.sentences import encodable
from stance.tagging import UNKNOWN_TAG, tag_pieces
from stance.targets import Mention
from training.losses import EXACT, NEGATIVE, NEUTRAL, POSITIVE, UNKNOWN_RELATION
from training.mentions import marks_all_mentions

_KINDS = {Polarity.POSITIVE: POSITIVE, Polarity.NEUTRAL: NEUTRAL, Polarity.NEGATIVE: NEGATIVE}
Soft = tuple[float, ...]
"""A label that is no more than a probability of every stance, in ``Stance`` order."""

_PLAIN = 0.1  # a pair none of whose stances is as likely as this has none, for the choice of pairs to show

_RELATIONS = {root: number for number, root in enumerate(PLOVER_ROOTS)}


@dataclass(slots=True)
class JudgedSentence:
    """A sentence with every pair that some excerpt of it judges, and its mentions where all of them are known."""

    text: str
    pairs: list[Pair] = field(default_factory=list)
    labels: list[Label | Soft] = field(default_factory=list)
    relations: list[str | None] = field(default_factory=list)
    mentions: tuple[Mention, ...] | None = None


def judged_sentences(excerpts: Iterable[Excerpt]) -> list[JudgedSentence]:
    """Join excerpts of the same text, so that it is encoded once; of two labels for one pair the first stays.

    A complete excerpt gives its directed pairs and, with holder ANY, its targets.
    """
    by_text: dict[str, JudgedSentence] = {}
    seen: set[Pair] = set()
    for excerpt in excerpts:
        sentence = by_text.setdefault(excerpt.text, JudgedSentence(excerpt.text))
        if marks_all_mentions(excerpt):
            sentence.mentions = excerpt.mentions
        codes = {(p.holder, p.target): p.relation for p in excerpt.pairs}
        views = [excerpt.to_pairs(), excerpt.to_target_pairs()] if excerpt.complete else [excerpt.to_pairs()]
        for pairs, labels in views:
            for pair, label in zip(pairs, labels, strict=True):
                if pair not in seen:
                    seen.add(pair)
                    sentence.pairs.append(pair)
                    sentence.labels.append(label)
                    sentence.relations.append(codes.get((pair.holder, pair.target)))
    return [s for s in by_text.values() if s.pairs or s.mentions is not None]


def with_second(sentences: Iterable[JudgedSentence], second: Mapping[str, JudgedSentence]) -> list[JudgedSentence]:
    """Take the mean of two opinions: a pair with an exact label that ``second`` judges too becomes a soft one.

    ``second`` is looked up by text.
    """

    def mean(label: Label | Soft, other: Label | Soft | None) -> Label | Soft:
        if isinstance(label, Polarity) or other is None:
            return label
        return tuple((x + y) / 2 for x, y in zip(_target(label), _target(other), strict=True))

    def joined(one: JudgedSentence, other: JudgedSentence) -> JudgedSentence:
        others = dict(zip(other.pairs, other.labels, strict=True))
        labels = [mean(label, others.get(pair)) for pair, label in zip(one.pairs, one.labels, strict=True)]
        return replace(one, labels=labels)

    return [joined(s, second[s.text]) if s.text in second else s for s in sentences]


def make_dataset(sentences: Sequence[JudgedSentence], scorer: PairScorer, max_pairs: int) -> Dataset:
    """Tokenise and pack sentences into a dataset of rows: tokens, spans, modes, targets, kinds, relations, tags.

    ``size`` is that of a row of which ``draw_pairs`` has left at most ``max_pairs`` pairs.
    """
    pairs = [p for s in sentences for p in s.pairs]
    labels = [x for s in sentences for x in s.labels]
    codes = [x for s in sentences for x in s.relations]
    owners = np.repeat(np.arange(len(sentences)), [len(s.pairs) for s in sentences])
    texts = [encodable(s.text) for s in sentences]
    encodings = scorer.tokenizer.encode_batch(texts, add_special_tokens=False)
    tags = [_tags(s, e) for s, e in zip(sentences, encodings, strict=True)]
    rows = [(row, tags[owners[row.index[0]]]) for row in scorer.pack(pairs)]
    unjudged = [(e.ids, t) for s, e, t in zip(sentences, encodings, tags, strict=True) if not s.pairs and e.ids]
    rows += [(_plain_row(ids), t) for ids, t in unjudged if len(ids) <= scorer.packing.max_text]
    return Dataset.from_list([_record(row, labels, codes, t, max_pairs) for row, t in rows])


def draw_pairs(record: Mapping[str, Any], max_pairs: int, random: np.random.Generator) -> dict[str, Any]:
    """Leave at most ``max_pairs`` pairs in a record: those with a stance first, the rest at random."""
    targets = np.asarray(record["targets"])
    if len(targets) <= max_pairs:
        return dict(record)
    plain = (targets.max(axis=1) < _PLAIN) & (np.asarray(record["kinds"]) == EXACT)
    kept = np.sort(np.argsort(plain + random.uniform(0, 0.5, len(plain)))[:max_pairs])
    drawn = {key: [record[key][i] for i in kept] for key in ("spans", "modes", "targets", "kinds", "relations")}
    return {**record, **drawn}


def _tags(sentence: JudgedSentence, encoding: Encoding) -> list[int] | None:
    """Tag the pieces of a sentence whose mentions are all known; None for one of which they are not."""
    if sentence.mentions is None:
        return None
    tags = tag_pieces(encoding, sentence.text, [(m.start, m.end) for m in sentence.mentions])
    return [int(tag) for tag in tags]


def _plain_row(ids: Sequence[int]) -> PackedRow:
    """Lay out a sentence without pairs, of which only the mentions are learned."""
    nothing = np.zeros(0, dtype=np.int64)
    return PackedRow(
        np.asarray(ids, dtype=np.int64), nothing.reshape(0, ENDS_PER_PAIR), nothing, nothing, truncated=False
    )


def _record(
    row: PackedRow, labels: Sequence[Label | Soft], codes: Sequence[str | None], tags: list[int] | None, max_pairs: int
) -> dict[str, Any]:
    chosen = [labels[i] for i in row.index]
    relations = [codes[i] for i in row.index]
    n_text, n_markers = row.size
    return {
        "size": (n_text, min(n_markers, MARKERS_PER_PAIR * max_pairs)),
        "tokens": row.tokens.tolist(),
        "spans": row.spans.tolist(),
        "modes": row.modes.tolist(),
        "targets": [_target(label) for label in chosen],
        "kinds": [_KINDS[label] if isinstance(label, Polarity) else EXACT for label in chosen],
        "relations": [UNKNOWN_RELATION if r is None else _RELATIONS[r] for r in relations],
        "tags": [UNKNOWN_TAG] * len(row.tokens) if tags is None or row.truncated else tags,
    }


def _target(label: Label | Soft) -> list[float]:
    if isinstance(label, Polarity):
        return [0.0, float(label is Polarity.NEGATIVE), 0.0]
    if isinstance(label, tuple):
        return list(label)
    return [float(s in label) for s in Stance]


@dataclass(frozen=True, slots=True)
class ExampleBatch:
    """A packed batch with its gold: ``targets`` ``(n_pairs, 3)``, ``kinds`` and ``relations`` ``(n_pairs,)``.

    ``tags`` is ``(n_rows, length)``.
    """

    packed: PackedBatch
    targets: np.ndarray[Any, np.dtype[np.float32]]
    kinds: np.ndarray[Any, np.dtype[np.int64]]
    relations: np.ndarray[Any, np.dtype[np.int64]]
    tags: np.ndarray[Any, np.dtype[np.int64]]


def collate_examples(records: Sequence[dict[str, Any]], scorer: PairScorer) -> ExampleBatch:
    """Turn dataset records into one batch."""
    rows = []
    for record in records:
        spans = np.asarray(record["spans"], dtype=np.int64).reshape(-1, ENDS_PER_PAIR)
        modes = np.asarray(record["modes"], dtype=np.int64)
        tokens = np.asarray(record["tokens"], dtype=np.int64)
        rows.append(PackedRow(tokens, spans, modes, np.arange(len(modes)), truncated=False))
    packed = collate(rows, scorer.packing)
    tags = np.full(packed.input_ids.shape, UNKNOWN_TAG, dtype=np.int64)
    for row, record in zip(tags, records, strict=True):
        row[1 : 1 + len(record["tags"])] = record["tags"]  # behind [CLS]
    return ExampleBatch(
        packed=packed,
        targets=np.concatenate([np.asarray(r["targets"], dtype=np.float32).reshape(-1, 3) for r in records]),
        kinds=np.concatenate([np.asarray(r["kinds"], dtype=np.int64) for r in records]),
        relations=np.concatenate([np.asarray(r["relations"], dtype=np.int64) for r in records]),
        tags=tags,
    )
