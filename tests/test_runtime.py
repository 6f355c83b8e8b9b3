from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stance import ANY, AUTHOR, Holder, Mention, ModelError, Pair, Sentence, StanceClassifier, StanceError, Target
from stance.classifier import Backend
from stance.excerpts import load_excerpts
from stance.folder import ONNX_FILE
from stance.loading import load_scorer
from stance.metrics import label_matrix, micro_f1
from stance.runtime import OnnxForward
from stance.scoring import PairScorer
from training.export import export_onnx, main

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "models" / "base"


@pytest.fixture(scope="module")
def graphs(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    paths = {"fp32": folder / "fp32.onnx", "int8": folder / "int8.onnx"}
    export_onnx(tiny_folder, paths["fp32"], int8=False)
    export_onnx(tiny_folder, paths["int8"])
    return paths


def some_pairs() -> list[Pair]:
    pairs = []
    for text in ("Iran thanks China.", "Russia condemned Iran and China in the talks " + "with China " * 60):
        sentence = Sentence.of(text)
        spans = [(text.index(name), text.index(name) + len(name)) for name in ("Iran", "China")]
        iran, china = (Mention(start, end, Target(text[start:end])) for start, end in spans)
        holders: list[Holder] = [iran, AUTHOR, ANY]
        pairs += [Pair(sentence, holder, china) for holder in holders]
    return pairs


def test_fp32_graph_equals_torch_whatever_the_sizes(graphs: dict[str, Path], tiny_folder: Path) -> None:
    scorer = load_scorer(tiny_folder, backend="torch", device="cpu")
    onnx = PairScorer(scorer.tokenizer, scorer.settings, OnnxForward(graphs["fp32"], threads=1))
    pairs = some_pairs()
    for chosen in (pairs, pairs[:1], pairs[3:]):
        one, other = scorer.score(chosen), onnx.score(chosen)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)
        np.testing.assert_allclose(one.relations, other.relations, atol=1e-4)


def test_int8_graph_is_near(graphs: dict[str, Path], tiny_folder: Path) -> None:
    scorer = load_scorer(tiny_folder, backend="torch", device="cpu")
    onnx = PairScorer(scorer.tokenizer, scorer.settings, OnnxForward(graphs["int8"], threads=1))
    np.testing.assert_allclose(
        scorer.score(some_pairs()).probabilities, onnx.score(some_pairs()).probabilities, atol=0.05
    )


def test_backend_onnx_wants_its_file(tiny_folder: Path) -> None:
    with pytest.raises(ModelError, match=ONNX_FILE):
        StanceClassifier.from_pretrained(tiny_folder, backend="onnx")
    with pytest.raises(StanceError, match="device"):
        StanceClassifier.from_pretrained(SHIPPED, backend="onnx", device="cuda")


def test_damaged_graph_raises_one_clear_error(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    (folder / ONNX_FILE).write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="copy the folder anew"):
        StanceClassifier.from_pretrained(folder, backend="onnx")


def test_export_command_names_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_threads_reach_the_backend(graphs: dict[str, Path], tiny_folder: Path, tmp_path: Path, backend: str) -> None:
    import torch  # noqa: PLC0415

    folder = with_graph(tiny_folder, graphs["int8"], tmp_path)
    try:
        scorer = load_scorer(folder, backend=backend, device="cpu", threads=2)
        assert (scorer.forward.threads if isinstance(scorer.forward, OnnxForward) else torch.get_num_threads()) == 2
    finally:
        torch.set_num_threads(1)
    with pytest.raises(StanceError, match="threads"):
        StanceClassifier.from_pretrained(folder, threads=0)


FORK = """
import multiprocessing, sys
from stance import StanceClassifier
classifier = StanceClassifier.from_pretrained(sys.argv[1], backend=sys.argv[2], device="cpu", threads=2)
text = "Iran thanks China, and Russia condemned the deal. The UN met Iran and China."
def judge(text):
    return [p for prediction in classifier.predict(text) for p in prediction.probabilities.values()]
before = judge(text)
with multiprocessing.get_context("fork").Pool(2) as pool:
    after = pool.map(judge, [text] * 4)
sys.exit(max(abs(a - b) for one in after for a, b in zip(before, one, strict=True)) > 1e-6)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_forked_worker_answers_like_its_parent(
    graphs: dict[str, Path], tiny_folder: Path, tmp_path: Path, backend: str
) -> None:
    folder = with_graph(tiny_folder, graphs["int8"], tmp_path)
    command = [sys.executable, "-c", FORK, str(folder), backend]
    done = subprocess.run(command, cwd=ROOT, timeout=120, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_a_classifier_travels_to_a_process_that_is_started_anew(
    graphs: dict[str, Path], tiny_folder: Path, tmp_path: Path, backend: Backend
) -> None:
    folder = with_graph(tiny_folder, graphs["int8"], tmp_path)
    classifier = StanceClassifier.from_pretrained(folder, backend=backend, device="cpu")
    text = "Iran thanks China, and Russia condemned the deal. The UN met Iran and China."
    again = pickle.loads(pickle.dumps(classifier))
    assert again.predict(text).to_records() == classifier.predict(text).to_records()


def with_graph(folder: Path, graph: Path, parent: Path) -> Path:
    """Copy a model folder and put a graph into it."""
    copy = parent / "model"
    shutil.copytree(folder, copy)
    shutil.copy(graph, copy / ONNX_FILE)
    return copy


def test_shipped_graphs_answer_as_torch_does(tmp_path: Path) -> None:
    """On the project's own excerpts: 32 bit to 1e-4; int8 in 99 % of decisions and to one point of F1.

    A third of the training excerpts is there too: on the development excerpts alone four decisions are half a point.
    """
    scorer = load_scorer(SHIPPED, backend="torch", device="cpu")
    export_onnx(SHIPPED, tmp_path / "fp32.onnx", int8=False)
    excerpts = load_excerpts(ROOT / "seeds" / "dev.jsonl") + load_excerpts(ROOT / "seeds" / "train.jsonl")[::3]
    judged = [e.to_pairs() for e in excerpts]
    pairs, labels = [p for ps, _ in judged for p in ps], [x for _, xs in judged for x in xs]
    probabilities = scorer.score(pairs).probabilities

    scorer.forward = OnnxForward(tmp_path / "fp32.onnx")
    np.testing.assert_allclose(scorer.score(pairs).probabilities, probabilities, atol=1e-4)

    thresholds, y_true = np.asarray(scorer.settings.thresholds), label_matrix(labels)
    scorer.forward = OnnxForward(SHIPPED / ONNX_FILE)
    decided, decided_int8 = probabilities >= thresholds, scorer.score(pairs).probabilities >= thresholds
    assert (decided != decided_int8).mean() <= 0.01
    assert abs(micro_f1(y_true, decided) - micro_f1(y_true, decided_int8)) <= 0.01


def test_a_driver_without_a_gpu_leaves_the_graph_in_use(
    graphs: dict[str, Path], tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "nvidia-smi")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    folder = with_graph(tiny_folder, graphs["int8"], tmp_path)
    assert isinstance(load_scorer(folder).forward, OnnxForward)
