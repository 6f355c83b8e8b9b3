"""Learning curve: each point learns from a share of the sentences, in as many steps, and is scored on all alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stance.errors import ConfigError
from tests.test_training import DEV, TRAIN, settings_for, workshop, write_corpus
from training import curve, train
from training.config import CorpusSettings, StageSettings, TrainingSettings
from training.curve import learning_curve, main, share_of, spread_weights
from training.data import Corpora, load_corpora
from training.optimisation import epoch_batches

__all__ = ["workshop"]


@pytest.fixture
def settings(workshop: Path, tmp_path: Path) -> TrainingSettings:
    """Settings of a short run on two corpora, the second of which repeats sentences of the first."""
    write_corpus(tmp_path / "corpora" / "tiny", TRAIN, DEV)
    write_corpus(tmp_path / "corpora" / "again", TRAIN[: len(TRAIN) // 2], DEV)
    known: dict[str, Any] = {"corpora_folder": "corpora", "selection": ("tiny/pairs",), "folder": tmp_path}
    corpora = {name: CorpusSettings("excerpts", name) for name in ("tiny", "again")}
    once = (StageSettings("curve", {"tiny": 1.0, "again": 0.5}, epochs=1, learning_rate=3e-3),)
    return settings_for(workshop, Path("model"), corpora=corpora, stages=once, **known)


def test_a_share_is_a_part_of_every_larger_one_and_draws_a_sentence_in_all_corpora(settings: TrainingSettings) -> None:
    corpora = load_corpora(settings)
    quarter, half = (
        {name: {e.text for e in part} for name, part in share_of(corpora, share, 1).train.items()}
        for share in (0.25, 0.5)
    )
    whole = {e.text for e in TRAIN}
    for name in ("tiny", "again"):
        assert quarter[name] < half[name] < whole
    assert half["again"] == half["tiny"] & {e.text for e in corpora.train["again"]}
    assert 0.3 < len(half["tiny"]) / len(whole) < 0.7
    assert share_of(corpora, 1, 1).train == corpora.train
    assert share_of(corpora, 0.5, 2).train != share_of(corpora, 0.5, 1).train
    assert share_of(corpora, 0.5, 1).development == corpora.development


@pytest.mark.parametrize(("share", "complaint"), [(0.0, "0 < share <= 1"), (1.5, "0 < share <= 1"), (1e-9, "'tiny'")])
def test_a_share_that_is_none_is_refused_before_any_run(
    settings: TrainingSettings, tmp_path: Path, share: float, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        learning_curve(settings, [1.0, share], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_every_point_takes_as_many_steps_and_is_scored_on_all_development_data(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    learned: list[Corpora] = []

    class Watched(train.Trainer):
        def __init__(self, settings: TrainingSettings, corpora: Corpora, run_folder: Path, **more: Any) -> None:
            super().__init__(settings, corpora, run_folder, **more)
            steps.append(len(epoch_batches(self.datasets, settings.stages[0], 1, settings.batch_tokens)))
            learned.append(corpora)

    monkeypatch.setattr(curve, "Trainer", Watched)
    half, whole = learning_curve(settings, [0.5, 1.0], tmp_path / "run")
    assert (half.share, whole.share) == (0.5, 1.0)
    assert half.rows < whole.rows == len(TRAIN) + len(TRAIN) // 2
    assert abs(steps[0] - steps[1]) <= 1  # of 9: batches fill up a little differently
    assert [len(c.development["tiny"]) for c in learned] == [len(DEV)] * 2
    assert {"tiny/pairs", "tiny/targets", "again/pairs"} <= whole.scores.keys()
    assert half.scores != whole.scores
    before = [p.stat().st_mtime_ns for p in sorted((tmp_path / "run").rglob("*")) if p.is_file()]
    assert learning_curve(settings, [0.5, 1.0], tmp_path / "run") == [half, whole]  # finished shares stay done
    assert [p.stat().st_mtime_ns for p in sorted((tmp_path / "run").rglob("*")) if p.is_file()] == before


def test_weights_make_up_for_what_is_not_drawn(settings: TrainingSettings) -> None:
    whole = load_corpora(settings)
    part = replace(whole, train={"tiny": whole.train["tiny"][:10], "again": whole.train["again"]})
    spread = spread_weights(settings, whole, part)
    assert spread.stages[0].weights == {"tiny": len(TRAIN) / 10, "again": 0.5}
    assert spread == replace(settings, stages=spread.stages)


def test_the_command_prints_a_line_a_share_and_writes_the_figures(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(curve, "load_settings", lambda path, overrides: replace(settings, **overrides))
    assert main(["x.toml", "--run", str(tmp_path / "run"), "--shares", "1", "--seed", "5"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    (point,) = json.loads((tmp_path / "run" / "curve.json").read_text(encoding="utf-8"))
    assert line.split()[:4] == ["share", "1", str(point["rows"]), "rows"]
    assert f"tiny/pairs {point['scores']['tiny/pairs']:.3f}" in line
    assert main(["x.toml", "--run", str(tmp_path / "run"), "--shares", "0"]) == 2
    assert "expected 0 < share <= 1" in capsys.readouterr().err
