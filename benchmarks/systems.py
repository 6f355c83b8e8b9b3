"""System: anything that learns from annotated pairs and judges others; every baseline and our model are one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stance.classifier import StanceClassifier
from stance.excerpts import Excerpt
from stance.labels import Label, Polarity, Stance
from stance.metrics import BoolArray, label_matrix, tune_thresholds
from stance.pairs import ANY, Pair
from stance.predictions import Prediction
from stance.scoring import FloatArray

Thresholds = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """Pairs with exact gold ``y_true`` ``(n, 3)`` and the document of each."""

    pairs: list[Pair]
    y_true: BoolArray
    documents: list[str]

    @classmethod
    def from_excerpts(cls, excerpts: Sequence[Excerpt]) -> Examples:
        """List directed pairs and targets (holder ``ANY``) of excerpts; partly known labels are left out."""
        pairs: list[Pair] = []
        labels: list[Label] = []
        documents: list[str] = []
        for excerpt in excerpts:
            views = [excerpt.to_pairs(), *([excerpt.to_target_pairs()] if excerpt.complete else [])]
            known = [(p, x) for view in views for p, x in zip(*view, strict=True) if not isinstance(x, Polarity)]
            pairs += [pair for pair, _ in known]
            labels += [label for _, label in known]
            documents += [excerpt.origin.document or excerpt.id] * len(known)
        return cls(pairs, label_matrix(labels), documents)


class System(Protocol):
    """What the benchmark asks of a system."""

    name: str

    def fit(self, examples: Examples) -> None:
        """Learn from annotated pairs; a system that learns nothing does nothing."""

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Judge pairs, in order."""


class ShippedModel:
    """A trained model of this library, as it is: nothing is learned from the benchmark's training part."""

    def __init__(self, classifier: StanceClassifier, name: str = "stance") -> None:
        self.name = name
        self.classifier = classifier

    def fit(self, examples: Examples) -> None:
        """Do nothing."""

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Judge pairs, in order."""
        return self.classifier.predict_pairs(pairs)


def as_predictions(
    pairs: Sequence[Pair], probabilities: FloatArray, thresholds: Thresholds, any_thresholds: Thresholds
) -> list[Prediction]:
    """Turn probabilities ``(n_pairs, 3)`` into predictions: stances at or over their threshold."""
    predictions = []
    for pair, row in zip(pairs, probabilities.tolist(), strict=True):
        over = any_thresholds if pair.holder is ANY else thresholds
        chances = dict(zip(Stance, row, strict=True))
        stances = frozenset(s for s, t in zip(Stance, over, strict=True) if chances[s] >= t)
        predictions.append(Prediction(pair, chances, stances, (pair.target,)))
    return predictions


def tuned(examples: Examples, probabilities: FloatArray) -> tuple[Thresholds, Thresholds]:
    """Choose thresholds of directed pairs and of targets by F1; ``probabilities`` are of examples held out in turn."""
    anybody = np.array([pair.holder is ANY for pair in examples.pairs], dtype=np.bool_)
    directed, targets = (tune_thresholds(probabilities[part], examples.y_true[part]) for part in (~anybody, anybody))
    return directed, targets
