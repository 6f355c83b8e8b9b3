from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stance import ANY, AUTHOR, Holder, Mention, ModelError, Pair, Sentence, StanceClassifier, StanceError, Target
from stance.excerpts import load_excerpts
from stance.folder import ONNX_FILE
from stance.loading import load_scorer
from stance.metrics import label_matrix, micro_f1
from stance.runtime import OnnxForward, available_cores
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
    import shutil  # noqa: PLC0415

    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    (folder / ONNX_FILE).write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="copy the folder anew"):
        StanceClassifier.from_pretrained(folder, backend="onnx")


def test_export_command_names_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_threads_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert available_cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert available_cores() >= 1


def test_shipped_int8_graph_decides_as_torch_does() -> None:
    """At most 1 % of decisions and 0.5 points of F1 may differ, on the project's own development excerpts."""
    scorers = {b: load_scorer(SHIPPED, backend=b, device="cpu") for b in ("torch", "onnx")}
    excerpts = load_excerpts(ROOT / "seeds" / "dev.jsonl")
    judged = [e.to_pairs() for e in excerpts]
    pairs, labels = [p for ps, _ in judged for p in ps], [x for _, xs in judged for x in xs]
    thresholds = np.asarray(scorers["torch"].settings.thresholds)
    decided = {b: scorer.score(pairs).probabilities >= thresholds for b, scorer in scorers.items()}
    assert (decided["torch"] != decided["onnx"]).mean() <= 0.01
    y_true = label_matrix(labels)
    assert abs(micro_f1(y_true, decided["torch"]) - micro_f1(y_true, decided["onnx"])) <= 0.005
