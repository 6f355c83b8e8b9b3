"""Predictions find their gold, and a file keeps them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stance.errors import DataError, StanceError
from stance.judgements import load_predictions, match_predictions, save_predictions
from stance.labels import Stance
from stance.pairs import ANY, AUTHOR
from tests.gold import COOPERATE, KLOW, OPPOSE, SUPPORT, excerpt, gold_pairs, perfect, prediction

EXCERPTS = [
    excerpt("a", ("klow", "istow", "s"), ("author", "klow", "oc")),
    excerpt("b", ("any", "klow", "negative"), ("klow", "borduria", ""), complete=False),
    excerpt("c"),
]
PREDICTIONS = perfect(EXCERPTS)


def test_every_pair_is_matched_in_any_order() -> None:
    shuffled = random.Random(3).sample(PREDICTIONS, len(PREDICTIONS))
    found = match_predictions(EXCERPTS, shuffled)
    assert [len(found.listed), len(found.targets), found.n_unmatched] == [9 + 2 + 9, 3 + 3, 0]
    for judgement in (*found.listed, *found.targets):
        if isinstance(judgement.label, frozenset):
            assert judgement.prediction.stances == judgement.label
        assert judgement.prediction.sentence.text == EXCERPTS[judgement.excerpt].text


def test_complete_excerpts_may_come_with_one_view_only() -> None:
    directed = [p for p in PREDICTIONS if p.pair.holder is not ANY or p.sentence.text.endswith(" b")]
    found = match_predictions(EXCERPTS, directed)
    assert (len(found.listed), len(found.targets)) == (20, 0)
    targets = [p for p in PREDICTIONS if p.pair.holder is ANY or p.sentence.text.endswith(" b")]
    found = match_predictions(EXCERPTS, targets)
    assert (len(found.listed), len(found.targets)) == (2, 6)


@pytest.mark.parametrize("left_out", [0, 9, 10, 20])
def test_a_missing_prediction_is_named(left_out: int) -> None:
    name = EXCERPTS[PREDICTIONS[left_out].sentence.text.endswith(" b")].id
    with pytest.raises(StanceError, match=f"^expected a prediction of every pair of '{name}'; got none of .* -> "):
        match_predictions(EXCERPTS, PREDICTIONS[:left_out] + PREDICTIONS[left_out + 1 :])


def test_no_prediction_at_all_is_an_error() -> None:
    with pytest.raises(StanceError, match="got none"):
        match_predictions(EXCERPTS, [])


def test_predictions_without_gold_are_counted() -> None:
    stray = prediction(replace(PREDICTIONS[0].pair, holder=ANY, target=KLOW))
    stray = replace(stray, pair=replace(stray.pair, sentence=excerpt("z").sentence))
    assert match_predictions(EXCERPTS, [*PREDICTIONS, stray, stray]).n_unmatched == 2


def test_excerpts_of_one_sentence_take_their_predictions_in_turn() -> None:
    twins = [excerpt("a", ("any", "klow", "s"), complete=False)] * 3
    (pair, _), *_ = gold_pairs(twins)
    two = [prediction(pair, {SUPPORT}), prediction(pair, {OPPOSE})]
    taken = [j.prediction.stances for j in match_predictions(twins, two).listed]
    assert taken == [{SUPPORT}, {OPPOSE}, {OPPOSE}]


# The file


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_keeps_predictions_as_the_input_spells_them(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    known = [replace(p, relation="ACCUSE") if OPPOSE in p.stances else p for p in PREDICTIONS]
    save_predictions(EXCERPTS, known, path)
    rows = rows_of(path)
    assert len(rows) == len(PREDICTIONS)
    assert {
        "id": "a",
        "holder": None,
        "target": [0, 4],
        "probabilities": {"support": 0.1, "oppose": 0.9, "cooperate": 0.9},
        "stances": ["oppose", "cooperate"],
        "relation": "ACCUSE",
    } in rows
    assert [row["holder"] for row in rows if row["id"] == "b"] == ["any", [0, 4]]
    loaded = load_predictions(path, EXCERPTS)
    key = lambda p: (p.sentence.text, str(p.pair.holder), p.target.start)  # noqa: E731
    for there, back in zip(sorted(known, key=key), sorted(loaded, key=key), strict=True):
        assert there.pair == back.pair
        assert (there.stances, there.relation) == (back.stances, back.relation)
        assert back.probabilities == pytest.approx(dict(there.probabilities))


GOOD = {
    "id": "a",
    "holder": None,
    "target": [0, 4],
    "probabilities": {"support": 0, "oppose": 1.0, "cooperate": 0.5},
    "stances": ["oppose"],
    "relation": None,
}


def load(tmp_path: Path, *rows: dict[str, Any]) -> Any:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_predictions(path, EXCERPTS)


def test_relation_may_be_missing(tmp_path: Path) -> None:
    (one,) = load(tmp_path, {k: v for k, v in GOOD.items() if k != "relation"})
    assert (one.pair.holder, one.stances, one.probabilities[COOPERATE]) == (AUTHOR, {OPPOSE}, 0.5)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "q"}, "the id of an excerpt; got 'q'"),
        ({"id": None}, "the id of an excerpt; got None"),
        ({"target": None}, r"target as \[start, end\]; got None"),
        ({"target": [0, 400]}, r"target inside 'a'; got \[0, 400\]"),
        ({"holder": "author"}, r"holder as \[start, end\]; got 'author'"),
        ({"stances": ["none"]}, "stances out of .*; got 'none'"),
        ({"stances": "oppose"}, "'stances' as a list of names; got 'oppose'"),
        ({"probabilities": {"support": 1}}, "'probabilities' of support, oppose, cooperate; got"),
        ({"probabilities": dict.fromkeys(Stance, 1.5)}, "probabilities from 0 to 1; got 1.5"),
        ({"probabilities": dict.fromkeys(Stance, True)}, "probabilities from 0 to 1; got True"),
        ({"relation": "GREET"}, "a PLOVER root out of .*; got 'GREET'"),
        ({"more": 1}, "the keys .*; got"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError, match=rf"p\.jsonl:2: expected {reason}"):
        load(tmp_path, GOOD, {**GOOD, "target": [9, 14], **change})


def test_a_pair_comes_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"p\.jsonl:2: expected each pair once; got 'a' with it twice"):
        load(tmp_path, GOOD, GOOD)


def test_excerpts_need_ids_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(StanceError, match="expected each excerpt id once; got 'a' twice"):
        save_predictions([EXCERPTS[0]] * 2, PREDICTIONS, tmp_path / "p.jsonl")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.p\.jsonl: expected a file to write to"):
        save_predictions(EXCERPTS, PREDICTIONS, tmp_path / "nowhere" / "p.jsonl")
