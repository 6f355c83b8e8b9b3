import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stance.classifier import StanceClassifier
from stance.errors import ConfigError
from stance.excerpts import Excerpt, load_excerpts
from stance.folder import CONFIG_FILE, TRAINING_FILE, WEIGHTS_FILE
from stance.labels import as_polarity
from stance.loading import load_scorer
from tests.conftest import RECORD, tiny_model, tiny_settings, tiny_tokenizer
from training.average import average_models
from training.build import save_model
from training.development import evaluate_development
from training.record import joined_corpora

DEV = {"seeds": load_excerpts(Path(__file__).parents[1] / "seeds" / "dev.jsonl")[:40]}


def saved(folder: Path, shift: float, max_length: int = 48) -> Path:
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer, max_length)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(shift)
    save_model(model, tokenizer, replace(tiny_settings(), max_length=max_length), dict(RECORD), folder, onnx=False)
    return folder


def test_weights_are_the_mean_by_share_and_the_record_names_the_runs(tmp_path: Path) -> None:
    folders = [saved(tmp_path / str(i), shift) for i, shift in enumerate((0.0, 0.2))]
    average_models(folders, [3, 1], DEV, tmp_path / "mean", onnx=False)
    first, mean = (load_file(folder / WEIGHTS_FILE) for folder in (folders[0], tmp_path / "mean"))
    for name, weight in first.items():
        torch.testing.assert_close(mean[name].float(), weight.float() + 0.05, atol=2e-3, rtol=0)
    record = json.loads((tmp_path / "mean" / TRAINING_FILE).read_text(encoding="utf-8"))
    assert [run["share"] for run in record["averaged"]] == [0.75, 0.25]
    assert 0 <= record["scores"]["seeds/pairs"] <= 1
    assert "calibration/pairs.ece" in record["scores"]
    classifier = StanceClassifier.from_pretrained(tmp_path / "mean", backend="torch", device="cpu")
    excerpt: Excerpt = DEV["seeds"][0]
    assert len(classifier.predict_pairs(excerpt.to_pairs()[0])) == len(excerpt.to_pairs()[0])


def test_record_has_the_figures_of_the_model_as_it_is_used(tmp_path: Path) -> None:
    """Sides are told at one threshold of the calibrated probability: figures of raw ones were another model's."""
    sides = [
        replace(e, complete=False, pairs=tuple(replace(p, label=as_polarity(p.label)) for p in e.pairs if p.label))
        for e in DEV["seeds"]
    ]
    development = {**DEV, "sides": [e for e in sides if e.pairs]}
    average_models([saved(tmp_path / "0", 0.0)], [1], development, tmp_path / "mean", onnx=False)
    record = json.loads((tmp_path / "mean" / TRAINING_FILE).read_text(encoding="utf-8"))
    again = evaluate_development(load_scorer(tmp_path / "mean", backend="torch", device="cpu"), development).scores
    assert record["scores"]["sides/macro"] == pytest.approx(again["sides/macro"], abs=1e-4)


def test_mean_of_a_mean_names_every_run(tmp_path: Path) -> None:
    folders = [saved(tmp_path / str(i), shift) for i, shift in enumerate((0.0, 0.2, 0.4))]
    average_models(folders[:2], [3, 1], DEV, tmp_path / "mean", onnx=False)
    average_models([tmp_path / "mean", folders[2]], [1, 1], DEV, tmp_path / "second", onnx=False)
    record = json.loads((tmp_path / "second" / TRAINING_FILE).read_text(encoding="utf-8"))
    assert [run["share"] for run in record["averaged"]] == [0.375, 0.125, 0.5]


def test_mean_names_every_corpus_that_one_of_them_learned_from(tmp_path: Path) -> None:
    folders = [saved(tmp_path / str(i), shift) for i, shift in enumerate((0.0, 0.2))]
    further = {"rows": 3, "sha256": "0" * 64}
    record = json.loads((folders[1] / TRAINING_FILE).read_text(encoding="utf-8"))
    known = dict(record["corpora"])
    record["corpora"]["further"] = further
    (folders[1] / TRAINING_FILE).write_text(json.dumps(record), encoding="utf-8")
    average_models(folders, [1, 1], DEV, tmp_path / "mean", onnx=False)
    corpora = json.loads((tmp_path / "mean" / TRAINING_FILE).read_text(encoding="utf-8"))["corpora"]
    assert corpora == {**known, "further": further}


def test_of_a_corpus_that_several_runs_saw_the_most_rows_count_whichever_came_last() -> None:
    few, many = {"rows": 2, "sha256": "0" * 64}, {"rows": 3, "sha256": "1" * 64}
    joined = joined_corpora([{"a": few, "b": many}, {"a": many, "b": few}, {"c": few}])
    assert joined == {"a": many, "b": many, "c": few}


@pytest.mark.parametrize(("shares", "reason"), [([1], "2 shares above 0"), ([1, 0], "2 shares above 0")])
def test_shares_that_do_not_fit_are_refused(tmp_path: Path, shares: list[float], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        average_models([tmp_path, tmp_path], shares, DEV, tmp_path / "mean")


def test_models_of_different_shape_are_refused(tmp_path: Path) -> None:
    one = saved(tmp_path / "one", 0.0)
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(["further"])
    save_model(tiny_model(tokenizer), tokenizer, tiny_settings(), dict(RECORD), tmp_path / "other", onnx=False)
    with pytest.raises(ConfigError, match=r"expected models of one encoder; got '.*other'"):
        average_models([one, tmp_path / "other"], [1, 1], DEV, tmp_path / "mean")


def test_models_whose_markers_join_elsewhere_are_refused(tmp_path: Path) -> None:
    one, other = saved(tmp_path / "one", 0.0), saved(tmp_path / "other", 0.2)
    config = json.loads((other / CONFIG_FILE).read_text(encoding="utf-8"))
    (other / CONFIG_FILE).write_text(json.dumps({**config, "text_layers": 0}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"expected models of one encoder; got '.*other'"):
        average_models([one, other], [1, 1], DEV, tmp_path / "mean")


def test_tagger_that_only_one_model_has_is_kept(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tagging = tmp_path / "tagging"
    model = tiny_model(tokenizer, tagger=True)
    save_model(model, tokenizer, tiny_settings(), dict(RECORD), tagging, onnx=False)
    plain = saved(tmp_path / "plain", 0.2)
    average_models([tagging, plain], [1, 1], DEV, tmp_path / "mean", onnx=False)
    first, mean = (load_file(folder / WEIGHTS_FILE) for folder in (tagging, tmp_path / "mean"))
    torch.testing.assert_close(mean["tagger.1.weight"], first["tagger.1.weight"])
    assert not torch.allclose(mean["stances.weight"], first["stances.weight"])
    record = json.loads((tmp_path / "mean" / TRAINING_FILE).read_text(encoding="utf-8"))
    assert 0 <= record["scores"]["seeds/mentions"] <= 1
    assert "## Finding mentions" in (tmp_path / "mean" / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="expected models of one encoder"):
        average_models([plain, tagging], [1, 1], DEV, tmp_path / "other", onnx=False)


def test_excerpts_that_name_nobody_have_no_calibration_error(tiny_classifier: StanceClassifier) -> None:
    nobody = Excerpt("x", "The deal .", complete=True)
    scores = evaluate_development(tiny_classifier.scorer, {"a": [nobody]}).scores
    assert scores["a/pairs"] == scores["a/targets"] == 1
    assert not any(name.endswith(".ece") for name in scores)
