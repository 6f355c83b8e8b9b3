"""One evaluation as an object: by hand, against scikit-learn, in every form it is read."""

from __future__ import annotations

import json
import math
import time
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from stance.errors import StanceError
from stance.excerpts import Excerpt, GoldPair, Origin
from stance.labels import Polarity, Stance
from stance.metrics import label_matrix
from stance.pairs import ANY
from stance.predictions import Prediction
from stance.report import Report
from stance.targets import Mention, Target
from tests.gold import COOPERATE, KLOW, OPPOSE, SUPPORT, excerpt, gold_pairs, perfect, prediction

# gold: a: klow supports istow, author opposes klow; b: klow supports and cooperates with borduria; c: nothing
EXCERPTS = [
    excerpt("a", ("klow", "istow", "s"), ("author", "klow", "o"), document="d1"),
    excerpt("b", ("klow", "borduria", "sc"), document="d1"),
    excerpt("c", document="d2"),
]
MISTAKES = {
    ("a", "Klow", "Istow"): {COOPERATE},  # support taken for cooperate
    ("b", "Klow", "Borduria"): {SUPPORT},  # cooperate missed
    ("c", "Istow", "Klow"): {SUPPORT},  # nothing there
}


def with_mistakes(excerpts: list[Excerpt]) -> list[Prediction]:
    predictions = []
    for p in perfect(excerpts):
        key = (p.sentence.text[-1], str(p.pair.holder), p.target.name)
        predictions.append(prediction(p.pair, MISTAKES.get(key, p.stances)))
    return predictions


REPORT = Report.from_predictions(EXCERPTS, with_mistakes(EXCERPTS), rounds=200)


def test_scores_by_hand() -> None:
    pairs = REPORT["pairs"]
    assert (REPORT.n_excerpts, len(REPORT.documents), pairs.n_pairs) == (3, 2, 27)
    assert [score.name for score in pairs.classes] == list(Stance)
    support, oppose, cooperate = pairs.classes
    assert (support.n_gold, support.n_predicted, support.precision, support.recall) == (2, 2, 0.5, 0.5)
    assert (oppose.n_gold, oppose.n_predicted, oppose.f1) == (1, 1, 1)
    assert (cooperate.n_gold, cooperate.n_predicted, cooperate.f1) == (1, 1, 0)
    assert pairs["micro"].f1 == pytest.approx(2 * 2 / (4 + 4))
    assert pairs["macro"].f1 == pytest.approx((0.5 + 1 + 0) / 3)
    assert pairs["macro"].precision == pytest.approx((0.5 + 1 + 0) / 3)


def test_confusion_by_hand() -> None:
    assert REPORT["pairs"].confusion == ((1, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 23))


def test_targets_are_scored_beside_the_directed_pairs() -> None:
    targets = REPORT["targets"]
    assert targets.n_pairs == 9
    assert targets["micro"].f1 == 1  # the mistakes are all in directed pairs
    assert {s.value for s in targets.slices if s.kind == "holder"} == {"any"}


def test_scores_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(4)
    excerpts = [excerpt(str(i), ("klow", "istow", "soc"[i % 3]), ("author", "klow", "o")) for i in range(40)]
    predictions = [
        prediction(pair, {s for s in Stance if (s in gold) != (random.random() < 0.1)})
        for pair, gold in gold_pairs(excerpts)
    ]
    report = Report.from_predictions(excerpts, predictions, rounds=50)
    for name, wanted in (("pairs", False), ("targets", True)):
        kept = [
            (g, p.stances)
            for (pair, g), p in zip(gold_pairs(excerpts), predictions, strict=True)
            if (pair.holder is ANY) == wanted
        ]
        y_true, y_pred = (label_matrix(column) for column in zip(*kept, strict=True))
        expected = precision_recall_fscore_support(y_true, y_pred, average=None)
        measured = [(s.precision, s.recall, s.f1, s.n_gold) for s in report[name].classes]
        assert measured == [pytest.approx(row) for row in zip(*expected, strict=True)]
        for average in ("micro", "macro"):
            assert report[name][average].f1 == pytest.approx(f1_score(y_true, y_pred, average=average))
            assert report[name][average].low <= report[name][average].f1 <= report[name][average].high


