"""Agreement: two annotations of the same excerpts, how far they agree beyond chance, and what to adjudicate.

Excerpts are matched by id; what counts as one unit is said in ``adjudication.py``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stance.adjudication import DoubleLabel, Match, Unit, aligned_spans, compare, label_field
from stance.bootstrap import ROUNDS, count_by_document, figure_interval, number_documents
from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, read_excerpts
from stance.krippendorff import alpha
from stance.labels import Label, Polarity, Stance, as_polarity
from stance.metrics import Numbers, f1_of

if TYPE_CHECKING:
    import pandas as pd

UNITS: tuple[Unit, ...] = ("pairs", "targets")

# Every label set with its number; a polarity is none of them.
_SETS: dict[Label, int] = {
    frozenset(s for i, s in enumerate(Stance) if number >> i & 1): number for number in range(2 ** len(Stance))
}
# Per value of a table: (lacks, has) the stance; (is not, is) the polarity.
_HAS = {s: np.array([[s not in found, s in found] for found in _SETS], dtype=float) for s in Stance}
_SIDES = list(Polarity)
_TAKES = {p: np.array([[p is not side, p is side] for side in _SIDES], dtype=float) for p in _SIDES}


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """How far two annotators agree on one label of one kind of unit.

    ``label`` is a stance; ``all``: micro-F1 over the stances, and alpha of the label set as one nominal value; or
    ``polarity``: micro-F1 over positive and negative, alpha over the three classes, partly known labels included.
    ``n`` counts units, ``n_first``, ``n_second`` and ``n_both`` labels given. A figure that is not defined is NaN: F1
    where nobody gives the label, alpha where only one value occurs.
    """

    unit: Unit
    label: str
    n: int
    n_first: int
    n_second: int
    n_both: int
    f1: float
    f1_interval: tuple[float, float]
    alpha: float
    alpha_interval: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """Give a flat JSON-ready dictionary, with None for NaN."""
        counts = {"n": self.n, "n_first": self.n_first, "n_second": self.n_second, "n_both": self.n_both}
        figures = {"f1": self.f1, "f1_low": self.f1_interval[0], "f1_high": self.f1_interval[1]}
        figures |= {"alpha": self.alpha, "alpha_low": self.alpha_interval[0], "alpha_high": self.alpha_interval[1]}
        rounded = {key: None if math.isnan(value) else round(value, 4) for key, value in figures.items()}
        return {"unit": self.unit, "label": self.label, **counts, **rounded}

    def __str__(self) -> str:
        counts = f"{self.n:>7}{self.n_first:>7}{self.n_second:>7}{self.n_both:>7}"
        figures = [_figure(self.f1, self.f1_interval), _figure(self.alpha, self.alpha_interval)]
        return f"{self.unit:<9}{self.label:<11}{counts}   {figures[0]:<21}{figures[1]}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotations compared: rows of figures, counts of what was and was not compared, and the disagreements.

    ``counts`` tells excerpts in both files and in one only, documents, mentions in both and in one only, and pairs and
    targets that only one annotator knows ("one-sided"). Intervals are 95 % percentile intervals over resampled
    documents. ``disagreements`` lists directed pairs, then targets whose disagreement no listed pair explains.
    """

    rows: tuple[AgreementRow, ...]
    counts: Mapping[str, int]
    disagreements: tuple[DoubleLabel, ...]

    @classmethod
    def from_files(
        cls,
        first: str | Path,
        second: str | Path,
        *,
        match: Match = "exact",
        rounds: int = ROUNDS,
        seed: int = 0,
    ) -> Agreement:
        """Compare two files of excerpts; see ``from_excerpts``.

        Raises:
            DataError: a file breaks the format or has an id twice, an id has two texts, or no id is in both files. The
                message names file and line; both lines where two are at odds.
        """
        one, two = read_once(Path(first)), read_once(Path(second))
        shared = [name for name in one if name in two]
        if not shared:
            raise DataError(f"expected ids that {first} has too; got none; give two annotations of one sample", second)
        for name in shared:
            (line, mine), (other_line, other) = one[name], two[name]
            if mine.text != other.text:
                raise DataError(
                    f"expected the text that {second}:{other_line} has under id {name!r}; "
                    f"got {_difference(mine.text, other.text)}; correct one of the two",
                    first,
                    line,
                )
        excerpts = [[excerpt for _, excerpt in numbered.values()] for numbered in (one, two)]
        return cls.from_excerpts(*excerpts, match=match, rounds=rounds, seed=seed)

    @classmethod
    def from_excerpts(
        cls,
        first: Sequence[Excerpt],
        second: Sequence[Excerpt],
        *,
        match: Match = "exact",
        rounds: int = ROUNDS,
        seed: int = 0,
    ) -> Agreement:
        """Compare two annotations of the same sentences, matched by id.

        ``match="exact"`` asks for equal offsets; with ``"overlap"`` spans that share characters are one, so that "the
        two leaders" and "two leaders" are the same holder.

        Raises:
            StanceError: an id is given twice, or has two texts, or none is in both.
        """
        one, two = _indexed(first), _indexed(second)
        both = [(one[name], two[name]) for name in one if name in two]
        if not both:
            raise StanceError("expected ids that both annotators have; got none; give two annotations of one sample")
        for mine, other in both:
            if mine.text != other.text:
                difference = _difference(mine.text, other.text)
                raise StanceError(f"expected one text under id {mine.id!r}; got {difference}; correct one of the two")
        counts = Counter(excerpts=len(both), only_first=len(one) - len(both), only_second=len(two) - len(both))
        counts["documents"] = len({mine.document_key for mine, _ in both})
        rows: list[AgreementRow] = []
        disagreements: list[DoubleLabel] = []
        for mine, other in both:
            counts.update(_mention_counts(mine, other, match))
        for unit in UNITS:
            compared = [compare(mine, other, unit, match) for mine, other in both]
            labels = [label for comparison in compared for label in comparison.labels]
            counts[f"{unit}_one_sided"] = sum(comparison.one_sided for comparison in compared)
            rows += _rows(unit, labels, rounds, seed)
            explained = {(label.excerpt.id, label.target) for label in disagreements}
            disagreements += [x for x in labels if x.differs and (x.excerpt.id, x.target) not in explained]
        return cls(tuple(rows), dict(counts), tuple(disagreements))

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary: ``counts``, ``rows``, ``disagreements``."""
        return {
            "counts": dict(self.counts),
            "rows": [row.to_dict() for row in self.rows],
            "disagreements": [label.to_dict() for label in self.disagreements],
        }

    def to_frame(self) -> pd.DataFrame:
        """Give the rows as a pandas frame; needs pandas."""
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        return pd.DataFrame.from_records([row.to_dict() for row in self.rows])

    def __str__(self) -> str:
        c = self.counts
        lines = [
            f"{c['excerpts']} excerpts in both, {c['only_first']} only in A, {c['only_second']} only in B; "
            f"{c['documents']} documents",
            f"{c['mentions_both']} mentions in both, {c['mentions_only_first']} only in A, "
            f"{c['mentions_only_second']} only in B",
            f"left out, known to one annotator only: {c['pairs_one_sided']} pairs, {c['targets_one_sided']} targets",
            "",
            f"{'unit':<9}{'label':<11}{'n':>7}{'A':>7}{'B':>7}{'both':>7}   {'F1 [95 %]':<21}alpha [95 %]",
            *map(str, self.rows),
            "",
            f"{len(self.disagreements)} disagreements" + (":" if self.disagreements else "."),
        ]
        by_sentence: dict[str, list[DoubleLabel]] = {}
        for label in self.disagreements:
            by_sentence.setdefault(label.excerpt.id, []).append(label)
        for name, labels in by_sentence.items():
            lines += ["", f"[{name}] {' '.join(labels[0].excerpt.text.split())}"]
            lines += [
                f"    {x.holder!s:>24} -> {x.target.name:<24} A: {_said(x.first):<22} B: {_said(x.second)}"
                for x in labels
            ]
        return "\n".join(lines)


def read_once(path: Path) -> dict[str, tuple[int, Excerpt]]:
    """Read a file of excerpts by id, each with its line.

    Raises:
        DataError: the file cannot be read, a row breaks the format, or an id comes twice.
    """
    found: dict[str, tuple[int, Excerpt]] = {}
    for line, excerpt in read_excerpts(path):
        first_line, _ = found.setdefault(excerpt.id, (line, excerpt))
        if first_line != line:
            raise DataError(
                f"expected each id once; got {excerpt.id!r} as in line {first_line}; rename or remove one", path, line
            )
    return found


def _indexed(excerpts: Sequence[Excerpt]) -> dict[str, Excerpt]:
    twice = [name for name, n in Counter(e.id for e in excerpts).items() if n > 1]
    if twice:
        raise StanceError(f"expected each id once; got {twice[0]!r} twice; rename or remove one")
    return {e.id: e for e in excerpts}


def _difference(text: str, other: str) -> str:
    """Show two texts from shortly before the first character in which they differ."""
    place = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    start = max(0, place - 10)
    return f"{text[start : place + 20]!r} and {other[start : place + 20]!r} from character {start} on"


def _mention_counts(first: Excerpt, second: Excerpt, match: Match) -> dict[str, int]:
    names = aligned_spans(second.mentions, first.mentions) if match == "overlap" else {}
    mine, other = set(first.mentions), {names.get(m, m) for m in second.mentions}
    return {
        "mentions_both": len(mine & other),
        "mentions_only_first": len(mine - other),
        "mentions_only_second": len(other - mine),
    }


def _rows(unit: Unit, labels: Sequence[DoubleLabel], rounds: int, seed: int) -> Iterator[AgreementRow]:
    """Set both annotators' values against each other in tables; every figure comes from sums of these."""
    names, documents = number_documents(x.excerpt.document_key for x in labels)
    is_exact = np.array([_SETS.keys() >= {x.first, x.second} for x in labels], dtype=np.bool_)
    exact = [x for x in labels if _SETS.keys() >= {x.first, x.second}]
    sets = _tables([(_SETS[x.first], _SETS[x.second]) for x in exact], len(_SETS))
    sides = [(_SIDES.index(as_polarity(x.first)), _SIDES.index(as_polarity(x.second))) for x in labels]
    polarities = _tables(sides, len(_SIDES))
    stances = {s: has.T @ sets @ has for s, has in _HAS.items()}
    taken = [take.T @ polarities @ take for side, take in _TAKES.items() if side is not Polarity.NEUTRAL]
    tables = [(str(s), [table], table) for s, table in stances.items()]
    tables += [("all", list(stances.values()), sets), ("polarity", taken, polarities)]
    for label, given, values in tables:
        places = documents if label == "polarity" else documents[is_exact]
        binary = count_by_document(places, np.sum(given, axis=0))
        whole = count_by_document(places, values)
        ends = partial(figure_interval, n_documents=len(names), rounds=rounds, seed=seed)
        total = binary.total
        yield AgreementRow(
            unit,
            label,
            n=int(whole.total.sum()),
            n_first=int(total[1].sum()),
            n_second=int(total[:, 1].sum()),
            n_both=int(total[1, 1]),
            f1=float(_f1(total)),
            f1_interval=ends(binary, figure=_f1),
            alpha=float(_alpha(whole.total)),
            alpha_interval=ends(whole, figure=_alpha),
        )


def _tables(values: Sequence[tuple[int, int]], k: int) -> Numbers:
    """Build a contingency table per unit, ``(n, k, k)``, the first annotator's value in the row."""
    tables = np.zeros((len(values), k, k))
    for i, place in enumerate(values):
        tables[i][place] = 1
    return tables


def _f1(tables: Numbers) -> Numbers:
    """F1 from binary tables ``(..., 2, 2)``; it is the same whoever is taken as gold."""
    return f1_of(np.stack([tables[..., 1, 1], tables[..., 1, :].sum(-1), tables[..., :, 1].sum(-1)], axis=-1))


def _alpha(tables: Numbers) -> Numbers:
    return alpha(tables + np.swapaxes(tables, -1, -2))


def _figure(value: float, ends: tuple[float, float]) -> str:
    return "-" if math.isnan(value) else f"{value:.3f} [{ends[0]:.3f}, {ends[1]:.3f}]"


def _said(label: Label) -> str:
    field = label_field(label)
    return field if isinstance(field, str) else ", ".join(field) or "none"
