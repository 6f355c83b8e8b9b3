"""Evaluation: from a file of gold to predictions and their report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.classifier import StanceClassifier
from stance.errors import StanceError
from stance.excerpts import Excerpt
from stance.formats import FORMATS, ROW_FORMATS
from stance.labels import Label, Polarity, Stance
from stance.metrics import POLARITIES, polarity_classes
from stance.predictions import Prediction
from stance.protocols import PublishedRow, probability_matrix
from stance.report import Report
from stance.sentences import encodable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A system on a file: the excerpts, the predictions of what they list, and the report.

    ``predictions`` answer ``Excerpt.to_pairs`` of every excerpt, in order; ``target_predictions`` answer
    ``Excerpt.to_target_pairs`` of the complete ones.
    """

    excerpts: list[Excerpt]
    predictions: list[Prediction]
    target_predictions: list[Prediction]
    report: Report

    def to_frame(self) -> pd.DataFrame:
        """Give one row per judged pair, gold beside the answer; needs pandas.

        Columns: ``id``, ``document`` and ``text`` of the excerpt; ``holder``, ``target``; ``gold`` and ``predicted``
        (stances joined by ``|``, or the polarity where gold is one); ``correct``; ``p_support``, ``p_oppose``,
        ``p_cooperate``.
        """
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        views = [
            ((e, *e.to_pairs()) for e in self.excerpts),
            ((e, *e.to_target_pairs()) for e in self.excerpts if e.complete),
        ]
        gold = [(e, label) for view in views for e, _, labels in view for label in labels]
        answers = [*self.predictions, *self.target_predictions]
        rows = [_frame_row(e, label, answer) for (e, label), answer in zip(gold, answers, strict=True)]
        return pd.DataFrame.from_records(rows, columns=FRAME_COLUMNS)


FRAME_COLUMNS = [
    "id",
    "document",
    "text",
    "holder",
    "target",
    "gold",
    "predicted",
    "correct",
    *(f"p_{s}" for s in Stance),
]
"""Columns of ``Evaluation.to_frame``."""


def _frame_row(excerpt: Excerpt, label: Label, answer: Prediction) -> dict[str, Any]:
    given: Label = answer.stances
    if isinstance(label, Polarity):
        given = POLARITIES[int(polarity_classes(probability_matrix([answer]))[0])]
    return {
        "id": excerpt.id,
        "document": excerpt.origin.document,
        "text": encodable(excerpt.text),
        "holder": str(answer.pair.holder),
        "target": answer.target.name,
        "gold": _label_words(label),
        "predicted": _label_words(given),
        "correct": label == given,
        **{f"p_{s}": answer.probabilities[s] for s in Stance},
    }


def _label_words(label: Label) -> str:
    return str(label) if isinstance(label, Polarity) else "|".join(s for s in Stance if s in label)


def evaluate(classifier: StanceClassifier, path: str | Path, format: str = "excerpts") -> Evaluation:  # noqa: A002  # as the command line has it
    """Judge every gold pair of a file and score the result.

    ``format`` is one of ``stance.formats.FORMATS``. A publisher's file adds the figures that its paper reports.

    Raises:
        StanceError: the format is unknown, or the file has nothing to score.
        DataError: the file cannot be read or breaks its format; the message names file and line.
    """
    excerpts, rows = read_gold(path, format)
    return evaluate_excerpts(classifier, excerpts, rows)


def evaluate_excerpts(
    classifier: StanceClassifier, excerpts: Sequence[Excerpt], rows: Sequence[PublishedRow] = ()
) -> Evaluation:
    """Judge every gold pair of excerpts and score the result; ``rows`` are the publisher's, where there are any.

    Raises:
        StanceError: there is nothing to score.
    """
    pairs = [pair for e in excerpts for pair in e.to_pairs()[0]]
    targets = [pair for e in excerpts if e.complete for pair in e.to_target_pairs()[0]]
    judged = classifier.predict_pairs([*pairs, *targets])
    report = Report.from_predictions(excerpts, judged, rows=rows)
    return Evaluation(list(excerpts), judged[: len(pairs)], judged[len(pairs) :], report)


def read_gold(path: str | Path, format: str = "excerpts") -> tuple[list[Excerpt], list[PublishedRow]]:  # noqa: A002  # as above
    """Read the excerpts of a file and, where its publisher scores rows, these rows.

    Raises:
        StanceError: the format is unknown.
        DataError: the file cannot be read or breaks its format.
    """
    if format in ROW_FORMATS:
        rows = list(ROW_FORMATS[format](Path(path)))
        return [row.excerpt for row in rows], rows
    if format not in FORMATS:
        raise StanceError(f"expected a format out of {', '.join(FORMATS)}; got {format!r}; choose one")
    return FORMATS[format](Path(path)), []
