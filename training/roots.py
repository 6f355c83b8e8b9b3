"""Fit the PLOVER roots of a finished model anew: ``python -m training.roots MODEL_DIR --settings TOML --output DIR``.

Roots are known of few of the pairs that a run learns from, and its relation head, which learns along with everything
else, stays behind what the encoder already tells apart. So the head's last layer is fitted once more on features that
no longer move (Kang et al., ICLR 2020): multinomial logistic regression on every training pair with a root, each corpus
at its weight in the settings' last stage. Stances, calibration and tagger stay as they are, to the last bit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from stance.errors import ConfigError
from stance.excerpts import Excerpt
from stance.loading import load_scorer
from stance.metrics import IntArray
from stance.model import TorchForward
from stance.packing import bucket_rows, collate
from stance.pairs import Pair
from stance.scoring import FloatArray, PairScorer
from training.behaviour import load_cases
from training.build import save_model
from training.card import write_card
from training.command import one_line_errors
from training.data import Corpora, add_development_options, development_settings, load_corpora
from training.record import read_record

_NEVER = -100.0  # the logit of a root that no pair teaches


def pairs_with_roots(
    train: Mapping[str, Sequence[Excerpt]], weights: Mapping[str, float], roots: Sequence[str]
) -> tuple[list[Pair], IntArray, FloatArray]:
    """List the pairs whose root is known, each with its number in ``roots`` and the weight of its corpus.

    Raises:
        ConfigError: there are none.
    """
    listed = [
        (Pair(excerpt.sentence, pair.holder, pair.target), roots.index(pair.relation), weights[name])
        for name, excerpts in train.items()
        if weights.get(name)
        for excerpt in excerpts
        for pair in excerpt.pairs
        if pair.relation is not None
    ]
    if not listed:
        raise ConfigError("expected corpora with PLOVER roots in the settings' last stage; got none; add one")
    pairs, numbers, shares = zip(*listed, strict=True)
    return list(pairs), np.array(numbers, dtype=np.int64), np.array(shares, dtype=np.float32)


def read_features(scorer: PairScorer, pairs: Sequence[Pair]) -> FloatArray:
    """Read what the relation head reads of each pair, ``(n_pairs, size)``."""
    head = cast(TorchForward, scorer.forward).model.relations
    features = np.zeros((len(pairs), head.in_features), dtype=np.float32)
    read: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    rows = scorer.pack(pairs)
    for bucket in bucket_rows([row.size for row in rows], scorer.max_tokens):
        batch = collate([rows[i] for i in bucket], scorer.packing)
        scorer.forward(batch)
        features[batch.index] = read.pop().cpu().numpy()
    hook.remove()
    return features


def fit_roots(features: FloatArray, numbers: IntArray, shares: FloatArray, n_roots: int) -> tuple[Tensor, Tensor]:
    """Fit weight ``(n_roots, size)`` and bias ``(n_roots,)``; a root that no pair has is never the likeliest."""
    fitted = LogisticRegression(max_iter=2000).fit(features, numbers, sample_weight=shares)
    slopes, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # then scikit-learn gives their difference
        slopes, intercepts = np.concatenate([-slopes, slopes]) / 2, np.concatenate([-intercepts, intercepts]) / 2
    weight, bias = torch.zeros(n_roots, features.shape[1]), torch.full((n_roots,), _NEVER)
    weight[fitted.classes_] = torch.from_numpy(slopes).float()
    bias[fitted.classes_] = torch.from_numpy(intercepts).float()
    return weight, bias


def fit_relation_head(scorer: PairScorer, train: Mapping[str, Sequence[Excerpt]], weights: Mapping[str, float]) -> int:
    """Fit the last layer of a scorer's relation head anew, where it stands; say of how many pairs it learned.

    Raises:
        ConfigError: no corpus knows a root.
    """
    pairs, numbers, shares = pairs_with_roots(train, weights, scorer.settings.relations)
    weight, bias = fit_roots(read_features(scorer, pairs), numbers, shares, len(scorer.settings.relations))
    cast(TorchForward, scorer.forward).model.relations.load_state_dict({"weight": weight, "bias": bias})
    return len(pairs)


def refit_roots(
    folder: Path, corpora: Corpora, weights: Mapping[str, float], output: Path, *, onnx: bool = True
) -> None:
    """Write the model of ``folder`` with its relation head fitted anew, graph and card with it.

    Raises:
        ConfigError: no corpus knows a root, or the folder has no record.
        ModelError: the folder is no stance model.
    """
    scorer, record = load_scorer(folder, backend="torch", device="cpu"), read_record(folder)
    record |= {"roots": fit_relation_head(scorer, corpora.train, weights)}
    model = cast(TorchForward, scorer.forward).model
    save_model(model, scorer.tokenizer, scorer.settings, record, output, onnx=onnx)
    write_card(output, corpora.development, load_cases())


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.roots", description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL_DIR", type=Path, help="finished model folder")
    parser.add_argument("--output", type=Path, required=True, help="folder to write the model to")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    settings = development_settings(options)
    refit_roots(options.model, load_corpora(settings), settings.stages[-1].weights, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
