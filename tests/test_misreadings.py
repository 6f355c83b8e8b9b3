"""Kinds of errors on directed pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from stance.classifier import StanceClassifier
from stance.excerpts import Excerpt, GoldPair, Origin
from stance.labels import Stance
from stance.metrics import label_matrix
from stance.pairs import AUTHOR, Holder, make_pairs
from stance.sentences import Sentence
from stance.targets import Mention, Target
from training.misreadings import KINDS, count_misreadings, kinds_of

TEXT = "Iran thanked China and Russia ."
IRAN, CHINA, RUSSIA = (Mention(TEXT.index(n), TEXT.index(n) + len(n), Target(n)) for n in ("Iran", "China", "Russia"))
SUPPORT, OPPOSE, COOPERATE = Stance

Stances = Mapping[tuple[Holder, Mention], set[Stance]]


def kinds(gold: Stances, answer: Stances) -> list[str]:
    pairs = make_pairs(Sentence.of(TEXT), (IRAN, CHINA, RUSSIA))
    both = (label_matrix([frozenset(s.get((p.holder, p.target), set())) for p in pairs]) for s in (gold, answer))
    return sorted(kinds_of(pairs, *both))


THANKS: Stances = {(IRAN, CHINA): {SUPPORT}}


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        (THANKS, THANKS, []),
        (THANKS, {}, ["missed: others'"]),
        ({(AUTHOR, CHINA): {SUPPORT}}, {}, ["missed: the author's"]),
        ({(IRAN, CHINA): {SUPPORT, COOPERATE}}, THANKS, ["missed: one of several of the pair"]),
        (
            THANKS,
            {(IRAN, CHINA): {OPPOSE}},
            ["missed: another stance in its place", "wrong: another stance in its place"],
        ),
        (
            THANKS,
            {(RUSSIA, CHINA): {SUPPORT}},
            ["missed: given to another holder", "wrong: taken from another holder"],
        ),
        (THANKS, {**THANKS, (AUTHOR, CHINA): {SUPPORT}}, ["wrong: a holder too many"]),
        (THANKS, {**THANKS, (CHINA, IRAN): {SUPPORT}}, ["wrong: holder and target exchanged"]),
        (THANKS, {(IRAN, CHINA): {SUPPORT, COOPERATE}}, ["wrong: one too many of the pair"]),
        (THANKS, {**THANKS, (IRAN, RUSSIA): {SUPPORT}}, ["wrong: toward a target without it"]),
        ({}, THANKS, ["wrong: in a sentence without any"]),
    ],
)
def test_error_is_of_its_kind(gold: Stances, answer: Stances, expected: list[str]) -> None:
    assert kinds(gold, answer) == expected


def test_errors_of_complete_excerpts_are_counted_beside_what_is_right(tiny_classifier: StanceClassifier) -> None:
    pairs = (GoldPair(IRAN, CHINA, frozenset({SUPPORT})),)
    excerpt = Excerpt("x", TEXT, mentions=(IRAN, CHINA, RUSSIA), pairs=pairs, origin=Origin("made"), complete=True)
    splits = {"a": [excerpt, replace(excerpt, id="y")], "partial": [replace(excerpt, complete=False)]}
    scorer = tiny_classifier.scorer
    table = count_misreadings(scorer, splits)
    assert table.head == ("kind", "a")
    counts = {str(kind): int(str(n)) for kind, n in table.rows}
    answer = scorer.score(excerpt.to_pairs()[0]).probabilities >= scorer.settings.thresholds
    found = int(answer.sum())
    assert counts["gold"] == 2
    missed = sum(counts[kind] for kind in KINDS if kind.startswith("missed"))
    assert counts["right"] + missed == 2
    assert counts["right"] + sum(counts[kind] for kind in KINDS if kind.startswith("wrong")) == 2 * found
