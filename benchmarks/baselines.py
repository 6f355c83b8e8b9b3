"""Baselines without a network: the most frequent answer, a rule over listed verbs, TF-IDF with logistic regression."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from benchmarks.systems import Examples, Thresholds, as_predictions, tuned
from stance.labels import Stance
from stance.metrics import BoolArray
from stance.pairs import ANY, AUTHOR, Pair
from stance.predictions import Prediction
from stance.scoring import FloatArray
from stance.targets import Mention
from stance.verbs import VerbUse, find_verbs

FOLDS = 3
"""Parts of the training documents, each scored by a model of the others, on which thresholds are tuned."""

_HALVES: Thresholds = (0.5,) * len(Stance)
_DENIED = re.compile(r"(?:\b(?:not|never|no|cannot|without)\b|n[’']t)(?:\W+\w+){0,2}\W*$", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"\b(?:we|i|our|my)\b", re.IGNORECASE)


class Majority:
    """Answer with what most training pairs have, stance by stance: as a rule with none at all."""

    name = "majority"

    def __init__(self) -> None:
        self.shares = np.zeros(len(Stance), dtype=np.float32)

    def fit(self, examples: Examples) -> None:
        """Count the share of pairs that have each stance."""
        self.shares = examples.y_true.mean(axis=0, dtype=np.float32)

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Give every pair the training shares as probabilities."""
        return as_predictions(pairs, np.tile(self.shares, (len(pairs), 1)), _HALVES, _HALVES)


class VerbRule:
    """Answer with the stance of listed verbs between holder and target that no "not" stands before.

    In a passive the target stands before the verb and "by" behind it. The author's verbs are those behind "we" or "I";
    anybody's are all before the target.
    """

    name = "verb rule"

    def fit(self, examples: Examples) -> None:
        """Do nothing: the list of ``stance.verbs`` is what the rule knows."""

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Judge pairs by rule; a probability is 1 or 0."""
        uses = {text: find_verbs(text) for text in {pair.sentence.text for pair in pairs}}
        found = [_carried(pair, uses[pair.sentence.text]) for pair in pairs]
        scores = np.array([[s in stances for s in Stance] for stances in found], dtype=np.float32)
        return as_predictions(pairs, scores.reshape(-1, len(Stance)), _HALVES, _HALVES)


class Regression:
    """Logistic regression per stance on whatever features a subclass makes of a pair.

    Thresholds are tuned on training documents held out in turn, as those of our model are on development documents.
    """

    name = "regression"

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.thresholds = (_HALVES, _HALVES)
        self._models: list[Any] = []

    def features(self, pairs: Sequence[Pair]) -> Any:
        """Make the features of pairs, one row each."""
        raise NotImplementedError

    def fit(self, examples: Examples) -> None:
        """Fit one regression per stance and tune the thresholds."""
        features = self.features(examples.pairs)
        held_out = np.zeros(examples.y_true.shape, dtype=np.float32)
        n_folds = min(FOLDS, len(set(examples.documents)))
        for rest, part in GroupKFold(n_folds).split(examples.y_true, groups=examples.documents):
            models = self._fitted(_rows(features, rest), examples.y_true[rest])
            held_out[part] = _probabilities(models, _rows(features, part))
        self.thresholds = tuned(examples, held_out)
        self._models = self._fitted(features, examples.y_true)

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Judge pairs, in order."""
        return as_predictions(pairs, _probabilities(self._models, self.features(pairs)), *self.thresholds)

    def _fitted(self, features: Any, y_true: BoolArray) -> list[Any]:
        return [
            (clone(self.estimator) if 0 < column.sum() < len(column) else DummyClassifier()).fit(features, column)
            for column in y_true.T
        ]


class TfidfRegression(Regression):
    """TF-IDF of words, pairs and triples of words in the sentence, with marker words around holder and target."""

    name = "TF-IDF + LR"

    def __init__(self) -> None:
        words = TfidfVectorizer(ngram_range=(1, 3), min_df=2, sublinear_tf=True, token_pattern=r"\w+")
        super().__init__(make_pipeline(words, LogisticRegression(C=10, max_iter=500)))

    def features(self, pairs: Sequence[Pair]) -> list[str]:
        """Mark each pair in its sentence."""
        return [mark(pair) for pair in pairs]


def mark(pair: Pair) -> str:
    """Put marker words around holder and target; a holder without a span is named by a word in front.

    >>> from stance.sentences import Sentence
    >>> from stance.targets import Mention, Target
    >>> iran, china = Mention(0, 4, Target("Iran")), Mention(13, 18, Target("China"))
    >>> mark(Pair(Sentence.of("Iran thanked China."), iran, china))
    'xholder Iran endholder thanked xtarget China endtarget.'
    >>> mark(Pair(Sentence.of("Iran thanked China."), AUTHOR, china))
    'xauthor Iran thanked xtarget China endtarget.'
    """
    text = pair.sentence.text
    marks = [(pair.target.start, 1, "xtarget "), (pair.target.end, 0, " endtarget")]
    if isinstance(pair.holder, Mention):
        marks += [(pair.holder.start, 1, "xholder "), (pair.holder.end, 0, " endholder")]
    for place, _, word in sorted(marks, reverse=True):
        text = text[:place] + word + text[place:]
    if isinstance(pair.holder, Mention):
        return text
    return f"{'xauthor' if pair.holder is AUTHOR else 'xanybody'} {text}"


def _carried(pair: Pair, uses: Sequence[VerbUse]) -> set[Stance]:
    text, holder, target = pair.sentence.text, pair.holder, pair.target
    found = set()
    for use in uses:
        passive = text[use.end :].lstrip().startswith("by ") and use.verb.particles == ()
        if isinstance(holder, Mention):
            active = holder.end <= use.start and use.end <= target.start
            fits = target.end <= use.start < use.end <= holder.start if passive else active
        else:
            fits = use.end <= target.start and not passive
            fits = fits and (holder is ANY or _FIRST_PERSON.search(text, 0, use.start) is not None)
        if fits and not _DENIED.search(text[: use.start]):
            found.add(use.verb.stance)
    return found


def _probabilities(models: Sequence[Any], features: Any) -> FloatArray:
    columns = []
    for model in models:
        chances = model.predict_proba(features)
        classes = list(model.classes_)
        columns.append(chances[:, classes.index(True)] if True in classes else np.zeros(len(chances)))
    return np.stack(columns, axis=1).astype(np.float32)


def _rows(features: Any, places: Any) -> Any:
    return [features[i] for i in places] if isinstance(features, list) else features[places]
