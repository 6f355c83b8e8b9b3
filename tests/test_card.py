"""The model card holds what a report measures and nothing typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from stance.evaluation import evaluate_excerpts
from stance.excerpts import save_excerpts
from stance.folder import CARD_FILE, TRAINING_FILE
from stance.report import Report
from tests.conftest import RECORD, tiny_settings
from tests.gold import excerpt, perfect
from training.behaviour import load_cases, measure_behaviour
from training.card import development_reports, main, model_card, published_rows, shown_sections, write_card
from training.corpora import READERS

EXCERPTS = [excerpt(str(i), ("klow", "istow", "so"[i % 2])) for i in range(6)]


@pytest.fixture
def model(tiny_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_folder, tmp_path / "model")


def test_card_without_a_measurement_says_so() -> None:
    card = model_card(RECORD, tiny_settings(), {})
    assert "Not measured yet." in card
    assert "| support | 0.50 | 0.50 |" in card


def test_card_holds_the_figures_of_its_reports() -> None:
    report = Report.from_predictions(EXCERPTS, perfect(EXCERPTS), rounds=20)
    record = {**RECORD, "scores": {"dip/pairs": 0.61, "dip/targets": 0.72}}
    card = model_card(record, tiny_settings(), {"dip": report})
    assert "| dip | pairs | micro | 1.000 | 1.000 | 1.000 | 1.000 to 1.000 | 6 | 0.610 |" in card
    assert "| dip | targets | micro | 1.000 | 1.000 | 1.000 | 1.000 to 1.000 | 6 | 0.720 |" in card
    assert "| dip | pairs | cooperate | – | – | – | – | 0 | – |" in card
    for r in report["pairs"].reliability:
        assert f"| dip | pairs, {r.name} | {r.ece:.3f} | {r.brier:.3f} | {r.n} |" in card
    assert "| dip | pairs | 0.000 | 0.000 | 0.000 | 0.000 | 0.000 | 0.000 |" in card


def test_card_is_written_of_the_finished_folder(model: Path) -> None:
    before = {p.name: p.read_bytes() for p in model.iterdir()}
    write_card(model, {"tiny": EXCERPTS})
    after = {p.name: p.read_bytes() for p in model.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {CARD_FILE}
    assert after.keys() == before.keys()
    score = development_reports(model, {"tiny": EXCERPTS})["tiny"]["pairs"].micro
    assert f"| tiny | pairs | micro | {score.precision:.3f} | {score.recall:.3f} |" in after[CARD_FILE].decode()


def test_card_holds_the_failure_rates_of_the_behavioural_suite(model: Path) -> None:
    cases = load_cases()[:8]
    write_card(model, {}, cases)
    (row, *_) = measure_behaviour(model, cases).rows
    low, high = row.interval
    line = f"| clauses | label | 8 | {row.n} | {row.n_failed} | {row.rate:.3f} | {low:.3f} to {high:.3f} |"
    assert line in (model / CARD_FILE).read_text(encoding="utf-8")


def test_excerpts_of_a_publisher_are_scored_as_its_paper_does(tiny_classifier: object, tmp_path: Path) -> None:
    lines = {"train": "[Klow] met [Istow].\tKlow\tIstow\t1\n", "valid": "[Klow] hit [Istow].\tKlow\tIstow\t4\n"}
    for name, line in lines.items():
        (tmp_path / f"{name}.txt").write_text(line, encoding="utf-8")
    excerpts = READERS["dse"](tmp_path)["dev"]
    (row,) = published_rows(excerpts)
    assert getattr(row, "number", None) == 4
    report = evaluate_excerpts(tiny_classifier, excerpts, [row]).report  # type: ignore[arg-type]
    assert [s.name for s in shown_sections(report)] == ["dse"]
    assert published_rows(EXCERPTS) == []


def test_command_measures_a_model_on_the_development_splits(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpora" / "tiny"
    corpus.mkdir(parents=True)
    save_excerpts([excerpt("t", ("klow", "istow", "s"))], corpus / "train.jsonl")
    save_excerpts(EXCERPTS, corpus / "dev.jsonl")
    settings = tmp_path / "settings.toml"
    settings.write_text(
        'output = "m"\n[corpora]\ntiny = { reader = "excerpts", folder = "tiny" }\n'
        '[[stages]]\nname = "s"\nweights = { tiny = 1 }\n',
        encoding="utf-8",
    )
    arguments = [str(model), "--corpora", str(tmp_path / "corpora"), "--settings", str(settings)]
    assert main(arguments) == 0
    assert "| tiny | pairs | micro |" in (model / CARD_FILE).read_text(encoding="utf-8")
    (model / TRAINING_FILE).unlink()
    for at_fault, message in ((arguments, TRAINING_FILE), ([str(tmp_path / "none"), *arguments[1:]], "no folder")):
        assert main(at_fault) == 2
        assert message in capsys.readouterr().err


def test_record_in_the_repository_still_makes_a_card() -> None:
    path = Path(__file__).parents[1] / "models" / "base" / TRAINING_FILE
    record = json.loads(path.read_text(encoding="utf-8"))
    card = model_card(record, tiny_settings(), {})
    assert all(f"| {corpus} | " in card for corpus in record["corpora"])
    assert "not known to this card" not in card
