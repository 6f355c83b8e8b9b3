from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from stance import Audit, Pair, Prediction, Stance, StanceError, load_excerpts
from stance.audit import AuditRow
from stance.cli import main
from stance.counterfactuals import make_counterfactuals
from stance.excerpts import Excerpt, parse_excerpt
from stance.rewriting import Edit
from stance.targets import Mention

SEEDS = Path(__file__).parents[1] / "seeds"
SUPPORT, OPPOSE, COOPERATE = Stance
NONE: frozenset[Stance] = frozenset()
Judge = Callable[[Sequence[Pair]], list[Prediction]]


def row(name: str, document: str, text: str, ends: tuple[str, str], stance: str) -> Excerpt:
    spans = [[text.index(w), text.index(w) + len(w)] for w in ends]
    pair = {"holder": spans[0], "target": spans[1], "stances": [stance]}
    record = {"id": name, "text": text, "document": document, "mentions": spans, "pairs": [pair], "complete": True}
    return parse_excerpt(record)


EXCERPTS = [
    row("1", "a", "Iran thanked China.", ("Iran", "China"), "support"),
    row("2", "a", "Mali condemned Chad.", ("Mali", "Chad"), "oppose"),
    row("3", "b", "The party lauds Peru.", ("The party", "Peru"), "support"),
]


def judge(rule: Callable[[Pair], frozenset[Stance]]) -> Judge:
    def predict_pairs(pairs: Sequence[Pair]) -> list[Prediction]:
        found = [(pair, rule(pair)) for pair in pairs]
        return [Prediction(pair, {s: 0.9 if s in stances else 0.2 for s in Stance}, stances) for pair, stances in found]

    return predict_pairs


def by_grammar(pair: Pair) -> frozenset[Stance]:
    """Judge as a reader would: the subject's stance toward the object, unless it is denied."""
    text, holder = pair.sentence.text, pair.holder
    if not isinstance(holder, Mention) or holder.start > pair.target.start or " not " in text:
        return NONE
    return frozenset({OPPOSE}) if "condemn" in text else frozenset({SUPPORT})


def by_name(pair: Pair) -> frozenset[Stance]:
    """Judge by who is named, whatever is said."""
    return (
        frozenset({SUPPORT})
        if str(pair.holder) == "Iran"
        else frozenset({OPPOSE})
        if str(pair.holder) == "Mali"
        else NONE
    )


def everything(pair: Pair) -> frozenset[Stance]:
    return frozenset(Stance)


def rows(rule: Callable[[Pair], frozenset[Stance]], draws: int = 2) -> dict[tuple[str, str], AuditRow]:
    audit = Audit.from_excerpts(EXCERPTS, judge(rule), draws=draws, rounds=50)
    return {(r.edit, r.label): r for r in audit.rows}


def test_who_reads_the_sentence_fails_nowhere() -> None:
    found = rows(by_grammar)
    assert {key: (r.n, r.n_failed) for key, r in found.items()} == {
        # Two draws of three sentences; a sentence of two mentions and the author has four directed pairs.
        ("names", "support"): (4, 0),
        ("names", "oppose"): (2, 0),
        ("names", "none"): (found["names", "none"].n, 0),
        ("names", "all"): (found["names", "all"].n, 0),
        ("roles", "support"): (1, 0),
        ("roles", "oppose"): (1, 0),
        ("roles", "none"): (2, 0),
        ("roles", "all"): (4, 0),
        ("roles", "direction"): (2, 0),
        ("negation", "support"): (1, 0),
        ("negation", "oppose"): (1, 0),
        ("negation", "all"): (2, 0),
    }
    assert found["names", "all"].n == found["names", "none"].n + 6
    assert found["names", "all"].shift == 0
    assert found["negation", "all"].shift == pytest.approx(0.7)


def test_who_goes_by_names_fails_everywhere() -> None:
    found = rows(by_name)
    assert found["names", "oppose"].rate == 1
    assert found["names", "oppose"].shift == pytest.approx(0.7)
    assert found["names", "support"].n_failed == 2  # Peru's party was never given support
    assert found["roles", "oppose"].rate == 1
    assert found["roles", "direction"].rate == 1
    assert found["negation", "all"].rate == 1


def test_who_is_blind_has_nothing_to_check_in_one_direction() -> None:
    found = rows(everything)
    assert found["names", "all"].rate == 0
    assert found["roles", "all"].rate == 0
    assert ("roles", "direction") not in found
    assert found["negation", "all"].rate == 1


