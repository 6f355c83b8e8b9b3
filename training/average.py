"""One model out of several runs: ``python -m training.average MODEL_DIR MODEL_DIR ... --output DIR``.

Runs that began from the same weights end in one valley, where the mean of their weights reads better than each of them
and costs no more to run ("model soups", Wortsman et al., ICML 2022). The mean is calibrated anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from stance.errors import ConfigError
from stance.excerpts import Excerpt
from stance.loading import load_scorer
from stance.model import StanceModel, TorchForward
from training.behaviour import load_cases
from training.build import save_model
from training.calibration import settle
from training.card import write_card
from training.command import one_line_errors
from training.data import add_development_options, read_development
from training.record import joined_corpora, read_record, rounded


def average_models(
    folders: Sequence[Path],
    shares: Sequence[float],
    development: Mapping[str, Sequence[Excerpt]],
    output: Path,
    *,
    onnx: bool = True,
) -> None:
    """Write the model whose weights are the mean of those in ``folders``, each with its share.

    Raises:
        ConfigError: there are not as many shares as folders, the models are not of one kind, or one has no record. Only
            the tagger may be missing, in all but the first.
        ModelError: a folder is no stance model.
    """
    if len(shares) != len(folders) or min(shares, default=0) <= 0:
        raise ConfigError(f"expected {len(folders)} shares above 0, one a model; got {list(shares)}; correct them")
    scorers = [load_scorer(folder, backend="torch", device="cpu") for folder in folders]
    models = [cast(TorchForward, scorer.forward).model for scorer in scorers]
    first, model = scorers[0], models[0]
    for folder, scorer, other in zip(folders, scorers, models, strict=True):
        if not _of_one_kind(model, other) or scorer.tokenizer.get_vocab() != first.tokenizer.get_vocab():
            raise ConfigError(f"expected models of one encoder; got {str(folder)!r}, which differs; leave it out")
    model.load_state_dict(mean_weights([m.state_dict() for m in models], shares))
    total = sum(shares)
    record = _record(folders, [w / total for w in shares], settle(first, development))
    save_model(model, first.tokenizer, first.settings, record, output, onnx=onnx)
    write_card(output, development, load_cases())


def _of_one_kind(one: StanceModel, other: StanceModel) -> bool:
    """Tell whether two models have the same weights to average, used alike; the second may lack a tagger."""
    shapes, others = ({k: v.shape for k, v in m.state_dict().items()} for m in (one, other))
    missing = {k for k in shapes.keys() - others.keys() if k.startswith("tagger.")}
    return one.config.text_layers == other.config.text_layers and shapes == others | {k: shapes[k] for k in missing}


def mean_weights(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Take the mean of weights, each model with its share; what only some models have is the mean of theirs."""
    mean = {}
    for key in states[0]:
        having = [(state[key], share) for state, share in zip(states, shares, strict=True) if key in state]
        total = sum(share for _, share in having)
        mean[key] = torch.stack([weight * (share / total) for weight, share in having]).sum(0)
    return mean


def _record(folders: Sequence[Path], shares: Sequence[float], scores: Mapping[str, float]) -> dict[str, Any]:
    """Join the training records of the models: the first one's, with all corpora and the runs that were averaged."""
    records = [read_record(folder) for folder in folders]
    runs = [run for share, r in zip(shares, records, strict=True) for run in _runs(r, share)]
    return {
        **records[0],
        "corpora": joined_corpora(record["corpora"] for record in records),
        "scores": rounded(scores),
        "history": [],
        "seconds": sum(r["seconds"] for r in records),
        "averaged": runs,
    }


def _runs(record: Mapping[str, Any], share: float) -> list[dict[str, Any]]:
    """List the runs behind a model with their shares; those of one that is itself a mean share what it has."""
    if record.get("averaged"):
        return [{**run, "share": round(share * run["share"], 4)} for run in record["averaged"]]
    return [{"share": round(share, 4), **{key: record[key] for key in ("settings", "history", "seconds")}}]


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.average", description=__doc__.splitlines()[0])
    parser.add_argument("models", metavar="MODEL_DIR", nargs="+", type=Path, help="finished model folders")
    parser.add_argument("--shares", nargs="+", type=float, help="weight of each model (default: all alike)")
    parser.add_argument("--output", type=Path, required=True, help="folder to write the model to")
    add_development_options(parser)
    options = parser.parse_args(arguments)
    shares = options.shares or [1.0] * len(options.models)
    average_models(options.models, shares, read_development(options), options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
