"""The relation head is fitted anew on what the network already reads, and nothing else moves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stance.classifier import StanceClassifier
from stance.errors import ConfigError
from stance.excerpts import Excerpt
from stance.folder import CARD_FILE, TRAINING_FILE, WEIGHTS_FILE
from stance.labels import PLOVER_ROOTS
from stance.loading import load_scorer
from tests.conftest import RECORD, tiny_model, tiny_settings, tiny_tokenizer
from tests.test_training import DEV, TRAIN
from training.build import save_model
from training.data import Corpora
from training.roots import fit_roots, pairs_with_roots, refit_roots

ROOTS = list(PLOVER_ROOTS)
BY_VERB = {"thanks": "SUPPORT", "opposes": "REJECT", "met": "CONSULT"}


def with_root(excerpt: Excerpt) -> Excerpt:
    root = next((root for verb, root in BY_VERB.items() if f" {verb} " in excerpt.text), None)
    return replace(excerpt, pairs=tuple(replace(pair, relation=root) for pair in excerpt.pairs))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tokenizer = tiny_tokenizer()
    save_model(tiny_model(tokenizer), tokenizer, tiny_settings(), dict(RECORD), tmp_path / "model", onnx=False)
    return tmp_path / "model"


def test_roots_are_told_apart_and_stances_stay(folder: Path, tmp_path: Path) -> None:
    corpora = Corpora({"tiny": [with_root(e) for e in TRAIN], "other": TRAIN}, {"tiny": DEV})
    refit_roots(folder, corpora, {"tiny": 1.0}, tmp_path / "fitted", onnx=False)
    before, after = (load_file(where / WEIGHTS_FILE) for where in (folder, tmp_path / "fitted"))
    moved = {name for name, weight in before.items() if not torch.equal(weight, after[name])}
    assert moved == {"relations.weight", "relations.bias"}
    pairs, numbers, _ = pairs_with_roots(corpora.train, {"tiny": 1.0}, ROOTS)
    hits = []
    for where in (folder, tmp_path / "fitted"):
        found = StanceClassifier.from_pretrained(where, backend="torch", device="cpu").predict_pairs(pairs)
        hits.append(np.mean([p.relation == ROOTS[n] for p, n in zip(found, numbers, strict=True)]))
    assert hits[1] > hits[0] + 0.2
    assert {p.relation for p in found} <= set(BY_VERB.values())
    record = json.loads((tmp_path / "fitted" / TRAINING_FILE).read_text(encoding="utf-8"))
    assert record["roots"] == sum(len(e.pairs) for e in TRAIN)
    assert f"on {record['roots']} pairs" in (tmp_path / "fitted" / CARD_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize("n_classes", [2, 3])
def test_fitted_layer_gives_what_it_was_fitted_to(n_classes: int) -> None:
    random = np.random.default_rng(0)
    numbers = np.repeat(np.arange(n_classes) + 4, 20)
    features = (10 * np.eye(8)[numbers] + random.normal(size=(len(numbers), 8))).astype(np.float32)
    weight, bias = fit_roots(features, numbers, np.ones(len(numbers), np.float32), len(ROOTS))
    assert (weight.shape, bias.shape) == ((len(ROOTS), 8), (len(ROOTS),))
    likeliest = (torch.from_numpy(features) @ weight.T + bias).argmax(1)
    assert likeliest.tolist() == numbers.tolist()


def test_corpora_without_roots_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected corpora with PLOVER roots"):
        refit_roots(folder, Corpora({"tiny": TRAIN[:1]}, {}), {"tiny": 1.0}, tmp_path / "none", onnx=False)
    assert load_scorer(folder, backend="torch", device="cpu").settings.relations
    assert not (tmp_path / "none").exists()