def test_partial_labels_are_scored_as_polarity() -> None:
    gold = ["positive", "positive", "negative", "neutral", "neutral"]
    found: list[set[Stance]] = [{SUPPORT}, {OPPOSE}, {OPPOSE}, set(), {COOPERATE}]
    excerpts = [excerpt(str(i), ("any", "klow", g), complete=False) for i, g in enumerate(gold)]
    predictions = [prediction(pair, s) for (pair, _), s in zip(gold_pairs(excerpts), found, strict=True)]
    (section,) = Report.from_predictions(excerpts, predictions, rounds=50).sections
    assert (section.name, [score.name for score in section.classes]) == (
        "polarity",
        ["negative", "neutral", "positive"],
    )
    assert [score.f1 for score in section.classes] == pytest.approx([2 / 3, 2 / 3, 1 / 2])
    assert section.micro.f1 == pytest.approx(3 / 5)
    assert section.confusion[2] == (1, 0, 1, 0)


def test_labels_absent_from_gold_or_predictions_are_told_and_do_not_move_macro() -> None:
    excerpts = [excerpt("a", ("klow", "istow", "s"), ("author", "klow", "o"))]
    wrong = {("Klow", "Istow"): {SUPPORT, COOPERATE}, ("@author", "Klow"): set[Stance]()}
    predictions = [prediction(p, wrong.get((str(p.holder), p.target.name), ())) for p, _ in gold_pairs(excerpts)[:9]]
    section = Report.from_predictions(excerpts, predictions, rounds=50)["pairs"]
    assert section.macro.f1 == pytest.approx((1 + 0) / 2)
    assert section["cooperate"].f1 == 0
    assert section.notes == (
        "macro is over 2 of 3 classes; gold does not hold: cooperate (predicted: 1)",
        "never predicted, and counted in macro with an F1 of 0: oppose",
    )


def test_calibration_and_risk_come_from_the_probabilities() -> None:
    pairs = REPORT["pairs"]
    by_name = {r.name: r for r in pairs.reliability}
    assert list(by_name) == ["all", *Stance]
    # 24 of 27 pairs all right at 0.9; of 81 decisions, 4 are wrong
    assert by_name["all"].brier == pytest.approx((77 * 0.01 + 4 * 0.81) / 81)
    assert by_name["all"].n == 81
    assert pairs.risk_coverage is not None
    assert pairs.risk_coverage.points[0].risk == pytest.approx(3 / 27)
    assert pairs.risk_coverage.points[0].confidence == pytest.approx(0.9**3)


def test_slices_add_up() -> None:
    pairs = REPORT["pairs"]
    for kind in ("source", "holder", "words", "targets"):
        parts = [s for s in pairs.slices if s.kind == kind]
        assert sum(s.n_pairs for s in parts) == pairs.n_pairs
        assert sum(s.score.n_gold for s in parts) == pairs.micro.n_gold
    author = next(s for s in pairs.slices if (s.kind, s.value) == ("holder", "author"))
    assert (author.n_pairs, author.score.f1) == (9, 1)


def test_intervals_are_of_documents_and_repeat() -> None:
    again = Report.from_predictions(EXCERPTS, with_mistakes(EXCERPTS)[::-1], rounds=200)
    assert str(again) == str(REPORT)
    # c is its own document: rounds without it lose a wrong support, rounds of it alone have nothing right
    assert (REPORT["pairs"]["support"].low, REPORT["pairs"]["support"].high) == pytest.approx((0, 2 / 3))
    assert Report.from_predictions(EXCERPTS, with_mistakes(EXCERPTS), rounds=200, seed=1).seed == 1


def test_an_excerpt_without_a_document_stands_with_those_of_its_text() -> None:
    bare = replace(excerpt("a", ("any", "klow", "s"), complete=False), origin=Origin())
    excerpts = [bare, replace(bare, id="b"), excerpt("c", ("any", "klow", "s"), complete=False)]
    assert len(Report.from_predictions(excerpts, perfect(excerpts), rounds=5).documents) == 2


