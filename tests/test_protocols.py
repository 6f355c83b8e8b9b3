"""Figures of published benchmarks: invented files in the publishers' formats, scored by hand and by scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import f1_score

from stance.errors import DataError, StanceError
from stance.evaluation import evaluate, read_gold
from stance.formats import FORMATS, ROW_FORMATS
from stance.formats.dse import DseRow, dse_number
from stance.formats.plv import PlvRow
from stance.labels import PLOVER_QUADS, PLOVER_ROOTS, Polarity, Stance
from stance.predictions import Prediction
from stance.report import Report
from tests.gold import COOPERATE, OPPOSE, SUPPORT, prediction

# root and quad of gold; stances and relation of the answer
PLV = [
    ("ACCUSE", "3", {OPPOSE}, "ACCUSE"),
    ("ASSAULT", "4", {OPPOSE}, "ACCUSE"),
    ("SUPPORT", "1", {COOPERATE}, "AGREE"),
    ("AID", "2", {OPPOSE}, "COERCE"),
    ("COOPERATE", "4", {COOPERATE}, "COOPERATE"),  # the publisher's own exception: material conflict
]


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def plv(tmp_path: Path, *, quads: bool = True) -> Path:
    rows = [f"<s>Klow</s> met <t>Istow</t> {i}.\t{root}\t{quad}" for i, (root, quad, *_) in enumerate(PLV)]
    rows += ["<s>Klow</s> struck.\tPROTEST\t4"]
    lines = ["marked_sentence\tgold_root\tgold_penta", *rows]
    return write(tmp_path / "plv.tsv", lines if quads else [line.rpartition("\t")[0] for line in lines])


def plv_report(path: Path) -> Report:
    excerpts, rows = read_gold(path, "plv")
    pairs = [pair for e in excerpts for pair in e.to_pairs()[0]]
    answers = [prediction(p, s, relation=r) for p, (_, _, s, r) in zip(pairs, PLV, strict=True)]
    return Report.from_predictions(excerpts, answers, rows=rows, rounds=20)


def macro(gold: Sequence[str], found: Sequence[str]) -> float:
    return float(f1_score(gold, found, average="macro", labels=sorted(set(gold)), zero_division=0.0))


def test_plv_counts_every_row_in_its_four_figures(tmp_path: Path) -> None:
    report = plv_report(plv(tmp_path))
    assert [s.name for s in report.sections] == ["plv/binary", "plv/stance", "plv/quad", "plv/root", "pairs"]
    sides = macro(["Conf", "Conf", "Coop", "Coop", "Conf", "Conf"], ["Conf", "Conf", "Coop", "Conf", "Coop", "-"])
    assert report["plv/binary"].macro.f1 == pytest.approx(sides)
    stances = macro(["o", "o", "s", "c", "c", "o"], ["o", "o", "c", "o", "c", "-"])
    assert report["plv/stance"].macro.f1 == pytest.approx(stances)
    quads = macro(["3", "4", "1", "2", "4", "4"], ["3", "3", "1", "4", "2", "-"])
    assert report["plv/quad"].macro.f1 == pytest.approx(quads)
    roots = macro([*(row[0] for row in PLV), "PROTEST"], ["ACCUSE", "ACCUSE", "AGREE", "COERCE", "COOPERATE", "-"])
    assert report["plv/root"].macro.f1 == pytest.approx(roots)
    assert report["plv/root"].n_pairs == 6
    assert "1 of 6 rows lack a marked target and were not judged; each counts as a miss" in report["plv/root"].notes
    assert any(
        note.startswith("macro is over 6 of 15 classes; gold does not hold: ") for note in report["plv/root"].notes
    )


def test_plv_takes_the_likeliest_side_also_where_no_stance_reaches_its_threshold(tmp_path: Path) -> None:
    excerpts, rows = read_gold(plv(tmp_path), "plv")
    pairs = [pair for e in excerpts for pair in e.to_pairs()[0]]
    unsure = [Prediction(p, {SUPPORT: 0.2, OPPOSE: 0.3, COOPERATE: 0.2}, frozenset()) for p in pairs]
    section = Report.from_predictions(excerpts, unsure, rows=rows, rounds=5)["plv/binary"]
    assert section["Coop"].n_predicted == 5  # 1 - 0.8 * 0.8 = 0.36
    assert Report.from_predictions(excerpts, unsure, rows=rows, rounds=5)["plv/stance"]["oppose"].n_predicted == 5


def test_plv_without_quads_takes_those_of_the_roots(tmp_path: Path) -> None:
    rows = [row for row in ROW_FORMATS["plv"](plv(tmp_path, quads=False)) if isinstance(row, PlvRow)]
    assert [row.quad for row in rows] == ["V-Conf", "M-Conf", "V-Coop", "M-Coop", "M-Coop", "M-Conf"]
    assert list(PLOVER_QUADS) != []
    assert set(PLOVER_QUADS) == set(PLOVER_ROOTS)
    assert {q for r, q in PLOVER_QUADS.items() if PLOVER_ROOTS[r] is OPPOSE} == {"V-Conf", "M-Conf"}


def test_plv_names_an_unknown_quad(tmp_path: Path) -> None:
    path = write(tmp_path / "plv.tsv", ["marked_sentence\tgold_root\tgold_penta", "<s>K</s> hit <t>I</t>.\tASSAULT\t0"])
    with pytest.raises(DataError, match=r"plv\.tsv:2: expected gold_penta out of .*; got '0'"):
        read_gold(path, "plv")


DSE_ANSWERS: list[tuple[int, set[Stance], set[Stance], int]] = [
    # gold, p->q, q->p, class of the answer
    (0, set(), set(), 0),
    (1, {SUPPORT}, set(), 1),
    (2, set(), {COOPERATE}, 2),
    (3, set(), {OPPOSE}, 4),
    (4, set(), {OPPOSE}, 4),
    (3, {OPPOSE}, set(), 3),
    (0, {SUPPORT}, set(), 1),
]


def test_dse_scores_five_classes_over_every_row(tmp_path: Path) -> None:
    lines = [f"[Klow] met [Istow] {i}.\tKlow\tIstow\t{gold}" for i, (gold, *_) in enumerate(DSE_ANSWERS)]
    path = write(
        tmp_path / "test.txt", [*lines, "Klow[,] said [Istow].\t,\tIstow\t3", "Klow[,] so [Istow].\t,\tIstow\t0"]
    )
    excerpts, rows = read_gold(path, "dse")
    pairs = [pair for e in excerpts for pair in e.to_pairs()[0]]
    stances = [s for _, forth, back, _ in DSE_ANSWERS for s in (forth, back)]
    answers = [prediction(p, s) for p, s in zip(pairs, stances, strict=True)]
    report = Report.from_predictions(excerpts, answers, rows=rows, rounds=20)
    gold, found = [*(row[0] for row in DSE_ANSWERS), 3, 0], [*(row[3] for row in DSE_ANSWERS), 0, 0]
    section = report["dse"]
    assert [s.name for s in report.sections] == ["dse", "polarity"]
    assert section.micro.f1 == pytest.approx(f1_score(gold, found, average="micro"))
    assert section.macro.f1 == pytest.approx(f1_score(gold, found, average="macro"))
    assert [s.f1 for s in section.classes] == pytest.approx(f1_score(gold, found, average=None).tolist())
    assert section.notes == ("2 of 9 rows lack two words as entities and were not judged; each counts as neutral",)
    kept = [row for row in rows if isinstance(row, DseRow) and row.excerpt.pairs]
    assert [dse_number(row.excerpt) for row in kept] == [row.number for row in kept]


def newsmtsc_line(text: str, *targets: tuple[str, float]) -> str:
    listed = [
        {"from": text.index(m), "to": text.index(m) + len(m), "mention": m, "polarity": polarity}
        for m, polarity in targets
    ]
    return json.dumps({"primary_gid": "polusa_v1_1_-1_4_X_0_1", "sentence_normalized": text, "targets": listed})


def test_newsmtsc_scores_every_listing_of_a_target(tmp_path: Path) -> None:
    lines = [
        newsmtsc_line("Klow praised Istow.", ("Klow", 4.0), ("Istow", 6.0)),
        newsmtsc_line("Nestor sighed.", ("Nestor", 2.0), ("Nestor", 2.0)),
        newsmtsc_line("Bianca sighed.", ("Bianca", 2.0), ("Bianca", 6.0)),
    ]
    excerpts, rows = read_gold(write(tmp_path / "rw.jsonl", lines), "newsmtsc")
    found: dict[str, set[Stance]] = {"Klow": {SUPPORT}, "Istow": {COOPERATE}, "Nestor": {OPPOSE}}
    answers = [prediction(p, found[p.target.name]) for e in excerpts for p in e.to_pairs()[0]]
    section = Report.from_predictions(excerpts, answers, rows=rows, rounds=20)["newsmtsc"]
    gold = ["neutral", "positive", "negative", "negative", "negative", "positive"]
    answered = ["positive", "positive", "negative", "negative", "-", "-"]
    assert section.macro.f1 == pytest.approx(macro(gold, answered))
    assert [s.name for s in section.classes] == [
        str(p) for p in (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
    ]
    assert "2 of 6 rows lack one polarity for their span and were not judged; each counts as a miss" in section.notes


def test_rows_must_be_those_of_the_excerpts(tmp_path: Path) -> None:
    excerpts, rows = read_gold(plv(tmp_path), "plv")
    answers = [prediction(p) for e in excerpts for p in e.to_pairs()[0]]
    with pytest.raises(StanceError, match=r"^expected the rows of these excerpts, in order; got others"):
        Report.from_predictions(excerpts, answers, rows=rows[::-1])
    mixed: list[Any] = [DseRow(excerpts[0], 0), *rows[1:]]
    with pytest.raises(StanceError, match=r"^expected rows of one publisher; got 2"):
        Report.from_predictions(excerpts, answers, rows=mixed)


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(StanceError, match=f"^expected a format out of {', '.join(FORMATS)}; got 'xml'"):
        read_gold(tmp_path, "xml")


def test_a_model_is_evaluated_on_a_published_file(tmp_path: Path, tiny_classifier: Any) -> None:
    evaluation = evaluate(tiny_classifier, plv(tmp_path), "plv")
    assert len(evaluation.predictions) == 5
    assert evaluation.target_predictions == []
    assert all(p.relation in PLOVER_ROOTS for p in evaluation.predictions)  # the root is read off every pair
    assert evaluation.report["plv/root"].micro.n_predicted == 5
