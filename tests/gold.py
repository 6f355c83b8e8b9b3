"""Invented gold and predictions that tests of evaluation share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stance.excerpts import Excerpt, GoldPair, Origin
from stance.labels import Label, Polarity, Stance
from stance.pairs import ANY, AUTHOR, Holder, Pair
from stance.predictions import Prediction
from stance.targets import Mention, Target

SUPPORT, OPPOSE, COOPERATE = Stance
TEXT = "Klow and Istow met Borduria."
KLOW, ISTOW, BORDURIA = (
    Mention(TEXT.index(name), TEXT.index(name) + len(name), Target(name)) for name in ("Klow", "Istow", "Borduria")
)
NAMES: Mapping[str, Holder] = {"klow": KLOW, "istow": ISTOW, "borduria": BORDURIA, "author": AUTHOR, "any": ANY}


def label(words: str) -> Label:
    """Read a label: stances by their first letters, "so"; "" for none; a polarity by its name."""
    if words in list(Polarity):
        return Polarity(words)
    return frozenset(s for s in Stance if s[0] in words)


def excerpt(
    name: str, *pairs: tuple[str, str, str], complete: bool = True, document: str | None = None, source: str = "x"
) -> Excerpt:
    """Annotate ``TEXT`` with pairs of holder, target and label, each by its word."""
    gold = tuple(GoldPair(NAMES[h], NAMES[t], label(words)) for h, t, words in pairs)  # type: ignore[arg-type]
    mentions = (KLOW, ISTOW, BORDURIA)
    origin = Origin(source, document or name)
    return Excerpt(name, f"{TEXT} {name}", mentions=mentions, pairs=gold, complete=complete, origin=origin)


def prediction(
    pair: Pair, stances: Iterable[Stance] = (), sure: float = 0.9, relation: str | None = None
) -> Prediction:
    """Predict stances, each with probability ``sure`` and every other with what is left."""
    taken = frozenset(stances)
    chances = {s: sure if s in taken else 1 - sure for s in Stance}
    return Prediction(pair, chances, taken, (pair.target,), relation=relation)


def gold_pairs(excerpts: Iterable[Excerpt]) -> list[tuple[Pair, Label]]:
    """List every pair to judge with its gold: directed and listed ones, then the targets of complete excerpts."""
    listed, targets = [], []
    for e in excerpts:
        listed += list(zip(*e.to_pairs(), strict=True))
        targets += list(zip(*e.to_target_pairs(), strict=True)) if e.complete else []
    return listed + targets


def perfect(excerpts: Iterable[Excerpt], sure: float = 0.9) -> list[Prediction]:
    """Predict what gold says."""
    sides = {Polarity.POSITIVE: {SUPPORT}, Polarity.NEGATIVE: {OPPOSE}, Polarity.NEUTRAL: set[Stance]()}
    return [
        prediction(pair, sides[gold] if isinstance(gold, Polarity) else gold, sure)
        for pair, gold in gold_pairs(excerpts)
    ]
