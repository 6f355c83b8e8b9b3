"""Comparison: what tells two systems apart, on the same documents in every bootstrap round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stance.bootstrap import interval, p_value, resample
from stance.errors import StanceError
from stance.metrics import Numbers, f1_of, macro_of
from stance.sections import Section
from stance.tables import Table, interval_cell

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Difference:
    """F1 of two systems, the second minus the first, its interval and its two-sided p value."""

    section: str
    name: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on the same excerpts, figure by figure."""

    differences: tuple[Difference, ...]
    n_documents: int
    rounds: int

    def __getitem__(self, key: tuple[str, str]) -> Difference:
        return {(d.section, d.name): d for d in self.differences}[key]

    def to_frame(self) -> pd.DataFrame:
        """Give one row per figure; needs pandas."""
        import pandas as pd  # noqa: PLC0415  # as in Report.to_frame

        return pd.DataFrame(self.differences)

    def table(self) -> Table:
        """Lay the differences out."""
        head = ("section", "F1 of", "first", "second", "difference", "95 % interval", "p")
        rows = tuple(
            (d.section, d.name, d.first, d.second, d.difference, interval_cell(d.low, d.high), d.p)
            for d in self.differences
        )
        return Table(f"Paired over {self.n_documents} documents, {self.rounds} rounds", head, rows)

    def to_markdown(self) -> str:
        """Write the comparison in Markdown."""
        return self.table().to_markdown()

    def __repr__(self) -> str:
        sections = dict.fromkeys(d.section for d in self.differences)
        return f"<Comparison over {self.n_documents} documents: {', '.join(sections)}>"

    def __str__(self) -> str:
        return self.table().to_text()

    def _repr_html_(self) -> str:
        return self.table().to_html()


def compare_sections(
    both: Sequence[tuple[Section, Section]], n_documents: int, *, rounds: int, seed: int
) -> Comparison:
    """Compare pairs of sections of the same name, the second of each minus the first.

    Raises:
        StanceError: there are none, or their gold differs.
    """
    if not both or not all(_same_gold(one, two) for one, two in both):
        raise StanceError("expected two reports on the same excerpts; got different gold; report on the same file")
    samples = iter(resample([s.counts for pair in both for s in pair], n_documents, rounds=rounds, seed=seed))
    differences: list[Difference] = []
    for one, two in both:
        drawn = dict(zip(_names(one), _figures(two, next(samples), next(samples)), strict=True))
        for name, rounds_of in drawn.items():
            first, second = one[name].f1, two[name].f1
            ends = interval(rounds_of)
            differences.append(Difference(one.name, name, first, second, second - first, *ends, p_value(rounds_of)))
    return Comparison(tuple(differences), n_documents, rounds)


def _names(section: Section) -> list[str]:
    return [score.name for score in (*section.classes, section.micro, section.macro)]


def _figures(section: Section, first: Numbers, second: Numbers) -> list[Numbers]:
    """Take the differences of F1 in every round: per class, micro, macro."""
    by_class = f1_of(second) - f1_of(first)
    micro = f1_of(second.sum(axis=1)) - f1_of(first.sum(axis=1))
    macro = macro_of(second, section.held) - macro_of(first, section.held)
    return [*by_class.T, micro, macro]


def _same_gold(one: Section, other: Section) -> bool:
    return np.array_equal(one.counts.documents, other.counts.documents) and np.array_equal(
        one.counts.values[..., 1], other.counts.values[..., 1]
    )
