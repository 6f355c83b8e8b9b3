"""The behavioural suite is sound, its runner counts right, and the shipped model keeps what it had."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from stance import DataError, Excerpt, Pair, Prediction, Stance, StanceClassifier, load_excerpts
from stance.folder import locate_model
from tests.gold import prediction
from training.behaviour import (
    FOLDER,
    RATES_FILE,
    Behaviour,
    BehaviourRow,
    Case,
    Check,
    load_cases,
    main,
    measure_behaviour,
)
from training.build_behaviour import build_suite
from training.build_behaviour import main as build

SUPPORT, OPPOSE, COOPERATE = Stance
CASES = load_cases()
CAPABILITIES = Counter(case.capability for case in CASES)
STEADY = {"clauses", "holder_target", "name_swap", "voice"}
MARGIN = 0.03
"""How far a rate of the shipped model may lie above the recorded one: another processor rounds int8 otherwise."""
BARS = {("name_swap", Check.FLIP): 0.03, ("holder_target", Check.DIRECTION): 0.05}
"""What the project asks of the shipped model."""


def expected(cases: Sequence[Case]) -> dict[Pair, frozenset[Stance]]:
    sides = [e.to_pairs() for c in cases for e in (c.plain, c.edited)]
    return {pair: frozenset(s for s in Stance if s in x) for side in sides for pair, x in zip(*side, strict=True)}


def right(pairs: Sequence[Pair]) -> list[Prediction]:
    gold = expected(CASES)
    return [prediction(pair, gold[pair]) for pair in pairs]


def nothing(pairs: Sequence[Pair]) -> list[Prediction]:
    return [prediction(pair) for pair in pairs]


def everything(pairs: Sequence[Pair]) -> list[Prediction]:
    return [prediction(pair, Stance) for pair in pairs]


def rows(behaviour: Behaviour) -> dict[tuple[str, Check], BehaviourRow]:
    return {(row.capability, row.check): row for row in behaviour.rows}


def sides(case: Case) -> tuple[Excerpt, Excerpt]:
    return case.plain, case.edited


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def test_there_are_enough_minimal_pairs_of_every_capability() -> None:
    assert CAPABILITIES.total() >= 300
    assert min(CAPABILITIES.values()) >= 25
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in readme for name in CAPABILITIES)


def test_files_are_what_the_templates_make(tmp_path: Path) -> None:
    build([str(tmp_path)])
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.jsonl")}
    assert made == {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.jsonl")}


def test_two_sentences_of_a_case_differ_and_expect_something() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.plain.text != case.edited.text
        assert all(e.pairs and not e.complete for e in sides(case))
        assert any(p.label for e in sides(case) for p in e.pairs) or case.capability in {"clauses", "name_swap"}


def test_a_sentence_always_expects_the_same() -> None:
    listed: dict[Pair, object] = {}
    for case in CASES:
        for excerpt in sides(case):
            for pair, x in zip(*excerpt.to_pairs(), strict=True):
                assert listed.setdefault(pair, x) == x, case.name


def test_no_sentence_is_one_that_models_learn_from_or_are_chosen_on() -> None:
    paths = (FOLDER.parents[1] / "seeds").rglob("*.jsonl")
    seen = {letters(e.text) for path in paths for e in load_excerpts(path)}
    assert [e.id for case in CASES for e in sides(case) if letters(e.text) in seen] == []


def test_every_stance_is_expected_and_none_is_too() -> None:
    seen = Counter(s for x in expected(CASES).values() for s in (x or [None]))
    assert set(seen) == {*Stance, None}
    assert min(seen.values()) >= 100


def test_right_answers_fail_nowhere() -> None:
    behaviour = Behaviour.from_cases(CASES, right, rounds=20)
    assert behaviour.failures == ()
    assert {row.rate for row in behaviour.rows} == {0.0}
    found = rows(behaviour)
    assert {name for name, check in found if check is Check.FLIP} == {*STEADY, "all"}
    assert found["all", Check.LABEL].n == sum(len(e.pairs) for c in CASES for e in sides(c))
    assert found["all", Check.LABEL].n_cases == len(CASES)


def test_a_model_that_finds_nothing_never_flips_and_misses_every_stance() -> None:
    found = rows(Behaviour.from_cases(CASES, nothing, rounds=20))
    assert found["all", Check.FLIP].n_failed == found["all", Check.DIRECTION].n_failed == 0
    n_missed = sum(bool(p.label) for c in CASES for e in sides(c) for p in e.pairs)
    assert found["all", Check.LABEL].n_failed == n_missed


def test_a_model_that_is_blind_to_roles_fails_in_the_other_direction() -> None:
    row = rows(Behaviour.from_cases(CASES, everything, rounds=20))["holder_target", Check.DIRECTION]
    assert row.rate == row.plain == row.edited == 1.0
    assert row.interval == (1.0, 1.0)


def test_rates_of_the_two_sentences_and_failures_are_told_apart() -> None:
    chosen = [case for case in CASES if case.name == "reversal-01.1"]

    def believes_every_support(pairs: Sequence[Pair]) -> list[Prediction]:
        return [prediction(pair, [SUPPORT]) for pair in pairs]

    behaviour = Behaviour.from_cases(chosen, believes_every_support, rounds=20)
    row = rows(behaviour)["reversal", Check.LABEL]
    assert (row.n_cases, row.n, row.n_failed, row.plain, row.edited) == (1, 2, 1, 0.0, 1.0)
    (failure,) = behaviour.failures
    assert "refused to support" in str(failure)
    assert str(failure).endswith(": support, not oppose")
    assert behaviour.rates["reversal"] == {"label": 0.5}


def test_a_flip_is_a_change_of_verdict_right_or_wrong() -> None:
    chosen = [case for case in CASES if case.name == "voice-01.1"]

    def reads_only_the_active(pairs: Sequence[Pair]) -> list[Prediction]:
        return [prediction(pair, [] if " by " in pair.sentence.text else [COOPERATE]) for pair in pairs]

    row = rows(Behaviour.from_cases(chosen, reads_only_the_active, rounds=20))["voice", Check.FLIP]
    assert (row.n, row.n_failed) == (2, 2)


def test_command_prints_the_table_and_records_rates(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("voice", "reversal"):
        (tmp_path / f"{name}.jsonl").write_bytes((FOLDER / f"{name}.jsonl").read_bytes())
    assert main([str(tiny_folder), "--suite", str(tmp_path), "--failures", "--record"]) == 0
    printed = capsys.readouterr().out
    assert "[voice-" in printed
    assert "direction" in printed
    rates = json.loads((tmp_path / RATES_FILE).read_text(encoding="utf-8"))
    assert rates == measure_behaviour(tiny_folder, load_cases(tmp_path)).rates
    assert set(rates) == {"voice", "reversal", "all"}


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a", "b", "c"], "expected two sentences of a document in each case; got 3"),
        (["a"], "got 1"),
        (["-"], "expected 'case' and 'capability' as text"),
        (["x"], "expected 'text' to hold a sentence"),
    ],
)
def test_a_damaged_file_is_refused_by_line(lines: list[str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    record = {"document": "d", "capability": "x", "case": "d.1", "mentions": [], "pairs": [], "complete": False}
    records = [{**record, "id": line, "text": " " if line == "x" else line} for line in lines]
    if lines == ["-"]:
        del records[0]["case"]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        load_cases(tmp_path)
    assert str(caught.value).startswith(f"{path}:1: ")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("[A] met [A]. || A > A: none", "expected each name once"),
        ("[A] met [B]. || A > C: none", "expected HOLDER > TARGET: STANCES"),
        ("[A] met [B]. || A > B: friends", "expected stances out of"),
        ("[A] met [B].", "expected HOLDER > TARGET: STANCES"),
        ("\n".join(["[A] met [B]. || A > B: none"] * 3), "expected a block of one or two sentences"),
    ],
)
def test_a_damaged_template_is_refused(template: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text(template, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        build_suite(tmp_path)


@pytest.fixture(scope="module")
def shipped() -> Behaviour:
    return measure_behaviour(locate_model(None), CASES)


@pytest.mark.slow
@pytest.mark.parametrize("capability", [*CAPABILITIES, "all"])
def test_shipped_model_fails_no_more_than_recorded(shipped: Behaviour, capability: str) -> None:
    recorded = json.loads((FOLDER / RATES_FILE).read_text(encoding="utf-8"))[capability]
    measured = shipped.rates[capability]
    assert measured.keys() == recorded.keys(), "the suite changed: record the rates anew"
    assert {check: rate for check, rate in measured.items() if rate > recorded[check] + MARGIN} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("capability", "check"), BARS)
def test_shipped_model_keeps_the_bars_of_the_project(shipped: Behaviour, capability: str, check: Check) -> None:
    assert rows(shipped)[capability, check].rate < BARS[capability, check]


def test_tiny_model_gets_through_the_suite(tiny_classifier: StanceClassifier) -> None:
    behaviour = Behaviour.from_cases(CASES, tiny_classifier.predict_pairs, rounds=20)
    assert {row.capability for row in behaviour.rows} == {*CAPABILITIES, "all"}
