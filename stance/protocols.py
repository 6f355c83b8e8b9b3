"""Protocols: the figures by which the papers of published benchmarks compare systems, from a publisher's own file.

Every row of the file counts, as in the papers, also one that names no pair that could be judged: it is a miss, and in
DSE, where no stance is a class, neutral. How many these are is said in the section's notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stance.errors import StanceError
from stance.formats.dse import DseRow
from stance.formats.newsmtsc import NewsmtscRow
from stance.formats.plv import PlvRow
from stance.labels import PLOVER_QUADS, PLOVER_ROOTS, Stance
from stance.metrics import (
    POLARITIES,
    IntArray,
    directed_classes,
    polarity_classes,
    positive_probability,
)
from stance.predictions import Prediction
from stance.scoring import FloatArray
from stance.sections import Judged, judge_numbers

PublishedRow = PlvRow | DseRow | NewsmtscRow

DSE_CLASSES = ("neutral", "positive p->q", "positive q->p", "negative p->q", "negative q->p")
"""Classes of DSE in the publisher's order."""
_SIDES = ("Coop", "Conf")
_QUADS = tuple(dict.fromkeys(PLOVER_QUADS.values()))
_NO_PROBABILITIES = np.zeros((0, len(Stance)), dtype=np.float32)


def published_kinds(
    rows: Sequence[PublishedRow], verdicts: Sequence[Sequence[Prediction]], documents: IntArray
) -> list[Judged]:
    """Score rows as their paper does; ``verdicts`` are the predictions of each row's pairs, in the excerpt's order.

    ``documents`` ``(n_rows,)`` number the documents that the bootstrap draws.

    Raises:
        StanceError: the rows are of several publishers.
    """
    kinds = {type(row) for row in rows}
    if len(kinds) > 1:
        raise StanceError(f"expected rows of one publisher; got {len(kinds)}; report on each file by itself")
    plv = [row for row in rows if isinstance(row, PlvRow)]
    dse = [row for row in rows if isinstance(row, DseRow)]
    newsmtsc = [row for row in rows if isinstance(row, NewsmtscRow)]
    if plv:
        return plv_kinds(plv, verdicts, documents)
    if dse:
        return [dse_kind(dse, verdicts, documents)]
    return [newsmtsc_kind(newsmtsc, verdicts, documents)] if newsmtsc else []


def plv_kinds(rows: Sequence[PlvRow], verdicts: Sequence[Sequence[Prediction]], documents: IntArray) -> list[Judged]:
    """Score PLV as Hu et al., ACL 2024, do: macro-F1 of binary, quad and root classes; besides of the three stances.

    Every row has a class, so the likeliest is taken: binary and stance from the stances' probabilities, root from the
    relation, quad from the root.
    """
    judged = np.array([bool(v) for v in verdicts], dtype=np.bool_)
    probabilities = probability_matrix([v[0] for v in verdicts if v])
    roots = [v[0].relation if v else None for v in verdicts]
    binary, stance = np.full(len(rows), -1), np.full(len(rows), -1)
    binary[judged] = probabilities[:, 1] > positive_probability(probabilities)
    stance[judged] = probabilities.argmax(axis=1)
    quads = [PLOVER_QUADS[root] if root else None for root in roots]
    stances = tuple(str(s) for s in Stance)
    gold_sides = [_SIDES[row.quad.endswith("Conf")] for row in rows]
    gold_stances = [str(PLOVER_ROOTS[row.root]) for row in rows]
    roots_of = tuple(PLOVER_ROOTS)
    gold_roots = [row.root for row in rows]
    notes = _unjudged(len(rows), int((~judged).sum()), "a marked target", "a miss")
    kinds = [
        ("binary", _SIDES, _numbers(gold_sides, _SIDES), binary),
        ("stance", stances, _numbers(gold_stances, stances), stance),
        ("quad", _QUADS, _numbers([row.quad for row in rows], _QUADS), _numbers(quads, _QUADS)),
        ("root", roots_of, _numbers(gold_roots, roots_of), _numbers(roots, roots_of)),
    ]
    return [
        judge_numbers(f"plv/{name}", f"PLV {name}", classes, documents, y_true=y_true, y_pred=y_pred, notes=notes)
        for name, classes, y_true, y_pred in kinds
    ]


def dse_kind(rows: Sequence[DseRow], verdicts: Sequence[Sequence[Prediction]], documents: IntArray) -> Judged:
    """Score DSE as Park et al., Findings of ACL 2021, do: five classes, micro-F1 (accuracy) and macro-F1."""
    judged = np.array([bool(v) for v in verdicts], dtype=np.bool_)
    y_pred = np.zeros(len(rows), dtype=np.int64)
    forward, backward = (probability_matrix([v[i] for v in verdicts if v]) for i in (0, 1))
    y_pred[judged] = directed_classes(forward, backward)
    y_true = np.array([row.number for row in rows], dtype=np.int64)
    notes = _unjudged(len(rows), int((~judged).sum()), "two words as entities", "neutral")
    return judge_numbers(
        "dse", "DSE, five directed classes", DSE_CLASSES, documents, y_true=y_true, y_pred=y_pred, notes=notes
    )


def newsmtsc_kind(rows: Sequence[NewsmtscRow], verdicts: Sequence[Sequence[Prediction]], documents: IntArray) -> Judged:
    """Score NewsMTSC as Hamborg and Donnay, EACL 2021, do: macro-F1 of polarity over every listing of a target."""
    found: list[Prediction | None] = []
    numbers: list[int] = []
    gold: list[str] = []
    for row, predictions, document in zip(rows, verdicts, documents.tolist(), strict=True):
        by_target: Mapping[object, Prediction] = {p.pair.target: p for p in predictions}
        for mention, polarity in row.targets:
            found.append(by_target.get(mention))
            numbers.append(document)
            gold.append(str(polarity))
    judged = np.array([p is not None for p in found], dtype=np.bool_)
    y_pred = np.full(len(found), -1)
    y_pred[judged] = polarity_classes(probability_matrix([p for p in found if p is not None]))
    classes = tuple(str(p) for p in POLARITIES)
    notes = _unjudged(len(found), int((~judged).sum()), "one polarity for their span", "a miss")
    places, y_true = np.array(numbers, dtype=np.int64), _numbers(gold, classes)
    return judge_numbers("newsmtsc", "NewsMTSC, polarity", classes, places, y_true=y_true, y_pred=y_pred, notes=notes)


def probability_matrix(predictions: Sequence[Prediction]) -> FloatArray:
    """Lay the probabilities of predictions out as ``(n, 3)``, columns as ``Stance``."""
    order = tuple(Stance)
    rows = [[p.probabilities[s] for s in order] for p in predictions]
    return np.array(rows, dtype=np.float32) if rows else _NO_PROBABILITIES


def _numbers(names: Sequence[str | None], classes: Sequence[str]) -> IntArray:
    places = {name: i for i, name in enumerate(classes)}
    return np.array([-1 if name is None else places[name] for name in names], dtype=np.int64)


def _unjudged(n_rows: int, n_unjudged: int, lacked: str, counted: str) -> tuple[str, ...]:
    if not n_unjudged:
        return ()
    return (f"{n_unjudged} of {n_rows} rows lack {lacked} and were not judged; each counts as {counted}",)
