"""Two annotations of one sentence laid side by side: the same pair, two labels.

Where both say ``complete``, every directed pair of the spans of either is compared, and a pair that one annotator does
not list has no stance for him. Elsewhere only pairs that both know are compared; the others are one-sided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from stance.excerpts import Excerpt, holder_field
from stance.labels import Label, Polarity, Stance, as_polarity
from stance.pairs import ANY, AUTHOR, Holder, make_pairs
from stance.targets import Mention

Unit = Literal["pairs", "targets"]
"""What is labelled: a directed pair of holder and target, or a target whoever holds the stance."""
Match = Literal["exact", "overlap"]

_Labels = dict[tuple[Holder, Mention], Label]
_NONE: Label = frozenset()


@dataclass(frozen=True, slots=True)
class DoubleLabel:
    """One unit with the labels of two annotators; ``holder`` is ``ANY`` for a target."""

    excerpt: Excerpt
    unit: Unit
    holder: Holder
    target: Mention
    first: Label
    second: Label

    @property
    def differs(self) -> bool:
        """Whether the labels are at odds; where one is only partly known, whether their polarities are."""
        if isinstance(self.first, Polarity) or isinstance(self.second, Polarity):
            return as_polarity(self.first) is not as_polarity(self.second)
        return self.first != self.second

    def to_dict(self) -> dict[str, Any]:
        """Give a JSON-ready dictionary; spans are those of the first annotator where he has them."""
        return {
            "id": self.excerpt.id,
            "document": self.excerpt.origin.document,
            "text": self.excerpt.text,
            "unit": self.unit,
            "holder": holder_field(self.holder),
            "holder_text": str(self.holder),
            "target": [self.target.start, self.target.end],
            "target_text": self.target.name,
            "first": label_field(self.first),
            "second": label_field(self.second),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two annotations of one sentence share: units that both know, and how many only one knows."""

    labels: tuple[DoubleLabel, ...]
    one_sided: int


def compare(first: Excerpt, second: Excerpt, unit: Unit, match: Match = "exact") -> Comparison:
    """Lay two annotations of one text side by side.

    ``match="exact"`` asks for equal offsets; with ``"overlap"`` spans that share characters are one, each with the one
    that it overlaps most.
    """
    names = aligned_spans(second.holders, first.holders) if match == "overlap" else {}
    mine, other = _known(first, unit, {}), _known(second, unit, names)
    units = list(dict.fromkeys([*mine, *other]))
    if first.complete and second.complete and unit == "pairs":
        units = _every_pair(first, second, names)
    labels, one_sided = [], 0
    for holder, target in units:
        one = mine.get((holder, target), _NONE if first.complete else None)
        two = other.get((holder, target), _NONE if second.complete else None)
        if one is None or two is None:
            one_sided += 1
        else:
            labels.append(DoubleLabel(first, unit, holder, target, one, two))
    return Comparison(tuple(labels), one_sided)


def aligned_spans(spans: Iterable[Mention], onto: Iterable[Mention]) -> dict[Mention, Mention]:
    """Pair spans with those of another annotation that they overlap, one to one, the largest shared part first.

    A span without a partner is not in the result.
    """
    free = list(onto)
    shares = [(_shared_part(a, b), a, b) for a in spans for b in free]
    partners: dict[Mention, Mention] = {}
    for share, mine, other in sorted(shares, key=lambda row: -row[0]):
        if share > 0 and mine not in partners and other in free:
            partners[mine] = other
            free.remove(other)
    return partners


def label_field(label: Label) -> list[str] | str:
    """Write a label as the excerpt format has it: a list of stances, or a polarity."""
    return str(label) if isinstance(label, Polarity) else [str(s) for s in Stance if s in label]


def _known(excerpt: Excerpt, unit: Unit, names: dict[Mention, Mention]) -> _Labels:
    """List what an annotation says outright; pairs with holder ``ANY`` are units of targets."""
    pairs, labels = excerpt.to_pairs() if unit == "pairs" else excerpt.to_target_pairs()
    return {
        (_renamed(pair.holder, names), names.get(pair.target, pair.target)): label
        for pair, label in zip(pairs, labels, strict=True)
        if (pair.holder is ANY) == (unit == "targets")
    }


def _every_pair(first: Excerpt, second: Excerpt, names: dict[Mention, Mention]) -> list[tuple[Holder, Mention]]:
    targets = dict.fromkeys([*first.mentions, *(names.get(m, m) for m in second.mentions)])
    holders = dict.fromkeys([*first.holders, *(names.get(m, m) for m in second.holders)])
    pairs = make_pairs(first.sentence, targets, [*(h for h in holders if h not in targets), AUTHOR])
    return [(pair.holder, pair.target) for pair in pairs]


def _renamed(holder: Holder, names: dict[Mention, Mention]) -> Holder:
    return names.get(holder, holder) if isinstance(holder, Mention) else holder


def _shared_part(a: Mention, b: Mention) -> float:
    """Characters in both spans as a share of those in either."""
    shared = min(a.end, b.end) - max(a.start, b.start)
    return shared / (max(a.end, b.end) - min(a.start, b.start)) if shared > 0 else 0.0
