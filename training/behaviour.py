"""The behavioural suite: ``python -m training.behaviour MODEL_DIR``.

Minimal pairs of sentences that differ in one thing, by capability, as in CheckList (Ribeiro et al., ACL 2020). Their
format is that of excerpts with two more keys: ``capability``, and ``case``, which the two sentences of a minimal pair
share. ``build_behaviour.py`` makes the files. Three checks:

* ``label``: a judged pair of holder and target fails unless exactly the expected stances are found;
* ``flip``: where the difference must not matter (the second sentences of a capability expect what the first ones do), a
  pair fails if the two sentences get different verdicts, right or wrong;
* ``direction``: where both directions are judged and a stance is expected in one only, it fails if the other gets it.

A low flip or direction rate alone says little of a model that finds nothing: read it beside the label rate.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stance.bootstrap import ROUNDS, count_by_document, figure_interval
from stance.classifier import StanceClassifier
from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, parse_excerpt, read_json_lines
from stance.folder import ONNX_FILE
from stance.labels import Stance
from stance.metrics import Numbers
from stance.pairs import Holder, Pair
from stance.predictions import Prediction
from stance.tables import Table, interval_cell
from training.command import one_line_errors

FOLDER = Path(__file__).parents[1] / "tests" / "behaviour"
"""Where the suite lies."""

RATES_FILE = "rates.json"
"""Failure rates of the shipped model, beside the suite: ``--record`` writes them, the slow tests hold them."""

PredictPairs = Callable[[Sequence[Pair]], Sequence[Prediction]]


class Check(StrEnum):
    """What of a minimal pair can fail."""

    LABEL = "label"
    FLIP = "flip"
    DIRECTION = "direction"


@dataclass(frozen=True, slots=True)
class Case:
    """A minimal pair: ``plain`` and ``edited`` differ in one thing. ``template`` is shared by cases of other names."""

    name: str
    capability: str
    template: str
    plain: Excerpt
    edited: Excerpt


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that failed: what was expected of the pair, and what was found."""

    case: str
    check: Check
    expected: frozenset[Stance]
    found: Prediction

    def __str__(self) -> str:
        pair = self.found.pair
        expected, found = (
            ", ".join(s for s in Stance if s in x) or "none" for x in (self.expected, self.found.stances)
        )
        verdict = f"{pair.holder} -> {pair.target}: {found}, not {expected}"
        return f"[{self.case}] {self.check}: {pair.sentence.text}\n    {verdict}"