def test_notes_tell_what_is_not_scored() -> None:
    directed = [p for p in perfect(EXCERPTS) if p.pair.holder is not ANY]
    stray = prediction(replace(directed[0].pair, holder=ANY, target=KLOW))
    stray = replace(stray, pair=replace(stray.pair, sentence=excerpt("z").sentence))
    cut = [replace(directed[0], truncated=True), *directed[1:], stray]
    notes = " ".join(Report.from_predictions(EXCERPTS, cut, rounds=5).notes)
    assert "targets of complete excerpts were not predicted (holder ANY) and are not scored" in notes
    assert "predictions that answer no gold pair, left out: 1" in notes
    assert "pairs judged on a window of a long sentence: 1" in notes
    assert "too narrow; documents: 2" in notes
    targets = [p for p in perfect(EXCERPTS) if p.pair.holder is ANY]
    assert "directed pairs of complete excerpts were not predicted" in str(Report.from_predictions(EXCERPTS, targets))


@pytest.mark.parametrize(
    ("excerpts", "rounds", "reason"),
    [
        ([], 10, "expected excerpts with pairs to score; got none"),
        ([excerpt("a", complete=False)], 10, "expected excerpts with pairs to score; got none"),
        (EXCERPTS, 0, "expected rounds of at least 1; got 0"),
    ],
)
def test_nothing_to_score_is_one_clear_error(excerpts: list[Excerpt], rounds: int, reason: str) -> None:
    with pytest.raises(StanceError, match=f"^{reason}"):
        Report.from_predictions(excerpts, perfect(excerpts), rounds=rounds)


def test_an_unknown_section_is_named() -> None:
    with pytest.raises(KeyError, match=r"expected a section out of .*'pairs', 'targets'.*; got 'polarity'"):
        REPORT["polarity"]


# How it is read


def test_it_is_frozen_and_slotted() -> None:
    with pytest.raises(FrozenInstanceError):
        REPORT.seed = 3  # type: ignore[misc]
    assert not hasattr(REPORT, "__dict__")


def test_dictionary_is_json_and_whole() -> None:
    record = json.loads(json.dumps(REPORT.to_dict(), allow_nan=False))
    pairs = record["sections"]["pairs"]
    assert list(pairs["classes"]) == list(Stance)
    assert pairs["classes"]["support"] == {
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "low": pytest.approx(0),
        "high": pytest.approx(2 / 3),
        "n_gold": 2,
        "n_predicted": 2,
    }
    assert pairs["confusion"]["labels"] == [*Stance, "none"]
    assert pairs["confusion"]["counts"][3] == [1, 0, 0, 23]
    assert set(pairs["calibration"]) == {"all", *Stance}
    assert pairs["risk_coverage"]["points"][0]["coverage"] == 1
    assert {s["kind"] for s in pairs["slices"]} == {"source", "holder", "words", "targets"}
    silent = Report.from_predictions(EXCERPTS[2:], perfect(EXCERPTS[2:]), rounds=5).to_dict()
    assert silent["sections"]["pairs"]["micro"]["f1"] is None


def test_frame_has_a_row_per_class_average_and_slice() -> None:
    frame = REPORT.to_frame()
    pairs = frame[frame.section == "pairs"]
    assert pairs.loc[pairs.part == "class", "name"].tolist() == list(Stance)
    assert pairs.loc[pairs.part == "average", "name"].tolist() == ["micro", "macro"]
    assert float(pairs.loc[pairs.name == "micro", "f1"].iloc[0]) == 0.5
    assert len(frame) == sum(5 + len(s.slices) for s in REPORT.sections)


def test_every_printed_form_shows_every_section() -> None:
    for text in (str(REPORT), REPORT.to_markdown(), REPORT._repr_html_()):
        assert "3 excerpts of 2 documents" in text
        for words in ("Directed pairs: 27 judged", "Targets, whoever holds the stance: 9", "cooperate", "calibration"):
            assert words in text
        assert "confusion" in text
        assert "nan" not in text
    assert "| support | 0.500 | 0.500 | 0.500 | 0.000 to 0.667 | 2 | 2 |" in REPORT.to_markdown()
    assert max(map(len, str(REPORT).splitlines()[1:])) <= 100


