"""The benchmarks of speed and memory run through, on tiny sizes, and count what they say they count."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory, plot_speed, speed
from benchmarks.archive import MAX_PAIRS, make_archive, read_texts, spread, vary
from benchmarks.peers import Judge, Size
from stance.folder import ONNX_FILE
from stance.loading import load_scorer
from stance.packing import collate
from stance.pairs import Pair
from training.export import export_onnx

TINY = Size(layers=1, hidden=16, heads=2, inner=32)
PLAN = speed.Plan(
    sentences=4, slow=2, slowest=1, curve=8, repeats=1, base=TINY, large=TINY, small=TINY, matmul_seconds=0.0
)


@pytest.fixture(scope="module")
def folder(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("speed") / "model"
    shutil.copytree(tiny_folder, copy)
    export_onnx(tiny_folder, copy / ONNX_FILE)
    return copy


def test_sentences_of_the_archive_differ_and_so_do_their_pairs() -> None:
    n = 2 * len(read_texts())
    archive = make_archive(n)
    assert len({pairs[0].sentence.text for pairs in archive}) == n
    for pairs in archive:
        assert 1 <= len(pairs) <= MAX_PAIRS
        judged = {(str(p.holder), p.target.start, getattr(p.holder, "start", None)) for p in pairs}
        assert len(judged) == len(pairs)
        assert all(p.holder != p.target for p in pairs)
        assert all(p.sentence.text[p.target.start : p.target.end] == p.target.name for p in pairs)


def test_archive_has_the_pairs_and_the_length_asked_for() -> None:
    for n_pairs, n_words in ((1, 8), (16, 128)):
        archive = make_archive(5, n_pairs=n_pairs, n_words=n_words)
        assert [(len(pairs), len(pairs[0].sentence.text.split())) for pairs in archive] == [(n_pairs, n_words)] * 5


def test_a_slow_system_sees_short_and_long_sentences() -> None:
    archive = make_archive(50, n_pairs=1)
    lengths = np.array([len(pairs[0].sentence.text) for pairs in archive])
    some = [len(pairs[0].sentence.text) for pairs in spread(archive, 10)]
    assert len(some) == 10
    assert some == sorted(some)
    assert abs(np.mean(some) - lengths.mean()) < 0.1 * lengths.mean()
    assert len(spread(archive, 500)) == 50


def test_operations_are_those_of_the_encoder_without_padding(folder: Path) -> None:
    scorer = load_scorer(folder, backend="torch", device="cpu")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    counts = []
    for max_tokens in (1, 10_000):
        watched = speed.Watched(scorer, config)
        scorer.score([p for pairs in make_archive(3, n_pairs=2) for p in pairs], max_tokens)
        counts.append(watched.operations)
        scorer.forward = watched.forward
    assert counts[0] == counts[1] > 0


def test_markers_cost_nothing_in_layers_that_read_the_text_alone(folder: Path) -> None:
    scorer = load_scorer(folder, backend="torch", device="cpu")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layers = config["encoder"]["num_hidden_layers"]
    pairs = make_archive(1, n_pairs=4)[0]
    batch, alone = (collate(scorer.pack(asked), scorer.packing) for asked in (pairs, pairs[:1]))
    late = [speed.encoder_operations(batch, {**config, "text_layers": n}) for n in range(layers + 1)]
    assert np.diff(late).tolist() == [late[1] - late[0]] * layers
    assert late[0] > late[layers]
    assert late[layers] == speed.encoder_operations(alone, {**config, "text_layers": layers})


def test_jobs_are_timed_in_turn() -> None:
    asked: list[str] = []

    def judge(name: str, pause: float) -> Judge:
        def run(pairs: Sequence[Pair]) -> None:
            asked.append(name)
            time.sleep(pause)

        return run

    archive = make_archive(2, n_pairs=1)
    seconds = speed.in_turn({"a": (judge("a", 0.001), archive), "b": (judge("b", 0.05), archive)}, 3)
    assert asked == ["a", "b"] * 4  # once to warm up
    assert seconds["b"] > 0.05 > seconds["a"] > 0


def test_benchmark_runs_through_and_is_drawn(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "speed.json"
    arguments = ["--model", str(folder), "--threads", "1", "--output", str(output)]
    assert speed.main(arguments, PLAN) == 0
    printed = capsys.readouterr().out
    record = json.loads(output.read_text(encoding="utf-8"))
    assert len(record["systems"]) == 7
    assert all(run["pairs_per_second"] > 0 for run in record["systems"])
    assert all(ratio > 0 for ratio in record["ratios"].values())
    assert all(0 < e["share_of_wall"] <= 1 for e in record["encoder"].values())
    assert [row["pairs"] for row in record["pairs_curve"]] == list(speed.PAIR_COUNTS)
    assert all(run["system"] in printed for run in record["systems"])
    assert "random weights" in printed
    assert str(tmp_path) not in printed + output.read_text(encoding="utf-8")

    assert memory.main(["--model", str(folder), "--sentences", "50", "--output", str(tmp_path / "memory.json")]) == 0
    assert " sentences in " in capsys.readouterr().out
    picture = tmp_path / "speed.png"
    drawn = ["--speed", str(output), "--memory", str(tmp_path / "memory.json"), "--output", str(picture)]
    assert plot_speed.main(drawn) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_stream_of_the_memory_benchmark_repeats_nothing() -> None:
    texts = read_texts()
    again = vary(texts)
    sentences = [next(again) for _ in range(3 * len(texts))]
    assert len(set(sentences)) == len(sentences)


def test_growth_is_counted_after_the_warm_up() -> None:
    noted = [(0, 50.0), (5, 90.0), (10, 100.0), (50, 103.5), (100, 101.0)]
    assert memory.growth(noted) == (100.0, 3.5)
