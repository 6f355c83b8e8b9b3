"""Accuracy of our model beside baselines, on the same pairs: ``python -m benchmarks.accuracy``.

Baselines learn from ``train.jsonl`` of a folder of excerpts; every system is scored on its ``dev.jsonl``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.baselines import Majority, TfidfRegression, VerbRule
from benchmarks.systems import Examples, ShippedModel, System
from stance.classifier import StanceClassifier
from stance.errors import DataError, StanceError
from stance.excerpts import Excerpt, load_excerpts
from stance.labels import Stance
from stance.report import Report
from stance.tables import Cell, Table
from training.build import encoder_path
from training.config import PACKAGED_ENCODER

SEEDS = Path(__file__).parents[1] / "seeds"
OURS = "stance"

_HEAD = (
    "system",
    *(str(s) for s in Stance),
    "macro",
    "micro",
    "micro 95 %",
    "targets micro",
    "targets 95 %",
    "minus ours",
)
_NOTES = (
    "F1 of directed pairs: by stance, macro and micro; micro-F1 of targets, whoever holds the stance",
    "intervals and paired differences: bootstrap over documents",
    "baselines learn from train.jsonl and tune their thresholds there, on documents held out in turn",
    f"`{OURS}` learned from other corpora too; its epoch and thresholds were chosen on development data, maybe on this",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 on success, 2 with one line on stderr where the input is at fault."""
    options = _parser().parse_args(arguments)
    try:
        train, dev = load_split(options.excerpts)
        systems = _systems(options)
        reports = {}
        for make in systems:
            system = make()
            if sys.stderr.isatty():
                print(f"{system.name} ...", file=sys.stderr, flush=True)
            reports[system.name] = measure(system, train, dev)
        table = as_table(reports, f"{options.excerpts.name}: {len(dev)} sentences").to_markdown()
    except StanceError as error:
        print(f"benchmarks.accuracy: {error}", file=sys.stderr)
        return 2
    print(table)
    if options.output:
        options.output.write_text(table + "\n", encoding="utf-8")
    return 0


def load_split(folder: Path) -> tuple[list[Excerpt], list[Excerpt]]:
    """Read the two parts of a folder; a training sentence that is also scored is left out.

    Raises:
        DataError: a part is missing, empty or not in the format.
    """
    parts = []
    for name in ("train.jsonl", "dev.jsonl"):
        excerpts = load_excerpts(folder / name)
        if not excerpts:
            raise DataError("expected annotated excerpts; got none; check the file", folder / name)
        parts.append(excerpts)
    train, dev = parts
    scored = {excerpt.text for excerpt in dev}
    return [excerpt for excerpt in train if excerpt.text not in scored], dev


def measure(system: System, train: Sequence[Excerpt], dev: Sequence[Excerpt]) -> Report:
    """Let a system learn from one part and report on the other."""
    system.fit(Examples.from_excerpts(train))
    pairs = [pair for e in dev for pair in e.to_pairs()[0]]
    targets = [pair for e in dev if e.complete for pair in e.to_target_pairs()[0]]
    return Report.from_predictions(dev, system.predict_pairs([*pairs, *targets]))


def as_table(reports: dict[str, Report], title: str) -> Table:
    """Lay reports on the same excerpts out, one row each, with their distance from the one called ``OURS``."""
    rows = []
    for name, report in reports.items():
        pairs, targets = report["pairs"], report["targets"]
        cells: list[Cell] = [name, *(pairs[str(s)].f1 for s in Stance), pairs.macro.f1]
        for micro in (pairs.micro, targets.micro):
            cells += [micro.f1, f"[{micro.low:.3f}, {micro.high:.3f}]"]
        rows.append((*cells, _distance(reports.get(OURS), report)))
    return Table(title, _HEAD, tuple(rows), _NOTES)


def _distance(ours: Report | None, other: Report) -> str:
    if ours is None or ours is other:
        return ""
    gap = ours.compare(other)["pairs", "micro"]
    return f"{gap.difference:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"


def _systems(options: argparse.Namespace) -> list[Callable[[], System]]:
    systems: list[Callable[[], System]] = [
        Majority,
        VerbRule,
        TfidfRegression,
        partial(_frozen_encoder, options.encoder),
    ]
    if options.nli:
        systems.append(partial(_nli, options.nli))
    return [*systems, partial(_ours, options.model)]


def _frozen_encoder(name: str) -> System:
    from benchmarks.encoded import FrozenEncoder  # noqa: PLC0415  # torch takes seconds to import

    return FrozenEncoder(encoder_path(name))


def _nli(path: str) -> System:
    from benchmarks.nli import ZeroShotNli  # noqa: PLC0415  # as above

    return ZeroShotNli(path)


def _ours(path: str | None) -> System:
    return ShippedModel(StanceClassifier.from_pretrained(path), OURS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description="Our model beside baselines.")
    parser.add_argument(
        "--excerpts",
        metavar="DIR",
        type=Path,
        default=SEEDS,
        help="with train.jsonl and dev.jsonl (default: seeds)",
    )
    parser.add_argument("--nli", metavar="PATH", help="a zero-shot NLI checkpoint to compare with, as a local folder")
    parser.add_argument("--encoder", metavar="NAME", default=PACKAGED_ENCODER, help="of the frozen-encoder baseline")
    parser.add_argument("--model", metavar="DIR", help="model folder (default: the shipped model)")
    parser.add_argument("--output", metavar="FILE.md", type=Path, help="write the table to a file too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
