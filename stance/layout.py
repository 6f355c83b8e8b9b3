"""Layout: a scored section as a JSON-ready record, as flat rows and as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from stance.reliability import Reliability, RiskCoverage
from stance.sections import Score, Section, Slice
from stance.tables import Cell, Table, interval_cell

SHOWN_TARGETS = 10
"""Targets that a printed report shows; ``to_dict`` and ``to_frame`` have all of them."""

FRAME_COLUMNS = ["section", "part", "name", "n_pairs", *(f.name for f in fields(Score) if f.name != "name")]
"""Columns of ``Report.to_frame``."""

_SCORE_HEAD = ("precision", "recall", "F1", "95 % interval", "n_gold", "n_predicted")
_PART_TITLES = {
    "source": "by source",
    "holder": "by holder",
    "words": "by words in the sentence",
    "targets": "by targets in the sentence",
    "target": "by target",
}


def section_record(section: Section) -> dict[str, Any]:
    """Give a section as JSON holds it; an undefined number is null."""
    risk = section.risk_coverage
    return {
        "title": section.title,
        "n_pairs": section.n_pairs,
        "classes": {score.name: _score_record(score) for score in section.classes},
        "micro": _score_record(section.micro),
        "macro": _score_record(section.macro),
        "confusion": {
            "labels": [*(score.name for score in section.classes), "none"],
            "counts": [list(row) for row in section.confusion],
        },
        "calibration": {r.name: _defined(asdict(r), without="name") for r in section.reliability},
        "risk_coverage": None if risk is None else _defined(asdict(risk)),
        "slices": [
            {"kind": s.kind, "value": s.value, "n_pairs": s.n_pairs, **_score_record(s.score)} for s in section.slices
        ],
        "notes": list(section.notes),
    }


def frame_rows(section: Section) -> list[dict[str, Any]]:
    """Give a section as rows of ``FRAME_COLUMNS``: its classes, its averages, its slices."""
    whole = [("class", s, section.n_pairs) for s in section.classes]
    whole += [("average", s, section.n_pairs) for s in (section.micro, section.macro)]
    whole += [(s.kind, s.score, s.n_pairs) for s in section.slices]
    return [{"section": section.name, "part": part, **asdict(score), "n_pairs": n} for part, score, n in whole]


def section_tables(section: Section) -> list[Table]:
    """Lay a section out: scores, confusion, calibration, risk and coverage, slices of kinds with more than one."""
    title = f"{section.title}: {section.n_pairs} judged"
    rows = [(score.name, *_score_cells(score)) for score in (*section.classes, section.micro, section.macro)]
    tables = [Table(title, (section.name, *_SCORE_HEAD), tuple(rows), section.notes), _confusion_table(section)]
    if section.reliability:
        tables.append(_reliability_table(section.title, section.reliability))
    if section.risk_coverage is not None:
        tables.append(_risk_table(section.title, section.risk_coverage))
    for kind, words in _PART_TITLES.items():
        parts = [s for s in section.slices if s.kind == kind]
        if len(parts) > 1 or (parts and kind == "target"):
            tables.append(_slice_table(f"{section.title}, {words}", kind, parts))
    return tables


def _confusion_table(section: Section) -> Table:
    names = [*(score.name for score in section.classes), "none"]
    matrix = section.confusion
    width = len(names) - (not any(row[-1] for row in matrix))
    height = len(names) - (not any(matrix[-1]))
    rows: Iterable[tuple[Cell, ...]] = ((name, *row[:width]) for name, row in zip(names, matrix[:height], strict=False))
    return Table(f"{section.title}, confusion (rows gold, columns predicted)", ("gold", *names[:width]), tuple(rows))


def _reliability_table(title: str, measured: Sequence[Reliability]) -> Table:
    rows = tuple((r.name, r.ece, r.brier, r.n) for r in measured)
    return Table(f"{title}, calibration", ("probability of", "ECE", "Brier", "n"), rows)


def _risk_table(title: str, risk: RiskCoverage) -> Table:
    rows = tuple((f"{p.coverage:.0%}", p.n, p.risk, p.confidence) for p in risk.points[::2])
    note = f"area under the curve {risk.area:.4f}; risk is the share of pairs judged wrong"
    return Table(
        f"{title}, risk when only the surest are judged", ("coverage", "n", "risk", "confidence"), rows, (note,)
    )


def _slice_table(title: str, kind: str, parts: Sequence[Slice]) -> Table:
    shown = parts[:SHOWN_TARGETS] if kind == "target" else parts
    rest = len(parts) - len(shown)
    rows = tuple((s.value, s.n_pairs, *_score_cells(s.score)) for s in shown)
    notes = (f"{rest} further targets are in to_frame and to_dict",) if rest else ()
    return Table(title, (kind, "n_pairs", *_SCORE_HEAD), rows, notes)


def _score_cells(score: Score) -> tuple[Cell, ...]:
    ends = interval_cell(score.low, score.high)
    return (score.precision, score.recall, score.f1, ends, score.n_gold, score.n_predicted)


def _score_record(score: Score) -> dict[str, Any]:
    record: dict[str, Any] = _defined(asdict(score), without="name")
    return record


def _defined(value: Any, without: str | None = None) -> Any:
    """Turn every undefined number into None, however deep."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Mapping):
        return {k: _defined(v) for k, v in value.items() if k != without}
    if isinstance(value, tuple | list):
        return [_defined(v) for v in value]
    return value
