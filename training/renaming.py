"""Renamed copies of training sentences, so that the verdict is learned from the words and not from the names.

A model that sees Russia opposed and France supported in most sentences learns the names. A copy gives every named actor
of a sentence another name of the same kind, the same one wherever the actor is named, and keeps the labels
(counterfactual augmentation: Zmigrod et al., ACL 2019). Sentences that the rules of ``stance.swaps`` cannot rename
safely have no copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stance.actors import ActorTable
from stance.excerpts import Excerpt, GoldPair
from stance.pairs import Holder
from stance.rewriting import NotSafe
from stance.swaps import swap_names
from stance.targets import Mention


def renamed_copies(excerpts: Iterable[Excerpt], seed: int) -> list[Excerpt]:
    """Rename the actors of every excerpt where that is safe; the same seed gives the same names."""
    table = ActorTable.load()
    copies = []
    for excerpt in excerpts:
        try:
            copies.append(_renamed(excerpt, seed, table))
        except NotSafe:
            continue
    return copies


def copies_of(name: str) -> str:
    """Name the dataset of a corpus's renamed copies."""
    return f"{name} (renamed)"


def share_weights(weights: Mapping[str, float], sizes: Mapping[str, int], share: float) -> dict[str, float]:
    """Let renamed copies take the place of originals: ``share`` of each corpus that has copies, as far as they go.

    ``sizes`` counts rows by dataset. A corpus is shown as often as its weight says, copies and originals together.
    """
    shared: dict[str, float] = {}
    for name, weight in weights.items():
        copies = sizes.get(copies_of(name), 0)
        shared[name] = weight
        if copies and share:
            shared[copies_of(name)] = weight * share
            shared[name] = weight * (1 - share * copies / sizes[name])
    return shared


def _renamed(excerpt: Excerpt, seed: int, table: ActorTable) -> Excerpt:
    edited = swap_names(excerpt, seed=seed, table=table)
    moved: dict[Holder, Holder] = {}
    targets: dict[Mention, Mention] = {}
    for check in edited.checks:
        moved[check.before.holder] = check.after.holder
        targets[check.before.target] = check.after.target
    mentions = tuple(targets[m] for m in excerpt.mentions if m in targets)
    pairs = tuple(GoldPair(moved[p.holder], targets[p.target], p.label, p.relation) for p in excerpt.pairs)
    return replace(excerpt, id=f"{excerpt.id}-renamed", text=edited.text, context="", mentions=mentions, pairs=pairs)
