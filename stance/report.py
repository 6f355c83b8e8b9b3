"""Report: one evaluation as an object, and what tells two systems apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stance.bootstrap import ROUNDS, check_draws, number_documents
from stance.comparison import Comparison, compare_sections
from stance.errors import StanceError
from stance.excerpts import Excerpt
from stance.judgements import Judgement, Judgements, match_predictions
from stance.labels import Polarity, Stance
from stance.layout import FRAME_COLUMNS, frame_rows, section_record, section_tables
from stance.metrics import (
    POLARITIES,
    IntArray,
    label_matrix,
    one_hot,
    polarity_chances,
    polarity_classes,
    polarity_numbers,
)
from stance.pairs import ANY
from stance.predictions import Prediction
from stance.protocols import PublishedRow, probability_matrix, published_kinds
from stance.sections import Judged, Section, score_sections
from stance.slices import slice_rows
from stance.tables import Table, join_tables

if TYPE_CHECKING:
    import pandas as pd

FEW_DOCUMENTS = 20
"""Below so many documents a bootstrap interval is too narrow, and the report says so."""


@dataclass(frozen=True, slots=True)
class Report:
    """One system on one set of excerpts, with intervals over documents.

    Sections, each where the gold has it: ``pairs`` are exact stances of named holders and authors, ``targets`` those of
    anybody, ``polarity`` partly known labels, scored as three classes; a publisher's own rows put the sections of its
    paper first. ``report["pairs"]`` looks one up.
    """

    n_excerpts: int
    documents: tuple[str, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    rounds: int = ROUNDS
    seed: int = 0

    @classmethod
    def from_predictions(
        cls,
        excerpts: Sequence[Excerpt],
        predictions: Sequence[Prediction],
        *,
        rows: Sequence[PublishedRow] = (),
        rounds: int = ROUNDS,
        seed: int = 0,
    ) -> Report:
        """Score the predictions of the pairs that ``Excerpt.to_pairs`` and ``Excerpt.to_target_pairs`` list.

        Predictions are matched by sentence, holder and target, in any order. Complete excerpts may come with
        predictions of directed pairs, of targets or of both. ``rows`` are the publisher's rows of these excerpts.

        Raises:
            StanceError: a pair has no prediction, there is nothing to score, or the rows are not those of the excerpts.
        """
        check_draws(rounds, seed)
        judgements = match_predictions(excerpts, predictions)
        names, numbers = number_documents(excerpt.document_key for excerpt in excerpts)
        kinds = [*_published(excerpts, rows, judgements, numbers), *_kinds(excerpts, judgements, numbers)]
        if not kinds:
            raise StanceError("expected excerpts with pairs to score; got none; annotate some first")
        sections = score_sections(kinds, len(names), rounds=rounds, seed=seed)
        notes = _notes(excerpts, judgements, len(names))
        return cls(len(excerpts), names, tuple(sections), notes, rounds, seed)

    def __getitem__(self, name: str) -> Section:
        by_name = {section.name: section for section in self.sections}
        if name not in by_name:
            raise KeyError(f"expected a section out of {list(by_name)}; got {name!r}; these excerpts have no other")
        return by_name[name]

    def compare(self, other: Report) -> Comparison:
        """Set another system's report on the same excerpts against this one: differences are other minus this.

        Both see the same documents in every round (paired bootstrap; Berg-Kirkpatrick et al., EMNLP 2012).

        Raises:
            StanceError: the reports are not of the same excerpts, or share no section.
        """
        if self.documents != other.documents:
            raise StanceError("expected two reports on the same excerpts; got other documents; report on the same file")
        both = [(s, o) for s in self.sections for o in other.sections if s.name == o.name]
        return compare_sections(both, len(self.documents), rounds=self.rounds, seed=self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Give everything in the report as JSON holds it; an undefined number is null."""
        return {
            "n_excerpts": self.n_excerpts,
            "n_documents": len(self.documents),
            "rounds": self.rounds,
            "seed": self.seed,
            "sections": {section.name: section_record(section) for section in self.sections},
            "notes": list(self.notes),
        }

    def to_frame(self) -> pd.DataFrame:
        """Give one row per section and class, average or slice: columns as ``layout.FRAME_COLUMNS``; needs pandas."""
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        rows = [row for section in self.sections for row in frame_rows(section)]
        return pd.DataFrame.from_records(rows, columns=FRAME_COLUMNS)

    def tables(self) -> list[Table]:
        """List the report's tables in the order of its sections."""
        return [table for section in self.sections for table in section_tables(section)]

    def to_markdown(self) -> str:
        """Write the report in Markdown."""
        return f"{self._opening()}\n\n{join_tables(self.tables(), 'markdown')}\n"

    def __repr__(self) -> str:
        return f"<Report on {self.n_excerpts} excerpts: {', '.join(section.name for section in self.sections)}>"

    def __str__(self) -> str:
        return f"{self._opening()}\n\n{join_tables(self.tables(), 'text')}"

    def _repr_html_(self) -> str:
        lines = "<br>".join(self._opening().splitlines())
        return f"<p>{lines}</p>\n{join_tables(self.tables(), 'html')}"

    def _opening(self) -> str:
        heading = (
            f"{self.n_excerpts} excerpts of {len(self.documents)} documents; "
            f"95 % intervals by {self.rounds} bootstrap rounds over documents."
        )
        return "\n".join([heading, *(f"* {note}" for note in self.notes)])