def test_html_escapes_names() -> None:
    text = "<b>Klow</b> and Istow"
    target = Mention(0, 11, Target("<b>Klow</b>"))
    excerpts = [
        Excerpt(str(i), f"{text} {i}", mentions=(target,), pairs=(GoldPair(ANY, target, Polarity.POSITIVE),))
        for i in range(10)
    ]
    html = Report.from_predictions(excerpts, perfect(excerpts), rounds=5)._repr_html_()
    assert "&lt;b&gt;Klow" in html
    assert "<b>" not in html


# Two systems


def test_a_system_is_no_better_than_itself() -> None:
    comparison = REPORT.compare(REPORT)
    assert {(d.difference, d.low, d.high, d.p) for d in comparison.differences} == {(0, 0, 0, 1)}


def test_differences_are_the_second_minus_the_first_in_paired_rounds() -> None:
    excerpts = [excerpt(str(i), ("klow", "istow", "s"), ("author", "klow", "o")) for i in range(60)]
    good = perfect(excerpts)
    poor = [
        prediction(p.pair) if i % 4 == 0 and SUPPORT in p.stances else p
        for i, p in zip((int(p.sentence.text.split()[-1]) for p in good), good, strict=True)
    ]
    first, second = (Report.from_predictions(excerpts, p, rounds=400) for p in (poor, good))
    comparison = first.compare(second)
    support, oppose = comparison["pairs", "support"], comparison["pairs", "oppose"]
    assert (support.first, support.second) == pytest.approx((2 * 45 / 105, 1))
    assert support.difference == pytest.approx(1 - 90 / 105)
    assert 0 < support.low < support.difference < support.high
    assert support.p == pytest.approx(2 / 401)
    assert (oppose.difference, oppose.p) == (0, 1)
    assert math.isnan(comparison["pairs", "cooperate"].p)
    assert comparison["pairs", "macro"].difference == pytest.approx(support.difference / 2)
    back = second.compare(first)["pairs", "support"]
    assert (back.difference, back.low, back.high) == pytest.approx((-support.difference, -support.high, -support.low))
    assert len(comparison.to_frame()) == 10
    assert repr(comparison) == f"<Comparison over {comparison.n_documents} documents: pairs, targets>"
    for text in (str(comparison), comparison.to_markdown(), comparison._repr_html_()):
        assert "difference" in text
        assert "–" in text


def test_reports_on_other_gold_are_not_compared() -> None:
    others = [EXCERPTS[0], EXCERPTS[1], excerpt("c", ("klow", "istow", "s"), document="d2")]
    fewer = EXCERPTS[:2]
    for excerpts in (others, fewer):
        with pytest.raises(StanceError, match=r"^expected two reports on the same excerpts; got"):
            REPORT.compare(Report.from_predictions(excerpts, perfect(excerpts), rounds=5))


# Speed


def many(n_excerpts: int, per_document: int) -> list[Excerpt]:
    """Make complete excerpts of five targets: 25 directed pairs each."""
    random = np.random.default_rng(0)
    excerpts = []
    for i in range(n_excerpts):
        words = [f"Actor{n}" for n in random.integers(0, 500, 5)]
        starts = np.cumsum([0, *(len(w) + 3 for w in words)])[:-1]
        mentions = tuple(Mention(int(s), int(s) + len(w), Target(w)) for s, w in zip(starts, words, strict=True))
        stances = [frozenset({tuple(Stance)[n % 3]}) for n in range(5)]
        pairs = tuple(GoldPair(mentions[n], mentions[n - 1], stances[n]) for n in range(5))
        text = f"{' , '.join(words)} . {i}"
        origin = Origin("x", f"d{i // per_document}")
        excerpts.append(Excerpt(str(i), text, mentions=mentions, pairs=pairs, complete=True, origin=origin))
    return excerpts


def seconds_of_a_report(excerpts: list[Excerpt]) -> float:
    predictions = perfect(excerpts, sure=0.8)
    start = time.perf_counter()
    str(Report.from_predictions(excerpts, predictions))
    return time.perf_counter() - start


def test_a_report_of_ten_thousand_pairs_takes_a_moment() -> None:
    assert seconds_of_a_report(many(400, 4)) < 5


@pytest.mark.slow
@pytest.mark.parametrize("per_document", [1, 20])
def test_a_report_of_a_hundred_thousand_pairs_takes_ten_seconds_at_most(per_document: int) -> None:
    assert seconds_of_a_report(many(4000, per_document)) < 10
