from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from stance.classifier import StanceClassifier
from stance.evaluation import FRAME_COLUMNS, Evaluation, evaluate, evaluate_excerpts
from stance.excerpts import Excerpt, GoldPair, load_excerpts
from stance.labels import Polarity, Stance
from stance.pairs import ANY
from stance.predictions import Prediction
from stance.report import Report
from stance.targets import Mention, Target

SEEDS = Path(__file__).parents[1] / "seeds"


@pytest.fixture(scope="module")
def evaluation(tiny_classifier: StanceClassifier) -> Evaluation:
    return evaluate(tiny_classifier, SEEDS / "seed_article.jsonl")


def test_frame_has_one_row_per_judged_pair_with_its_gold(evaluation: Evaluation) -> None:
    frame = evaluation.to_frame()
    assert list(frame.columns) == FRAME_COLUMNS
    assert len(frame) == len(evaluation.predictions) + len(evaluation.target_predictions)
    excerpts = load_excerpts(SEEDS / "seed_article.jsonl")
    listed = Counter((e.id, str(p.holder), p.target.name) for e in excerpts for p in e.pairs)
    directed = frame[(frame["gold"] != "") & (frame["holder"] != "@any")]
    assert Counter(zip(directed["id"], directed["holder"], directed["target"], strict=True)) == listed
    rows = frame.iloc[: len(evaluation.predictions)]
    assert list(rows["p_oppose"]) == [p.probabilities[Stance.OPPOSE] for p in evaluation.predictions]
    assert set(frame["holder"].iloc[len(rows) :]) == {"@any"}


def test_frame_counts_right_and_wrong_as_the_report_does(evaluation: Evaluation) -> None:
    assert repr(evaluation.report) == "<Report on 16 excerpts: pairs, targets>"
    frame = evaluation.to_frame()
    for section, part in (("pairs", frame["holder"] != "@any"), ("targets", frame["holder"] == "@any")):
        risk = evaluation.report[section].risk_coverage
        assert risk is not None
        assert 1 - frame[part]["correct"].mean() == pytest.approx(risk.points[0].risk)


@pytest.mark.parametrize(
    ("chances", "predicted"),
    [((0.9, 0.1, 0.1), "positive"), ((0.1, 0.9, 0.1), "negative"), ((0.1, 0.1, 0.1), "neutral")],
)
def test_frame_sets_polarity_against_polarity(chances: tuple[float, ...], predicted: str) -> None:
    target = Mention(0, 4, Target("Iran"))
    excerpt = Excerpt("x", "Iran left.", mentions=(target,), pairs=(GoldPair(ANY, target, Polarity.POSITIVE),))
    answer = Prediction(excerpt.to_pairs()[0][0], dict(zip(Stance, chances, strict=True)), frozenset())
    frame = Evaluation([excerpt], [answer], [], Report.from_predictions([excerpt], [answer], rounds=10)).to_frame()
    row = frame.iloc[0]
    assert (row["gold"], row["predicted"], bool(row["correct"])) == ("positive", predicted, predicted == "positive")


def test_stances_are_joined_in_their_order(tiny_classifier: StanceClassifier) -> None:
    excerpts = load_excerpts(SEEDS / "seed_article.jsonl")
    golds = set(evaluate_excerpts(tiny_classifier, excerpts).to_frame()["gold"])
    assert "support|cooperate" in golds
    assert "cooperate|support" not in golds
