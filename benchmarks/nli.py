"""Baseline without training: a natural-language-inference checkpoint asked whether the sentence entails a stance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import pipeline
from transformers.utils import logging

from benchmarks.systems import Examples, as_predictions
from stance.errors import ConfigError
from stance.labels import Stance
from stance.pairs import AUTHOR, Pair
from stance.predictions import Prediction
from stance.targets import Mention

_SENTENCES = {
    Stance.SUPPORT: "{} supports {}.",
    Stance.OPPOSE: "{} opposes {}.",
    Stance.COOPERATE: "{} cooperates with {}.",
}
_HALVES = (0.5,) * len(Stance)


class ZeroShotNli:
    """One hypothesis per stance ("Iran supports China."), entailed at 0.5 or more: Yin et al., EMNLP 2019.

    Raises:
        ConfigError: the path is no checkpoint with a class called entailment.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = f"zero-shot NLI ({Path(path).name})"
        logging.disable_progress_bar()
        try:
            self.classify = pipeline("zero-shot-classification", model=str(path), device=-1)
            labels = [str(label) for label in self.classify.model.config.label2id or ()]
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(
                f"expected an NLI checkpoint; got {str(path)!r} ({reason}); give a local folder"
            ) from None
        if not any(label.lower().startswith("entail") for label in labels):
            raise ConfigError(
                f"expected an NLI checkpoint with a class 'entailment'; got {sorted(labels)} in {str(path)!r}; "
                "give another"
            )

    def fit(self, examples: Examples) -> None:
        """Do nothing."""

    def predict_pairs(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """Judge pairs, in order, with three passes each."""
        scores = np.zeros((len(pairs), len(Stance)), dtype=np.float32)
        for i, pair in enumerate(pairs):
            hypotheses = {hypothesis(pair, s): k for k, s in enumerate(Stance)}
            answer = self.classify(
                pair.sentence.text, candidate_labels=list(hypotheses), hypothesis_template="{}", multi_label=True
            )
            for label, score in zip(answer["labels"], answer["scores"], strict=True):
                scores[i, hypotheses[label]] = score
        return as_predictions(pairs, scores, _HALVES, _HALVES)


def hypothesis(pair: Pair, stance: Stance) -> str:
    """Say that a pair has a stance.

    >>> from stance.sentences import Sentence
    >>> from stance.targets import Target
    >>> hypothesis(Pair(Sentence.of("We thank Mali."), AUTHOR, Mention(9, 13, Target("Mali"))), Stance.COOPERATE)
    'The author cooperates with Mali.'
    """
    if isinstance(pair.holder, Mention):
        holder = pair.holder.name
    else:
        holder = "The author" if pair.holder is AUTHOR else "Somebody"
    return _SENTENCES[stance].format(holder, pair.target.name)