@dataclass(frozen=True, slots=True)
class BehaviourRow:
    """How often one check failed for one capability, with a 95 % interval over resampled templates.

    ``plain`` and ``edited`` are the rates on the first and second sentences alone; NaN where a check needs both.
    """

    capability: str
    check: Check
    n_cases: int
    n: int
    n_failed: int
    rate: float
    interval: tuple[float, float]
    plain: float
    edited: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Failure rates of one model on the suite, by capability; the rows of ``all`` come last."""

    rows: tuple[BehaviourRow, ...]
    failures: tuple[Failure, ...]

    @classmethod
    def from_cases(
        cls, cases: Sequence[Case], predict_pairs: PredictPairs, *, rounds: int = ROUNDS, seed: int = 0
    ) -> Behaviour:
        """Judge every pair of every case and count what fails."""
        judged = _judge(cases, predict_pairs)
        steady = {c.capability for c in cases} - {c.capability for c in cases if not _expects_the_same(c)}
        outcomes: list[_Outcome] = []
        for case, (plain, edited) in zip(cases, judged, strict=True):
            for side, found in enumerate((plain, edited)):
                excerpt = (case.plain, case.edited)[side]
                outcomes += [
                    *_label_outcomes(case, side, excerpt, found),
                    *_direction_outcomes(case, side, excerpt, found),
                ]
            if case.capability in steady:
                outcomes += _flip_outcomes(case, plain, edited)
        keys = [(c, check) for c in (*dict.fromkeys(c.capability for c in cases), "all") for check in Check]
        rows = [_row(*key, outcomes, rounds, seed) for key in keys]
        failures = tuple(o.failure for o in outcomes if o.failed)
        return cls(tuple(row for row in rows if row.n), failures)

    @property
    def rates(self) -> dict[str, dict[str, float]]:
        """The rates by capability and check, to three decimals."""
        named: dict[str, dict[str, float]] = {}
        for row in self.rows:
            named.setdefault(row.capability, {})[str(row.check)] = round(row.rate, 3)
        return named

    def to_table(self) -> Table:
        """Lay the rows out."""
        head = ("capability", "check", "minimal pairs", "judged", "failed", "rate", "95 % interval", "plain", "edited")
        rows = [
            (
                r.capability,
                str(r.check),
                r.n_cases,
                r.n,
                r.n_failed,
                r.rate,
                interval_cell(*r.interval),
                r.plain,
                r.edited,
            )
            for r in self.rows
        ]
        return Table("Behaviour: failure rates on minimal pairs", head, tuple(rows))


def load_cases(folder: Path = FOLDER) -> list[Case]:
    """Read every minimal pair of a folder of JSON-lines files, in the order of files and lines.

    Raises:
        DataError: a row breaks the format, or a case does not have two sentences; the message names file and line.
    """
    return [case for path in sorted(folder.glob("*.jsonl")) for case in _read_cases(path)]


def measure_behaviour(folder: Path, cases: Sequence[Case]) -> Behaviour:
    """Judge the suite with a model folder as its users run it on a CPU: on its int8 graph, where it has one.

    Raises:
        ModelError: the folder is no stance model.
    """
    onnx = (folder / ONNX_FILE).is_file()
    classifier = StanceClassifier.from_pretrained(folder, backend="onnx" if onnx else "torch", device="cpu")
    return Behaviour.from_cases(cases, classifier.predict_pairs)


def _read_cases(path: Path) -> Iterator[Case]:
    rows = list(_read_rows(path))
    for (name, capability), group in groupby(rows, key=lambda row: row[1:3]):
        sides = list(group)
        if len(sides) != 2 or sides[0][3].origin.document is None:
            raise DataError(
                f"expected two sentences of a document in each case; got {len(sides)} in {name!r}; correct it",
                path,
                sides[0][0],
            )
        plain, edited = (excerpt for *_, excerpt in sides)
        yield Case(name, capability, str(plain.origin.document), plain, edited)


def _read_rows(path: Path) -> Iterator[tuple[int, str, str, Excerpt]]:
    for line, record in read_json_lines(path):
        case, capability = record.pop("case", None), record.pop("capability", None)
        try:
            if not isinstance(case, str) or not isinstance(capability, str):
                raise StanceError(f"expected 'case' and 'capability' as text; got {case!r}, {capability!r}; add them")
            yield line, case, capability, parse_excerpt(record)
        except StanceError as error:
            raise DataError(str(error), path, line) from None


def _labels(excerpt: Excerpt) -> list[frozenset[Stance]]:
    return [frozenset(s for s in Stance if s in p.label) for p in excerpt.pairs]


def _expects_the_same(case: Case) -> bool:
    """Tell whether the edited sentence lists what the plain one does, in order; it may name others after that."""
    plain, edited = _labels(case.plain), _labels(case.edited)
    return edited[: len(plain)] == plain


def _judge(
    cases: Sequence[Case], predict_pairs: PredictPairs
) -> list[tuple[Sequence[Prediction], Sequence[Prediction]]]:
    """Predict the listed pairs of both sentences of every case, in one call."""
    sides = [excerpt.to_pairs()[0] for case in cases for excerpt in (case.plain, case.edited)]
    predictions = iter(predict_pairs([pair for pairs in sides for pair in pairs]))
    found = [[next(predictions) for _ in pairs] for pairs in sides]
    return list(zip(found[0::2], found[1::2], strict=True))


class _Outcome(NamedTuple):
    case: Case
    side: int | None
    failed: bool
    failure: Failure


def _label_outcomes(case: Case, side: int, excerpt: Excerpt, found: Sequence[Prediction]) -> Iterator[_Outcome]:
    for expected, prediction in zip(_labels(excerpt), found, strict=True):
        failure = Failure(case.name, Check.LABEL, expected, prediction)
        yield _Outcome(case, side, prediction.stances != expected, failure)


def _flip_outcomes(case: Case, plain: Sequence[Prediction], edited: Sequence[Prediction]) -> Iterator[_Outcome]:
    for before, after in zip(plain, edited, strict=False):
        failure = Failure(case.name, Check.FLIP, before.stances, after)
        yield _Outcome(case, None, before.stances != after.stances, failure)


def _direction_outcomes(case: Case, side: int, excerpt: Excerpt, found: Sequence[Prediction]) -> Iterator[_Outcome]:
    """Check every stance expected of holder -> target, and not of target -> holder, on the latter."""
    ways: dict[tuple[Holder, Holder], tuple[frozenset[Stance], Prediction]] = {
        (p.holder, p.target): (x, f) for p, x, f in zip(excerpt.pairs, _labels(excerpt), found, strict=True)
    }
    for (holder, target), (expected, _) in ways.items():
        back = ways.get((target, holder))
        if back is None:
            continue
        for stance in expected - back[0]:
            yield _Outcome(case, side, stance in back[1].stances, Failure(case.name, Check.DIRECTION, *back))


def _row(capability: str, check: Check, outcomes: Sequence[_Outcome], rounds: int, seed: int) -> BehaviourRow:
    chosen = [o for o in outcomes if o.failure.check is check and capability in (o.case.capability, "all")]
    names = {name: i for i, name in enumerate(dict.fromkeys(o.case.template for o in chosen))}
    templates = np.array([names[o.case.template] for o in chosen], dtype=np.int64)
    counts = count_by_document(templates, np.array([[o.failed, 1.0] for o in chosen]).reshape(-1, 2))
    ends = figure_interval(counts, len(names), _rate, rounds=rounds, seed=seed)
    failed, n = counts.total
    sides = [
        np.array([[o.failed, 1.0] for o in chosen if o.side == side]).reshape(-1, 2).sum(axis=0) for side in (0, 1)
    ]
    plain, edited = (float(_rate(side)) for side in sides)
    n_cases = len({o.case.name for o in chosen})
    return BehaviourRow(
        capability, check, n_cases, int(n), int(failed), float(_rate(counts.total)), ends, plain, edited
    )


def _rate(counts: Numbers) -> Numbers:
    """Share of failures from counts ``(..., 2)`` of failures and checks."""
    failed, n = counts[..., 0], counts[..., 1]
    share: Numbers = np.divide(failed, n, out=np.full(np.shape(n), np.nan), where=n > 0)
    return share


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.behaviour", description=__doc__.split("\n\n")[1])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    parser.add_argument("--suite", metavar="DIR", type=Path, default=FOLDER, help="default: tests/behaviour")
    parser.add_argument("--failures", action="store_true", help="list every single failure")
    parser.add_argument("--record", action="store_true", help=f"write the rates to {RATES_FILE} of the suite")
    options = parser.parse_args(arguments)
    behaviour = measure_behaviour(options.model, load_cases(options.suite))
    if options.failures:
        print(*behaviour.failures, "", sep="\n")
    print(behaviour.to_table().to_text())
    if options.record:
        write_rates(behaviour.rates, options.suite / RATES_FILE)
    return 0


def write_rates(rates: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write failure rates as JSON, one capability a line."""
    lines = [f" {json.dumps(name)}: {json.dumps(checks)}" for name, checks in rates.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main())
