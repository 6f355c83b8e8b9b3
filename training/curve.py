"""Learning curve by data size: ``python -m training.curve training/curve.toml --corpora DIR``.

One run for each share of the training sentences, from the same start, all of as many steps, scored on the whole
development data: where the curve still rises at its end, more annotation would help.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from stance.errors import ConfigError
from training.calibration import settle
from training.command import one_line_errors
from training.config import TrainingSettings, corpora_override, load_settings
from training.data import Corpora, load_corpora, sentence_key
from training.development import check_selection
from training.record import rounded
from training.train import Trainer

SHARES = (0.125, 0.25, 0.5, 1.0)
"""What a curve is drawn through where the command names no shares."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a curve: the share of the sentences it drew, how many rows these are, and development figures."""

    share: float
    rows: int
    scores: dict[str, float]


def share_of(corpora: Corpora, share: float, seed: int) -> Corpora:
    """Draw a share of the sentences to train on; a smaller share of the same seed is a part of a larger one.

    A sentence is drawn or not by its words alone, so that rows of several corpora that share it go together.

    Raises:
        ConfigError: the share is not above 0 and up to 1, or leaves a corpus without a sentence.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"expected 0 < share <= 1; got {share}; correct it")
    part = corpora.learning_from(lambda text: _place(text, seed) < share)
    for name, count in _counts(part).items():
        if not count:
            raise ConfigError(f"expected a share that leaves sentences in corpus {name!r}; got {share}; raise it")
    return part


def _place(text: str, seed: int) -> float:
    """Give a sentence its place in [0, 1), evenly spread and the same in every run."""
    digest = hashlib.sha256(f"{seed} {sentence_key(text)}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def spread_weights(settings: TrainingSettings, whole: Corpora, part: Corpora) -> TrainingSettings:
    """Show each sentence of a part more often, so that an epoch has as many of every corpus as one of the whole."""
    counts, drawn = _counts(whole), _counts(part)
    stages = (
        replace(s, weights={n: w * counts[n] / drawn[n] if n in drawn else w for n, w in s.weights.items()})
        for s in settings.stages
    )
    return replace(settings, stages=tuple(stages))


def _counts(corpora: Corpora) -> dict[str, int]:
    """Count the training rows of every corpus."""
    parts: dict[str, Sequence[object]] = {**corpora.train, **corpora.silver}
    return {name: len(part) for name, part in parts.items()}


def learning_curve(settings: TrainingSettings, shares: Sequence[float], run_folder: Path) -> list[Point]:
    """Train on each share and score it as a shipped model is scored; what a broken off call has finished stays done.

    Raises:
        ConfigError: as ``load_corpora`` and ``share_of``; nothing has been trained then.
    """
    corpora = load_corpora(settings)
    check_selection(settings.selection, corpora.development)
    parts = [(share, share_of(corpora, share, settings.seed)) for share in shares]
    points = []
    for share, part in parts:
        spread = spread_weights(settings, corpora, part)
        trainer = Trainer(spread, part, run_folder / f"share-{share:g}", show_progress=sys.stderr.isatty())
        scores = settle(trainer.run(), part.development)
        points.append(Point(share, sum(_counts(part).values()), rounded(scores)))
        print(describe(points[-1], settings.selection), flush=True)
    return points


def describe(point: Point, selection: Sequence[str]) -> str:
    """Write a point as one line, with the selected figures or, where none are, all whole ones."""
    names = selection or [name for name in point.scores if "." not in name]
    figures = "  ".join(f"{name} {point.scores[name]:.3f}" for name in names)
    return f"share {point.share:<6g} {point.rows:7d} rows   {figures}"


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.curve", description=__doc__.splitlines()[0])
    parser.add_argument("settings", type=Path, help="TOML file of the run that every share takes")
    parser.add_argument("--corpora", help="folder that holds the corpora (overrides corpora_folder)")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="shares of the training sentences")
    parser.add_argument("--seed", type=int, help="seed of the runs and of what is drawn (overrides seed)")
    parser.add_argument(
        "--run", type=Path, default=Path("runs/curve"), help="folder of checkpoints to write and resume"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    overrides = {**corpora_override(options.corpora), **({} if options.seed is None else {"seed": options.seed})}
    settings = load_settings(options.settings, overrides)
    points = learning_curve(settings, options.shares, options.run)
    record = json.dumps([asdict(point) for point in points], indent=1)
    (options.run / "curve.json").write_text(f"{record}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
