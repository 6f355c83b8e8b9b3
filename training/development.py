"""Development scores: what early stopping looks at and what the model card reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stance.errors import ConfigError
from stance.excerpts import Excerpt
from stance.formats.dse import dse_number
from stance.labels import Label, Stance
from stance.metrics import (
    BoolArray,
    directed_classes,
    label_matrix,
    macro_f1,
    micro_f1,
    polarity_classes,
    polarity_numbers,
    stance_f1,
)
from stance.pairs import Pair
from stance.reliability import measure_reliability
from stance.scoring import PairScorer
from stance.sentences import Span
from stance.tagging import first_places
from training.decisions import decide_held_back
from training.mentions import MENTION_CORPORA, marks_all_mentions

EXACT_KINDS = ("pairs", "targets")
"""What complete excerpts are scored on: directed pairs, and targets whoever holds the stance."""


@dataclass(frozen=True, slots=True)
class Development:
    """Development figures of one model, named ``corpus/figure`` or, for a part of a figure, ``corpus/figure.part``."""

    scores: dict[str, float]

    def score(self, selection: Sequence[str] = ()) -> float:
        """Take the mean of the selected figures, or of all headline figures: what early stopping compares."""
        return float(np.mean([self.scores[name] for name in selection or self.headline]))

    @property
    def headline(self) -> list[str]:
        """The names of whole figures."""
        return [name for name in self.scores if "." not in name]


def evaluate_development(scorer: PairScorer, splits: Mapping[str, Sequence[Excerpt]]) -> Development:
    """Score development splits, each as its corpus allows.

    Complete excerpts: micro-F1 over directed pairs and over targets (holder ANY), and per stance, where half of the
    documents is decided by calibration and thresholds fitted to the other half of all splits together, as the model's
    own are fitted; and the expected calibration error of these probabilities. DSE: five-class macro and micro F1.
    Holder-less polarity (NewsMTSC): three-class macro-F1. Other partial or exact pairs (PLV, re3d, UNSCon): macro-F1
    of the polarity classes that gold holds. Where every mention is marked, a model with a tagger is scored on finding
    them: F1 of exact spans, each spelling at its first place.
    """
    complete = {name: [e for e in excerpts if e.complete] for name, excerpts in splits.items()}
    complete = {name: excerpts for name, excerpts in complete.items() if excerpts}
    scores: dict[str, float] = {}
    for kind in EXACT_KINDS if complete else ():
        scores |= _exact_scores(scorer, complete, kind)
    for name, excerpts in splits.items():
        marked = [e for e in excerpts if marks_all_mentions(e)]
        if marked and scorer.has_tagger:
            scores[f"{name}/mentions"] = mention_f1(marked, scorer.tag([e.text for e in marked]))
        if name in complete or all(e.origin.source in MENTION_CORPORA for e in excerpts):
            continue
        if any(e.origin.source == "dse" for e in excerpts):
            scores |= _dse_scores(name, scorer, excerpts)
        else:
            scores |= _polarity_scores(name, scorer, excerpts)
    return Development(scores)


def check_selection(selection: Sequence[str], splits: Mapping[str, Sequence[Excerpt]]) -> None:
    """Refuse a selection of figures that these development splits do not give, before any work.

    Raises:
        ConfigError: a selected figure does not exist.
    """
    kinds = {n: ("pairs", "targets") if any(e.complete for e in split) else ("macro",) for n, split in splits.items()}
    known = [f"{name}/{kind}" for name, of in kinds.items() for kind in of]
    for figure in selection:
        if figure not in known:
            raise ConfigError(f"expected selection out of {known}; got {figure!r}; correct it")


def list_exact(excerpts: Sequence[Excerpt], kind: str) -> tuple[list[Pair], BoolArray, list[str]]:
    """List the pairs of complete excerpts, of one of ``EXACT_KINDS``, with gold ``(n, 3)`` and documents."""
    pairs: list[Pair] = []
    labels: list[Label] = []
    documents: list[str] = []
    for excerpt in excerpts:
        new_pairs, new_labels = excerpt.to_pairs() if kind == "pairs" else excerpt.to_target_pairs()
        pairs += new_pairs
        labels += new_labels
        documents += [excerpt.document_key] * len(new_pairs)
    return pairs, label_matrix(labels), documents


def _exact_scores(scorer: PairScorer, splits: Mapping[str, Sequence[Excerpt]], kind: str) -> dict[str, float]:
    listed = {name: list_exact(excerpts, kind) for name, excerpts in splits.items()}
    pairs = [pair for some, _, _ in listed.values() for pair in some]
    y_true = np.concatenate([some for _, some, _ in listed.values()])
    documents = [document for _, _, some in listed.values() for document in some]
    probabilities, y_pred = decide_held_back(scorer.logits(pairs)[0], y_true, documents)
    split = np.repeat(list(listed), [len(some) for some, _, _ in listed.values()])
    scores: dict[str, float] = {}
    if pairs:  # sentences that name nobody have none, and no calibration error
        scores[f"calibration/{kind}.ece"] = measure_reliability(kind, probabilities.ravel(), y_true.ravel()).ece
    for name in listed:
        gold, decided = y_true[split == name], y_pred[split == name]
        scores[f"{name}/{kind}"] = micro_f1(gold, decided)
        scores |= {f"{name}/{kind}.{s}": float(f1) for s, f1 in zip(Stance, stance_f1(gold, decided), strict=True)}
    return scores


def mention_f1(excerpts: Sequence[Excerpt], found: Sequence[Sequence[Span]]) -> float:
    """F1 of the spans found in excerpts whose mentions are all marked; each spelling counts at its first place."""
    agreed = total = 0
    for excerpt, spans in zip(excerpts, found, strict=True):
        gold, answer = (first_places(excerpt.text, s) for s in ([(m.start, m.end) for m in excerpt.mentions], spans))
        agreed += len(gold & answer)
        total += len(gold) + len(answer)
    return 2 * agreed / max(total, 1)


def _dse_scores(name: str, scorer: PairScorer, excerpts: Sequence[Excerpt]) -> dict[str, float]:
    """Score rows of two directions each as the paper's five classes; a row whose entities are no words is left out."""
    excerpts = [e for e in excerpts if e.pairs]
    pairs = [Pair(e.sentence, p.holder, p.target) for e in excerpts for p in e.pairs]
    probabilities = scorer.score(pairs).probabilities
    y_pred = directed_classes(probabilities[0::2], probabilities[1::2])
    y_true = np.array([dse_number(e) for e in excerpts])
    return {
        f"{name}/macro": macro_f1(y_true, y_pred),
        f"{name}/macro.micro": float((y_true == y_pred).mean()),
    }


def _polarity_scores(name: str, scorer: PairScorer, excerpts: Sequence[Excerpt]) -> dict[str, float]:
    listed = [(Pair(e.sentence, p.holder, p.target), p.label) for e in excerpts for p in e.pairs]
    probabilities = scorer.score([p for p, _ in listed]).probabilities
    y_true, y_pred = polarity_numbers([x for _, x in listed]), polarity_classes(probabilities)
    return {f"{name}/macro": macro_f1(y_true, y_pred)}
