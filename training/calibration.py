"""Calibration and thresholds of a finished network, from complete development excerpts.

Directed pairs have their own, and so has holder ANY. ``python -m training.calibration MODEL_DIR --corpora DIR`` fits a
finished folder anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stance.excerpts import Excerpt
from stance.folder import ModelSettings, write_settings
from stance.loading import load_scorer
from stance.scoring import PairScorer
from training.behaviour import load_cases
from training.card import write_card
from training.command import one_line_errors
from training.data import add_development_options, read_development
from training.decisions import fit_decisions
from training.development import EXACT_KINDS, evaluate_development, list_exact
from training.record import read_record, rounded, write_record


def fit_settings(scorer: PairScorer, development: Mapping[str, Sequence[Excerpt]]) -> ModelSettings:
    """Fit calibration and thresholds to the complete excerpts of all development splits together.

    Returns the scorer's settings with both; without pairs of complete excerpts, as they are.
    """
    complete = [e for excerpts in development.values() for e in excerpts if e.complete]
    listed = {kind: list_exact(complete, kind) for kind in EXACT_KINDS}
    if not all(pairs for pairs, _, _ in listed.values()):
        return scorer.settings
    fitted = {kind: fit_decisions(scorer.logits(pairs)[0], y_true) for kind, (pairs, y_true, _) in listed.items()}
    (directed, thresholds), (anybody, any_thresholds) = fitted["pairs"], fitted["targets"]
    return replace(
        scorer.settings,
        calibration=directed,
        any_calibration=anybody,
        thresholds=thresholds,
        any_thresholds=any_thresholds,
    )


def settle(scorer: PairScorer, development: Mapping[str, Sequence[Excerpt]]) -> dict[str, float]:
    """Give a scorer its fitted settings and score it with them, as it will be used: the figures of a model's record."""
    scorer.settings = fit_settings(scorer, development)
    return evaluate_development(scorer, development).scores


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.calibration", description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    development, record = read_development(options), read_record(options.model)
    scorer = load_scorer(options.model, backend="torch", device="cpu")
    scores = settle(scorer, development)
    write_settings(scorer.settings, options.model)
    write_record({**record, "scores": rounded(scores)}, options.model)
    write_card(options.model, development, load_cases())
    return 0


if __name__ == "__main__":
    sys.exit(main())