def test_stance_that_was_not_found_cannot_be_kept() -> None:
    assert ("negation", "all") not in rows(lambda pair: NONE)


def test_documents_are_the_clusters() -> None:
    found = rows(by_grammar)
    assert found["names", "support"].n_documents == 2
    assert found["names", "oppose"].n_documents == 1
    assert found["names", "oppose"].interval == (0, 0)


def test_what_is_passed_over_is_counted_by_reason() -> None:
    audit = Audit.from_excerpts(EXCERPTS, judge(by_grammar), rounds=10)
    assert audit.edited == {Edit.NAMES: 3, Edit.ROLES: 2, Edit.NEGATION: 2}
    assert audit.skipped == {
        Edit.NAMES: {},
        Edit.ROLES: {"holder or target is no name of the actor table": 1},
        Edit.NEGATION: {"no listed verb of the stance between holder and target": 1},
    }
    text = str(audit)
    assert "negation (target and stance): 2 edited, 1 passed over" in text
    assert "roles     direction" in text


def test_failures_show_both_sentences() -> None:
    audit = Audit.from_excerpts(EXCERPTS, judge(by_name), draws=1, rounds=10)
    found = [f for f in audit.failures if f.counterfactual.edit is Edit.NEGATION]
    assert [f.after.sentence.text for f in found] == ["Iran did not thank China.", "Mali did not condemn Chad."]
    record = json.loads(json.dumps(audit.to_dict()))
    last = record["failures"][-1]
    assert last["edit"] == "negation"
    assert last["before"]["text"] == "Mali condemned Chad."
    assert last["after"]["stances"] == ["oppose"]
    assert "Mali did not condemn Chad." in str(found[-1])


def test_result_as_frame() -> None:
    audit = Audit.from_excerpts(EXCERPTS, judge(by_grammar), rounds=10)
    frame = audit.to_frame()
    assert list(frame["edit"].unique()) == ["names", "roles", "negation"]
    direction = frame[frame["label"] == "direction"].iloc[0]
    assert math.isnan(direction["shift"])


def test_same_seed_same_result() -> None:
    one, two = (Audit.from_excerpts(EXCERPTS, judge(by_name), seed=5).to_dict() for _ in range(2))
    assert one == two


def test_polarity_counts_under_all_only() -> None:
    record = {"id": "4", "text": "Iran thanked China.", "mentions": [[13, 18]], "complete": False}
    gold = parse_excerpt(record | {"pairs": [{"holder": [0, 4], "target": [13, 18], "polarity": "positive"}]})
    audit = Audit.from_excerpts([gold], judge(by_grammar), rounds=10)
    assert {(str(r.edit), r.label) for r in audit.rows} == {("names", "all"), ("roles", "all")}


def test_negation_is_tried_with_every_holder() -> None:
    text = "Xi said China supports Mali."
    spans = {"Xi": [0, 2], "China": [8, 13], "Mali": [23, 27]}
    pairs = [{"holder": spans[h], "target": spans["Mali"], "stances": ["support"]} for h in ("Xi", "China")]
    gold = parse_excerpt({"id": "5", "text": text, "mentions": list(spans.values()), "pairs": pairs, "complete": True})
    made = make_counterfactuals([gold])
    (case,) = [c for c in made.cases if c.edit is Edit.NEGATION]
    assert len(case.checks) == 2


@pytest.mark.parametrize(("excerpts", "draws", "message"), [([], 1, "got none"), (EXCERPTS, 0, "at least one draw")])
def test_bad_input_is_refused(excerpts: list[Excerpt], draws: int, message: str) -> None:
    with pytest.raises(StanceError, match=message):
        Audit.from_excerpts(excerpts, judge(by_grammar), draws=draws)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "few.jsonl"
    lines = (SEEDS / "dev.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:8]), encoding="utf-8")
    return path


def test_command_prints_rates(file: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", str(tiny_folder), "--backend", "torch", "--draws", "1"]
    assert main(["audit", str(file), *options, "--failures"]) == 0
    assert "names     all" in capsys.readouterr().out
    assert main(["audit", str(file), *options, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"rows", "edited", "skipped", "failures"}


def test_command_names_a_bad_line(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    assert main(["audit", str(path), "--model", str(tiny_folder)]) == 2
    assert capsys.readouterr().err.startswith(f"stance: {path}:1: expected 'id'")


def test_seeds_can_be_edited_in_every_way() -> None:
    made = make_counterfactuals(load_excerpts(SEEDS / "dev.jsonl"), draws=1)
    assert all(n >= 10 for n in made.edited.values())
