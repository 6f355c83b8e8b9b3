"""How well named mentions are found: ``python -m training.finding MODEL_DIR --corpora DIR``.

F1 of exact spans on development sentences whose mentions are all marked: by the actor table and its rules alone, by the
model's tagger alone, and by both as ``StanceClassifier.predict`` joins them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from stance.drafts import TAG_MARGIN
from stance.errors import ModelError
from stance.excerpts import Excerpt
from stance.loading import load_scorer
from stance.scoring import PairScorer
from stance.sentences import Sentence, Span
from stance.tables import Table, write_cell
from stance.targets import find_mentions
from training.command import one_line_errors
from training.data import add_development_options, read_development
from training.development import mention_f1
from training.mentions import marks_all_mentions


def measure_finding(scorer: PairScorer, splits: Mapping[str, Sequence[Excerpt]]) -> Table:
    """Score rules, tagger and both on every split that marks all mentions.

    Raises:
        ModelError: the model has no tagger.
    """
    if not scorer.has_tagger:
        raise ModelError("expected a model with a tagger; got one without; train it with tag_weight above 0")
    rows = []
    for name, split in splits.items():
        marked = [e for e in split if marks_all_mentions(e)]
        if marked:
            scores = [mention_f1(marked, found) for found in _found(scorer, marked)]
            rows.append((name, str(len(marked)), *map(write_cell, scores)))
    return Table("mentions, F1 of exact spans", ("corpus", "sentences", "rules", "tagger", "both"), tuple(rows))


def _found(scorer: PairScorer, excerpts: Sequence[Excerpt]) -> tuple[list[list[Span]], ...]:
    """Find mentions by rules, tagger and both; the sentence before is known to the rules, as in a document."""
    texts = [e.text for e in excerpts]
    surest = scorer.tag(texts, margin=TAG_MARGIN)
    rules, both = [], []
    for excerpt, spans in zip(excerpts, surest, strict=True):
        document = [Sentence.of(excerpt.context), excerpt.sentence]
        rules.append([(m.start, m.end) for m in find_mentions(document)[1]])
        both.append([(m.start, m.end) for m in find_mentions(document, tagged=[[], spans])[1]])
    return rules, scorer.tag(texts), both


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.finding", description=__doc__.split("\n\n")[1])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    add_development_options(parser, "fourth.toml")
    options = parser.parse_args(arguments)
    print(measure_finding(load_scorer(options.model, device="cpu"), read_development(options)).to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
