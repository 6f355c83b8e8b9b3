"""Every counterfactual of some excerpts that the rules can make safely, and why the others were passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from stance.excerpts import Excerpt, GoldPair
from stance.labels import Polarity, Stance
from stance.negation import negate
from stance.pairs import Holder
from stance.rewriting import Counterfactual, Edit, NotSafe
from stance.swaps import swap_names, swap_roles
from stance.targets import Mention

DRAWS = 3
"""Sets of other names that a sentence is tried with."""


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """Edited sentences. ``edited`` counts per edit what could be edited, ``skipped`` what could not, by reason.

    For ``names`` sentences are counted, for ``roles`` holder and target with a stance between them, for ``negation``
    targets and stances.
    """

    cases: tuple[Counterfactual, ...]
    edited: Mapping[Edit, int]
    skipped: Mapping[Edit, Mapping[str, int]]


def make_counterfactuals(excerpts: Iterable[Excerpt], *, draws: int = DRAWS, seed: int = 0) -> Counterfactuals:
    """Edit every excerpt in every way that is safe for it."""
    cases: list[Counterfactual] = []
    edited: Counter[Edit] = Counter(dict.fromkeys(Edit, 0))
    skipped: dict[Edit, Counter[str]] = {edit: Counter() for edit in Edit}

    for excerpt in excerpts:
        for edit, attempt in _attempts(excerpt, draws, seed):
            try:
                cases += attempt()
                edited[edit] += 1
            except NotSafe as reason:
                skipped[edit][str(reason)] += 1
    reasons = {edit: dict(counter.most_common()) for edit, counter in skipped.items()}
    return Counterfactuals(tuple(cases), dict(edited), reasons)


def _attempts(excerpt: Excerpt, draws: int, seed: int) -> Iterator[tuple[Edit, Callable[[], list[Counterfactual]]]]:
    yield Edit.NAMES, lambda: [swap_names(excerpt, draw, seed=seed) for draw in range(draws)]
    for pair in _once_per_two_ends(excerpt):
        yield Edit.ROLES, partial(_roles, excerpt, pair)
    for target, stance in _stances_by_target(excerpt):
        yield Edit.NEGATION, partial(_negations, excerpt, target, stance)


def _roles(excerpt: Excerpt, pair: GoldPair) -> list[Counterfactual]:
    return [swap_roles(excerpt, pair)]


def _negations(excerpt: Excerpt, target: Mention, stance: Stance) -> list[Counterfactual]:
    """Negate the stance toward a target by the first holder for whom that is safe, else say why not for the first."""
    reasons: list[NotSafe] = []
    for pair in excerpt.pairs:
        if pair.target == target and _has(pair, stance):
            try:
                return [negate(excerpt, pair, stance)]
            except NotSafe as reason:
                reasons.append(reason)
    raise reasons[0]


def _once_per_two_ends(excerpt: Excerpt) -> list[GoldPair]:
    """List pairs with a stance between two spans, one for both directions."""
    found: dict[frozenset[Holder], GoldPair] = {}
    for pair in excerpt.pairs:
        if isinstance(pair.holder, Mention) and pair.label and pair.label is not Polarity.NEUTRAL:
            found.setdefault(frozenset({pair.holder, pair.target}), pair)
    return list(found.values())


def _stances_by_target(excerpt: Excerpt) -> list[tuple[Mention, Stance]]:
    found = {(pair.target, stance): None for pair in excerpt.pairs for stance in Stance if _has(pair, stance)}
    return list(found)


def _has(pair: GoldPair, stance: Stance) -> bool:
    return not isinstance(pair.label, Polarity) and stance in pair.label
