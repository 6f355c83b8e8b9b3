from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from stance import Agreement, DataError, StanceError, load_excerpts
from stance.cli import main
from stance.excerpts import parse_excerpt
from stance.krippendorff import krippendorff_alpha

SEEDS = Path(__file__).parents[1] / "seeds"
TEXT = "Iran thanked China and scolded Mali."
IRAN, CHINA, MALI = [0, 4], [13, 18], [31, 35]


def row(name: str, *pairs: tuple[list[int] | str | None, list[int], list[str]], **fields: Any) -> dict[str, Any]:
    listed = [{"holder": h, "target": t, "stances": s} for h, t, s in pairs]
    whole = {"id": name, "text": TEXT, "mentions": [IRAN, CHINA, MALI], "pairs": listed, "complete": True}
    return whole | fields


A = [
    row("1", (IRAN, CHINA, ["support"]), (IRAN, MALI, ["oppose"]), document="d"),
    row("2", (IRAN, CHINA, ["support", "cooperate"])),
]
B = [
    row("2", (IRAN, CHINA, ["cooperate"]), (None, MALI, ["oppose"])),
    row("1", (IRAN, CHINA, ["support"]), document="d"),
    row("3"),
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "a.jsonl", A), write(tmp_path / "b.jsonl", B)


@pytest.fixture
def agreement(files: tuple[Path, Path]) -> Agreement:
    return Agreement.from_files(*files, rounds=50)


def figures(agreement: Agreement, unit: str, label: str) -> tuple[int, int, int, int, float]:
    (found,) = [r for r in agreement.rows if (r.unit, r.label) == (unit, label)]
    return found.n, found.n_first, found.n_second, found.n_both, round(found.f1, 4)


def test_counts_by_hand(agreement: Agreement) -> None:
    # Three mentions and the author give nine directed pairs a sentence.
    assert figures(agreement, "pairs", "support") == (18, 2, 1, 1, round(2 / 3, 4))
    assert figures(agreement, "pairs", "oppose") == (18, 1, 1, 0, 0)
    assert figures(agreement, "pairs", "cooperate") == (18, 1, 1, 1, 1)
    assert figures(agreement, "pairs", "all") == (18, 4, 3, 2, round(4 / 7, 4))
    assert figures(agreement, "pairs", "polarity") == (18, 3, 3, 2, round(4 / 6, 4))
    assert figures(agreement, "targets", "oppose") == (6, 1, 1, 0, 0)


