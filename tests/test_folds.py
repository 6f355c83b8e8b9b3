"""Cross-validation on PLV: every row is judged once, by a model that never learned from its sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stance.errors import ConfigError
from stance.formats.plv import read_plv_rows
from stance.labels import PLOVER_ROOTS
from tests.test_training import DEV, TRAIN, settings_for, workshop, write_corpus
from training import folds, train
from training.config import CorpusSettings, StageSettings, TrainingSettings
from training.corpora import PLV_FILE
from training.data import Corpora, sentence_key
from training.folds import cross_validate, deal_rows, figures, main

__all__ = ["workshop"]

FORMS = {"SUPPORT": "<s>{}</s> thanks <t>{}</t> .", "REJECT": "<t>{1}</t> : opposed by <s>{0}</s> ."}
NAMES = ("iran", "china", "russia", "un", "xi")


def write_plv(folder: Path) -> Path:
    """Write twenty rows of two roots, the first of which stands twice, and one that is a training sentence of TRAIN."""
    pairs = [(a, b) for a, b in zip(NAMES, NAMES[1:] + NAMES[:1], strict=True)]
    pairs += [(b, a) for a, b in pairs]
    rows = [(form.format(*names), root) for root, form in FORMS.items() for names in pairs]
    shared = TRAIN[0].text.replace("iran", "<s>iran</s>", 1).replace("china", "<t>china</t>", 1)
    rows += [rows[0], (shared, "SUPPORT")]
    lines = ["\tmarked_sentence\tgold_root", *(f"{i}\t{text}\t{root}" for i, (text, root) in enumerate(rows))]
    folder.mkdir(parents=True)
    (folder / PLV_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / PLV_FILE


@pytest.fixture
def plan(workshop: Path, tmp_path: Path) -> tuple[TrainingSettings, TrainingSettings]:
    """Settings of a start and of a fold, on a tiny corpus and PLV's rows."""
    write_corpus(tmp_path / "corpora" / "tiny", TRAIN, DEV)
    write_plv(tmp_path / "corpora" / "plv")
    known: dict[str, Any] = {"corpora_folder": "corpora", "selection": ("tiny/pairs",), "folder": tmp_path}
    tiny = {"tiny": CorpusSettings("excerpts", "tiny")}
    once = (StageSettings("start", {"tiny": 1.0}, epochs=1, learning_rate=3e-3),)
    start = settings_for(workshop, Path("runs/start/model"), corpora=tiny, stages=once, **known)
    again = (StageSettings("fold", {"tiny": 0.2, "plv": 2.0}, epochs=1, learning_rate=3e-3),)
    fold = replace(start, corpora={**tiny, "plv": CorpusSettings("plv", "plv")}, stages=again, output="fold")
    return start, replace(fold, start="runs/start/model")


def test_rows_are_dealt_once_and_a_sentence_to_one_fold(tmp_path: Path) -> None:
    rows = read_plv_rows(write_plv(tmp_path / "plv"))
    dealt = deal_rows(rows, 4, seed=0)
    assert sorted(i for fold in dealt for i in fold) == list(range(len(rows)))
    assert [{rows[i].root for i in fold} for fold in dealt] == [set(FORMS)] * 4
    (twice,) = [fold for fold in dealt if 0 in fold]
    assert len(rows) - 2 in twice
    assert deal_rows(rows, 4, seed=0) == dealt != deal_rows(rows, 4, seed=1)


def test_no_model_learns_from_the_sentences_that_it_judges(
    plan: tuple[TrainingSettings, TrainingSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Corpora] = []

    class Watched(train.Trainer):
        def __init__(self, settings: TrainingSettings, corpora: Corpora, run_folder: Path, **more: Any) -> None:
            learned.append(corpora)
            super().__init__(settings, corpora, run_folder, **more)

    monkeypatch.setattr(folds, "Trainer", Watched)
    monkeypatch.setattr(train, "Trainer", Watched)
    start, fold = plan
    rows = read_plv_rows(tmp_path / "corpora" / "plv" / PLV_FILE)
    whole, reports = cross_validate([start], fold, tmp_path / "run", n_folds=3, seed=0)
    with pytest.raises(ConfigError, match="expected a checkpoint of these settings and corpora"):
        cross_validate([start], fold, tmp_path / "run", n_folds=3, seed=1)  # other rows are held out
    learned.pop()
    first, *later = [{sentence_key(e.text) for part in c.train.values() for e in part} for c in learned]
    keys = [sentence_key(row.excerpt.text) for row in rows]
    assert first
    assert first.isdisjoint(keys)
    assert [c.development.keys() for c in learned[1:]] == [{"tiny"}] * 3
    for shown, held in zip(later, deal_rows(rows, 3, seed=0), strict=True):
        assert shown.isdisjoint(keys[i] for i in held)
        assert shown >= {keys[i] for i in range(len(rows)) if i not in held and keys[i] not in {keys[j] for j in held}}
    assert whole.n_excerpts == len(rows) == sum(r.n_excerpts for r in reports)
    assert figures(whole).keys() == {"plv/binary", "plv/stance", "plv/quad", "plv/root"}
    assert {c.name for c in whole["plv/root"].classes if c.n_gold} == set(FORMS) < set(PLOVER_ROOTS)


def test_folds_choose_nothing_by_plv(plan: tuple[TrainingSettings, TrainingSettings], tmp_path: Path) -> None:
    start, fold = plan
    with pytest.raises(ConfigError, match="expected a selection of figures other than PLV's"):
        cross_validate([start], replace(fold, selection=("plv/macro",)), tmp_path / "run", 3, 0)
    with pytest.raises(ConfigError, match="expected selection out of"):
        cross_validate([start], replace(fold, selection=("tiny/nothing",)), tmp_path / "run", 3, 0)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="expected a corpus 'plv' in the settings of the folds"):
        cross_validate([start], start, tmp_path / "run", 3, 0)
    with pytest.raises(ConfigError, match="expected folds to start from 'elsewhere/model'"):
        cross_validate([replace(start, output="elsewhere/model")], fold, tmp_path / "run", 3, 0)
    with pytest.raises(ConfigError, match="expected settings of a start without PLV"):
        cross_validate([replace(fold, start="", output="other/model")], fold, tmp_path / "run", 3, 0)


def test_the_command_prints_all_rows_and_the_spread_of_the_folds(
    plan: tuple[TrainingSettings, TrainingSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = dict(zip(("start.toml", "fold.toml"), plan, strict=True))
    monkeypatch.setattr(folds, "load_settings", lambda path, _: given[path.name])
    assert main(["start.toml", "fold.toml", "--run", str(tmp_path / "run"), "--folds", "2"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == ["plv/binary", "plv/stance", "plv/quad", "plv/root"]
    record = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert len(record["folds"]) == 2
    assert f"{record['whole']['sections']['plv/root']['macro']['f1']:.3f}" in printed[-1]