def _kinds(excerpts: Sequence[Excerpt], judgements: Judgements, documents: IntArray) -> list[Judged]:
    exact = [j for j in judgements.listed if not isinstance(j.label, Polarity)]
    kinds = {
        "pairs": ("Directed pairs", [j for j in exact if j.prediction.pair.holder is not ANY]),
        "targets": (
            "Targets, whoever holds the stance",
            [*judgements.targets, *(j for j in exact if j.prediction.pair.holder is ANY)],
        ),
        "polarity": (
            "Polarity of partly known labels",
            [j for j in judgements.listed if isinstance(j.label, Polarity)],
        ),
    }
    return [_judged(name, title, rows, excerpts, documents) for name, (title, rows) in kinds.items() if rows]


def _judged(
    name: str, title: str, rows: Sequence[Judgement], excerpts: Sequence[Excerpt], documents: IntArray
) -> Judged:
    probabilities = probability_matrix([j.prediction for j in rows])
    labels = [j.label for j in rows]
    if name == "polarity":
        classes = tuple(str(p) for p in POLARITIES)
        y_true, y_pred = (
            one_hot(numbers, len(classes)) for numbers in (polarity_numbers(labels), polarity_classes(probabilities))
        )
        chances = polarity_chances(probabilities).astype(np.float64)
        confidence = chances[y_pred]
    else:
        classes = tuple(str(s) for s in Stance)
        y_true, y_pred = label_matrix(labels), label_matrix([j.prediction.stances for j in rows])
        chances = probabilities.astype(np.float64)
        confidence = np.where(y_pred, chances, 1 - chances).prod(axis=1)
    pairs = [j.prediction.pair for j in rows]
    parts = slice_rows([excerpts[j.excerpt] for j in rows], [p.holder for p in pairs], [p.target for p in pairs])
    places = documents[[j.excerpt for j in rows]]
    return Judged(name, title, classes, places, y_true, y_pred, chances, confidence, parts)


def _published(
    excerpts: Sequence[Excerpt], rows: Sequence[PublishedRow], judgements: Judgements, documents: IntArray
) -> list[Judged]:
    if rows and [row.excerpt.id for row in rows] != [e.id for e in excerpts]:
        raise StanceError("expected the rows of these excerpts, in order; got others; read both from one file")
    verdicts: list[list[Prediction]] = [[] for _ in excerpts]
    for judgement in judgements.listed:
        verdicts[judgement.excerpt].append(judgement.prediction)
    return published_kinds(rows, verdicts, documents)


def _notes(excerpts: Sequence[Excerpt], judgements: Judgements, n_documents: int) -> tuple[str, ...]:
    complete = {i for i, e in enumerate(excerpts) if e.complete and len(e.mentions) > 0}
    answered = [j.prediction for j in (*judgements.listed, *judgements.targets)]
    notes = []
    if complete and not judgements.targets:
        notes.append("targets of complete excerpts were not predicted (holder ANY) and are not scored")
    if complete and not any(j.excerpt in complete for j in judgements.listed):
        notes.append("directed pairs of complete excerpts were not predicted and are not scored")
    if judgements.n_unmatched:
        notes.append(f"predictions that answer no gold pair, left out: {judgements.n_unmatched}")
    truncated = sum(p.truncated for p in answered)
    if truncated:
        notes.append(f"pairs judged on a window of a long sentence: {truncated}")
    if n_documents < FEW_DOCUMENTS:
        notes.append(f"intervals over fewer than {FEW_DOCUMENTS} documents are too narrow; documents: {n_documents}")
    return tuple(notes)
