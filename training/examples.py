"""From excerpts to training examples: one row per sentence with every judged pair, kept in a HF dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from datasets import Dataset

from stance.excerpts import Excerpt
from stance.labels import PLOVER_ROOTS, Label, Polarity, Stance
from stance.packing import MARKERS_PER_PAIR, PackedBatch, PackedRow, collate
from stance.pairs import Pair
from stance.scoring import PairScorer
from training.losses import EXACT, NEGATIVE, NEUTRAL, POSITIVE, UNKNOWN_RELATION

_KINDS = {Polarity.POSITIVE: POSITIVE, Polarity.NEUTRAL: NEUTRAL, Polarity.NEGATIVE: NEGATIVE}
_RELATIONS = {root: number for number, root in enumerate(PLOVER_ROOTS)}


@dataclass(slots=True)
class JudgedSentence:
    """A sentence with every pair that some excerpt of it judges."""

    text: str
    pairs: list[Pair] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    relations: list[str | None] = field(default_factory=list)


def judged_sentences(excerpts: Iterable[Excerpt]) -> list[JudgedSentence]:
    """Join excerpts of the same text, so that it is encoded once; of two labels for one pair the first stays.

    A complete excerpt gives its directed pairs and, with holder ANY, its targets.
    """
    by_text: dict[str, JudgedSentence] = {}
    seen: set[Pair] = set()
    for excerpt in excerpts:
        sentence = by_text.setdefault(excerpt.text, JudgedSentence(excerpt.text))
        codes = {(p.holder, p.target): p.relation for p in excerpt.pairs}
        views = [excerpt.to_pairs(), excerpt.to_target_pairs()] if excerpt.complete else [excerpt.to_pairs()]
        for pairs, labels in views:
            for pair, label in zip(pairs, labels, strict=True):
                if pair not in seen:
                    seen.add(pair)
                    sentence.pairs.append(pair)
                    sentence.labels.append(label)
                    sentence.relations.append(codes.get((pair.holder, pair.target)))
    return [s for s in by_text.values() if s.pairs]


def make_dataset(sentences: Sequence[JudgedSentence], scorer: PairScorer, max_pairs: int) -> Dataset:
    """Tokenise and pack sentences into a dataset of rows: tokens, spans, modes, targets, kinds, relations.

    ``length`` counts the columns of a row of which ``draw_pairs`` has left at most ``max_pairs`` pairs.
    """
    pairs = [p for s in sentences for p in s.pairs]
    labels = [x for s in sentences for x in s.labels]
    codes = [x for s in sentences for x in s.relations]
    return Dataset.from_list([_record(row, labels, codes, max_pairs) for row in scorer.pack(pairs)])


def draw_pairs(record: Mapping[str, Any], max_pairs: int, random: np.random.Generator) -> dict[str, Any]:
    """Leave at most ``max_pairs`` pairs in a record: those with a stance first, the rest at random."""
    targets = np.asarray(record["targets"])
    if len(targets) <= max_pairs:
        return dict(record)
    plain = (targets.max(axis=1) == 0) & (np.asarray(record["kinds"]) == EXACT)
    kept = np.sort(np.argsort(plain + random.uniform(0, 0.5, len(plain)))[:max_pairs])
    drawn = {key: [record[key][i] for i in kept] for key in ("spans", "modes", "targets", "kinds", "relations")}
    return {**record, **drawn}


def _record(row: PackedRow, labels: Sequence[Label], codes: Sequence[str | None], max_pairs: int) -> dict[str, Any]:
    chosen = [labels[i] for i in row.index]
    relations = [codes[i] for i in row.index]
    return {
        "length": row.length - MARKERS_PER_PAIR * max(0, len(row.modes) - max_pairs),
        "tokens": row.tokens.tolist(),
        "spans": row.spans.tolist(),
        "modes": row.modes.tolist(),
        "targets": [_target(label) for label in chosen],
        "kinds": [_KINDS[label] if isinstance(label, Polarity) else EXACT for label in chosen],
        "relations": [UNKNOWN_RELATION if r is None else _RELATIONS[r] for r in relations],
    }


def _target(label: Label) -> list[float]:
    if isinstance(label, Polarity):
        return [0.0, float(label is Polarity.NEGATIVE), 0.0]
    return [float(s in label) for s in Stance]


@dataclass(frozen=True, slots=True)
class ExampleBatch:
    """A packed batch with its gold: ``targets`` ``(n_pairs, 3)``, ``kinds`` and ``relations`` ``(n_pairs,)``."""

    packed: PackedBatch
    targets: np.ndarray[Any, np.dtype[np.float32]]
    kinds: np.ndarray[Any, np.dtype[np.int64]]
    relations: np.ndarray[Any, np.dtype[np.int64]]


def collate_examples(records: Sequence[dict[str, Any]], scorer: PairScorer) -> ExampleBatch:
    """Turn dataset records into one batch."""
    rows = []
    for record in records:
        spans = np.asarray(record["spans"], dtype=np.int64)
        modes = np.asarray(record["modes"], dtype=np.int64)
        tokens = np.asarray(record["tokens"], dtype=np.int64)
        rows.append(PackedRow(tokens, spans, modes, np.arange(len(modes)), truncated=False))
    return ExampleBatch(
        packed=collate(rows, scorer.packing),
        targets=np.concatenate([np.asarray(r["targets"], dtype=np.float32) for r in records]),
        kinds=np.concatenate([np.asarray(r["kinds"], dtype=np.int64) for r in records]),
        relations=np.concatenate([np.asarray(r["relations"], dtype=np.int64) for r in records]),
    )
