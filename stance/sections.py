"""Section: one kind of judgement, scored class by class, with intervals over documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stance.bootstrap import DocumentCounts, count_by_document, interval, resample
from stance.metrics import (
    BoolArray,
    IntArray,
    Numbers,
    confusion_matrix,
    count_rows,
    f1_of,
    held_classes,
    macro_of,
    one_hot,
    precision_of,
    recall_of,
)
from stance.reliability import Reliability, RiskCoverage, measure_reliability, measure_risk
from stance.slices import SliceKey


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of a class or of several, F1 with the interval ``low`` to ``high``.

    A share of nothing is not a number. ``n_gold`` and ``n_predicted`` count labels.
    """

    name: str
    precision: float
    recall: float
    f1: float
    low: float
    high: float
    n_gold: int
    n_predicted: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the pairs, such as those whose ``holder`` is the ``author``, with its micro score."""

    kind: str
    value: str
    n_pairs: int
    score: Score


@dataclass(frozen=True, slots=True)
class Judged:
    """Gold and prediction of one kind of judgement, before it is scored; rows are pairs.

    ``documents`` ``(n,)`` number the document of each row; ``y_true`` and ``y_pred`` are ``(n, n_classes)``.
    ``chances`` ``(n, n_classes)``, if any, are the probabilities of the classes, ``confidence`` ``(n,)`` of the answer.
    ``slices`` hold row numbers.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    documents: IntArray
    y_true: BoolArray
    y_pred: BoolArray
    chances: Numbers | None = None
    confidence: Numbers | None = None
    slices: Mapping[SliceKey, IntArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def judge_numbers(
    name: str,
    title: str,
    classes: tuple[str, ...],
    documents: IntArray,
    *,
    y_true: IntArray,
    y_pred: IntArray,
    notes: tuple[str, ...],
) -> Judged:
    """Set class numbers ``(n,)`` against each other, one class a row; a predicted number below 0 is no answer."""
    n = len(classes)
    return Judged(name, title, classes, documents, one_hot(y_true, n), one_hot(y_pred, n), notes=notes)


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of judgement, scored.

    ``classes`` keep their order, stances as ``Stance`` has them; ``section["support"]`` looks one up. ``micro`` is
    over all decisions, ``macro`` is the mean over the classes that gold holds. ``confusion`` counts gold (rows) against
    predicted classes, none in the last row and column; see ``metrics.confusion_matrix``. ``counts`` are those of each
    document, ``(n_documents, n_classes, 3)``, for comparisons.
    """

    name: str
    title: str
    n_pairs: int
    classes: tuple[Score, ...]
    micro: Score
    macro: Score
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[Reliability, ...]
    risk_coverage: RiskCoverage | None
    slices: tuple[Slice, ...]
    notes: tuple[str, ...]
    counts: DocumentCounts = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> Score:
        return {score.name: score for score in (*self.classes, self.micro, self.macro)}[name]

    @property
    def held(self) -> BoolArray:
        """Which classes gold holds, ``(n_classes,)``: those that ``macro`` averages."""
        return np.array([score.n_gold > 0 for score in self.classes])


def score_sections(judged: Sequence[Judged], n_documents: int, *, rounds: int, seed: int) -> list[Section]:
    """Score several kinds of judgement on the same documents with the same bootstrap draws."""
    counts = [count_by_document(j.documents, count_rows(j.y_true, j.y_pred)) for j in judged]
    parts = [
        count_by_document(j.documents[rows], count_rows(j.y_true[rows], j.y_pred[rows]).sum(axis=1))
        for j in judged
        for rows in j.slices.values()
    ]
    samples = resample([*counts, *parts], n_documents, rounds=rounds, seed=seed)
    part_samples = iter(zip(parts, samples[len(judged) :], strict=True))
    sections = []
    for j, count, sample in zip(judged, counts, samples, strict=False):
        slices = []
        for (kind, value), rows in j.slices.items():
            part, part_sample = next(part_samples)
            slices.append(Slice(kind, value, len(rows), _score(value, part.total, f1_of(part_sample))))
        sections.append(_section(j, count, sample, tuple(slices)))
    return sections


def _section(judged: Judged, counts: DocumentCounts, samples: Numbers, slices: tuple[Slice, ...]) -> Section:
    total, held = counts.total, held_classes(judged.y_true)
    classes = tuple(_score(name, total[i], f1_of(samples[:, i])) for i, name in enumerate(judged.classes))
    matrix = confusion_matrix(judged.y_true, judged.y_pred)
    return Section(
        name=judged.name,
        title=judged.title,
        n_pairs=len(judged.documents),
        classes=classes,
        micro=_score("micro", total.sum(axis=0), f1_of(samples.sum(axis=1))),
        macro=_macro(total, held, samples),
        confusion=tuple(tuple(int(n) for n in row) for row in matrix),
        reliability=_reliability(judged),
        risk_coverage=_risk(judged),
        slices=slices,
        notes=(*judged.notes, *_absences(classes)),
        counts=counts,
    )


def _score(name: str, counts: Numbers, samples: Numbers) -> Score:
    precision, recall, f1 = (float(share(counts)) for share in (precision_of, recall_of, f1_of))
    return Score(name, precision, recall, f1, *interval(samples), round(counts[1]), round(counts[2]))


def _macro(counts: Numbers, held: BoolArray, samples: Numbers) -> Score:
    """Average over the classes that gold holds; the precision of one that is never predicted counts as 0."""
    _, n_gold, n_predicted = counts.sum(axis=0)
    precision, recall = (
        float(np.nan_to_num(share(counts[held])).mean()) if held.any() else float("nan")
        for share in (precision_of, recall_of)
    )
    low, high = interval(macro_of(samples, held))
    return Score(
        "macro", precision, recall, float(macro_of(counts, held)), low, high, round(n_gold), round(n_predicted)
    )


def _absences(classes: Sequence[Score]) -> list[str]:
    """Say which classes are out of the macro average and which pull it down without being predicted."""
    notes = []
    absent = [s for s in classes if not s.n_gold]
    if absent:
        named = ", ".join(f"{s.name} (predicted: {s.n_predicted})" for s in absent)
        notes.append(
            f"macro is over {len(classes) - len(absent)} of {len(classes)} classes; gold does not hold: {named}"
        )
    silent = [s.name for s in classes if s.n_gold and not s.n_predicted]
    if silent:
        notes.append(f"never predicted, and counted in macro with an F1 of 0: {', '.join(silent)}")
    return notes


def _reliability(judged: Judged) -> tuple[Reliability, ...]:
    chances = judged.chances
    if chances is None:
        return ()
    by_class = [measure_reliability(name, chances[:, i], judged.y_true[:, i]) for i, name in enumerate(judged.classes)]
    return (measure_reliability("all", chances.ravel(), judged.y_true.ravel()), *by_class)


def _risk(judged: Judged) -> RiskCoverage | None:
    if judged.confidence is None:
        return None
    return measure_risk(judged.confidence, (judged.y_true == judged.y_pred).all(axis=1))