def test_alpha_is_that_of_the_single_decisions(agreement: Agreement) -> None:
    alphas = {(r.unit, r.label): r.alpha for r in agreement.rows}
    nothing = [0] * 16
    assert alphas["pairs", "support"] == pytest.approx(krippendorff_alpha([[1, 1, *nothing], [1, 0, *nothing]]))
    assert alphas["pairs", "cooperate"] == 1
    sets = [["s", "o", "sc", "-"], ["s", "-", "c", "o"]]
    assert alphas["pairs", "all"] == pytest.approx(krippendorff_alpha([[*found, *"-" * 14] for found in sets]))
    assert alphas["targets", "oppose"] == pytest.approx(krippendorff_alpha([[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]))


def test_rows_are_in_the_order_of_stances(agreement: Agreement) -> None:
    labels = ["support", "oppose", "cooperate", "all", "polarity"]
    assert [(r.unit, r.label) for r in agreement.rows] == [(u, x) for u in ("pairs", "targets") for x in labels]


def test_what_is_in_one_file_only_is_counted(agreement: Agreement) -> None:
    assert agreement.counts == {
        "excerpts": 2,
        "only_first": 0,
        "only_second": 1,
        "documents": 2,
        "mentions_both": 6,
        "mentions_only_first": 0,
        "mentions_only_second": 0,
        "pairs_one_sided": 0,
        "targets_one_sided": 0,
    }


def test_disagreements_are_listed_once(agreement: Agreement) -> None:
    found = [(d.excerpt.id, d.unit, str(d.holder), d.target.name) for d in agreement.disagreements]
    assert found == [
        ("1", "pairs", "Iran", "Mali"),
        ("2", "pairs", "Iran", "China"),
        ("2", "pairs", "@author", "Mali"),
    ]


def test_full_agreement_and_undefined_figures() -> None:
    excerpts = load_excerpts(SEEDS / "seed_article.jsonl")
    agreement = Agreement.from_excerpts(excerpts, excerpts, rounds=20)
    assert agreement.disagreements == ()
    for r in agreement.rows:
        if r.label == "oppose":  # nobody opposes anybody there
            assert r.n_first == 0
            assert all(math.isnan(x) for x in (r.f1, r.alpha, *r.f1_interval))
        else:
            assert (r.f1, r.alpha, *r.f1_interval, *r.alpha_interval) == pytest.approx((1,) * 6)
    assert "0 disagreements." in str(agreement)


def test_partly_known_labels_count_as_polarity_only() -> None:
    whole = [parse_excerpt(A[0])]
    known = [{"holder": IRAN, "target": CHINA, "polarity": "positive"}]
    part = [parse_excerpt(A[0] | {"pairs": known, "complete": False})]
    agreement = Agreement.from_excerpts(whole, part, rounds=10)
    assert figures(agreement, "pairs", "polarity") == (1, 1, 1, 1, 1)
    assert math.isnan(figures(agreement, "pairs", "all")[-1])
    assert agreement.counts["pairs_one_sided"] == 8
    assert [(d.first, d.second) for d in agreement.disagreements] == []


def test_result_as_dictionary_and_frame(agreement: Agreement) -> None:
    record = json.loads(json.dumps(agreement.to_dict()))
    assert set(record) == {"counts", "rows", "disagreements"}
    assert record["rows"][1]["f1"] == 0
    assert len(record["disagreements"]) == 3
    frame = agreement.to_frame()
    assert len(frame) == 10
    assert frame.loc[0, "label"] == "support"


def test_same_seed_same_result(files: tuple[Path, Path]) -> None:
    one, two = (Agreement.from_files(*files, seed=3) for _ in range(2))
    assert one.to_dict() == two.to_dict()


def test_command_prints_figures_and_disagreements(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert "2 excerpts in both, 0 only in A, 1 only in B; 2 documents" in out
    assert "0.667 [" in out
    assert "Iran -> China                    A: support, cooperate     B: cooperate" in out


def test_command_writes_json(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agreement", *map(str, files), "--json", "--overlap"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["excerpts"] == 2


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            [row("1")],
            [row("9")],
            "b.jsonl: expected ids that {a} has too; got none; give two annotations of one sample",
        ),
        ([row("0"), row("1")], [row("1", text=TEXT + "x")], "a.jsonl:2: expected the text that {b}:1 has under id '1'"),
        ([row("1"), row("1")], [row("1")], "a.jsonl:2: expected each id once; got '1' as in line 1"),
        ([row("1")], [{}], "b.jsonl:1: expected 'id' as str"),
        ([row("1")], None, "b.jsonl: expected a readable file"),
    ],
)
def test_bad_input_gives_one_line(
    first: list[dict[str, Any]],
    second: list[dict[str, Any]] | None,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    a, b = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write(a, first)
    if second is not None:
        write(b, second)
    assert main(["agreement", str(a), str(b)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message.format(a=a, b=b) in captured.err


def test_two_texts_under_one_id_are_shown_where_they_differ(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.jsonl", [row("1")]), write(tmp_path / "b.jsonl", [row("1", text=TEXT.replace("M", "B"))])
    with pytest.raises(DataError, match=r"got 'd scolded Mali.' and 'd scolded Bali.' from character 21 on"):
        Agreement.from_files(a, b)


def test_excerpts_in_memory_are_checked_too() -> None:
    one, other = parse_excerpt(row("1")), parse_excerpt(row("1", text=TEXT + "x"))
    with pytest.raises(StanceError, match="expected each id once; got '1' twice"):
        Agreement.from_excerpts([one, one], [one])
    with pytest.raises(StanceError, match="expected one text under id '1'"):
        Agreement.from_excerpts([one], [other])
    with pytest.raises(StanceError, match="ids that both"):
        Agreement.from_excerpts([], [one])
