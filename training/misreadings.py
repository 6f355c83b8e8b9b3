"""What kinds of errors a model makes: ``python -m training.misreadings MODEL_DIR --corpora DIR``.

Every wrong decision on the directed pairs of complete development excerpts, a stance missed or one too many, is of the
first kind in ``KINDS`` that fits. What stands elsewhere in the same sentence tells a holder mixed up from a stance that
was made up.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from stance.excerpts import Excerpt
from stance.loading import load_scorer
from stance.metrics import BoolArray, label_matrix
from stance.pairs import AUTHOR, Pair
from stance.scoring import PairScorer
from stance.tables import Table
from training.command import one_line_errors
from training.data import add_development_options, read_development

MISSED = (
    "missed: another stance in its place",
    "missed: given to another holder",
    "missed: one of several of the pair",
    "missed: the author's",
    "missed: others'",
)
WRONG = (
    "wrong: another stance in its place",
    "wrong: taken from another holder",
    "wrong: a holder too many",
    "wrong: holder and target exchanged",
    "wrong: one too many of the pair",
    "wrong: toward a target without it",
    "wrong: in a sentence without any",
)
KINDS = (*MISSED, *WRONG)
"""In the order in which they are tried, missed and wrong stances apart; the last of each always fits."""


def count_misreadings(scorer: PairScorer, splits: Mapping[str, Sequence[Excerpt]]) -> Table:
    """Count errors by kind in the complete excerpts of every split, with all that gold has and all that is right."""
    columns: dict[str, Counter[str]] = {}
    for name, excerpts in splits.items():
        listed = [e.to_pairs() for e in excerpts if e.complete]
        if not listed:
            continue
        probabilities = scorer.score([pair for pairs, _ in listed for pair in pairs]).probabilities
        decided = probabilities >= np.asarray(scorer.settings.thresholds)
        count = columns[name] = Counter[str]()
        first = 0
        for pairs, labels in listed:
            answer, gold = decided[first : first + len(pairs)], label_matrix(labels)
            first += len(pairs)
            count["gold"] += int(gold.sum())
            count["right"] += int((gold & answer).sum())
            count.update(kinds_of(pairs, gold, answer))
    rows: tuple[tuple[str | int, ...], ...] = tuple(
        (kind, *(count[kind] for count in columns.values())) for kind in ("gold", "right", *KINDS)
    )
    return Table("decisions on directed pairs", ("kind", *columns), rows)


def kinds_of(pairs: Sequence[Pair], gold: BoolArray, answer: BoolArray) -> list[str]:
    """Name the kind of every wrong decision ``(n, 3)`` on the pairs of one sentence."""
    places: dict[tuple[object, object], int] = {(p.holder, p.target): i for i, p in enumerate(pairs)}
    kinds = []
    for i, k in np.argwhere(gold != answer).tolist():
        pair = pairs[i]
        others = [j for j, other in enumerate(pairs) if j != i and other.target == pair.target]
        if gold[i, k]:
            missed = (
                (answer[i] & ~gold[i]).any(),
                (answer[others, k] & ~gold[others, k]).any(),
                (answer[i] & gold[i]).any(),
                pair.holder is AUTHOR,
            )
            kinds.append(_first(MISSED, missed))
        else:
            turned = places.get((pair.target, pair.holder))
            wrong = (
                (gold[i] & ~answer[i]).any(),
                (gold[others, k] & ~answer[others, k]).any(),
                gold[others, k].any(),
                turned is not None and gold[turned, k],
                gold[i].any(),
                gold.any(),
            )
            kinds.append(_first(WRONG, wrong))
    return kinds


def _first(kinds: Sequence[str], fits: Iterable[object]) -> str:
    return next((kind for kind, holds in zip(kinds, fits, strict=False) if holds), kinds[-1])


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.misreadings", description=__doc__.split("\n\n")[1])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    print(count_misreadings(load_scorer(options.model, device="cpu"), read_development(options)).to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
