"""The closed label sets: stances, polarities of partly known labels, and PLOVER root codes."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from stance.errors import StanceError


class Stance(StrEnum):
    """What a holder's words or acts express toward a target. "None" is the empty set.

    The order is the order of the columns in every array of probabilities.

    >>> [str(s) for s in Stance]
    ['support', 'oppose', 'cooperate']
    """

    SUPPORT = "support"
    OPPOSE = "oppose"
    COOPERATE = "cooperate"


class Polarity(StrEnum):
    """A partly known label: a corpus that does not tell support from cooperate.

    ``POSITIVE`` is support or cooperate or both, and not oppose; ``NEGATIVE`` is oppose;
    ``NEUTRAL`` is neither.
    """

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


Label = frozenset[Stance] | Polarity
"""Gold for one pair: the exact set of stances, or a polarity where no more is known."""

PLOVER_ROOTS = MappingProxyType(
    {
        "SUPPORT": Stance.SUPPORT,
        "AGREE": Stance.COOPERATE,
        "CONSULT": Stance.COOPERATE,
        "COOPERATE": Stance.COOPERATE,
        "AID": Stance.COOPERATE,
        "YIELD": Stance.COOPERATE,
        "ACCUSE": Stance.OPPOSE,
        "REQUEST": Stance.OPPOSE,
        "REJECT": Stance.OPPOSE,
        "THREATEN": Stance.OPPOSE,
        "PROTEST": Stance.OPPOSE,
        "SANCTION": Stance.OPPOSE,
        "MOBILIZE": Stance.OPPOSE,
        "COERCE": Stance.OPPOSE,
        "ASSAULT": Stance.OPPOSE,
    }
)
"""PLOVER root code -> stance, in the order of the relation head's columns.

Codes after the PLOVER manual (Open Event Data Alliance, 2018) with SUPPORT split from COOPERATE as
in Hu et al., ACL 2024. Material and verbal cooperation fall together here; REQUEST is a demand.
"""

PLOVER_QUADS = MappingProxyType(
    {
        "SUPPORT": "V-Coop",
        "AGREE": "V-Coop",
        "CONSULT": "V-Coop",
        "COOPERATE": "M-Coop",
        "AID": "M-Coop",
        "YIELD": "M-Coop",
        "ACCUSE": "V-Conf",
        "REQUEST": "V-Conf",
        "REJECT": "V-Conf",
        "THREATEN": "V-Conf",
        "PROTEST": "M-Conf",
        "SANCTION": "M-Conf",
        "MOBILIZE": "M-Conf",
        "COERCE": "M-Conf",
        "ASSAULT": "M-Conf",
    }
)
"""PLOVER root code -> quad class (verbal or material, cooperation or conflict), as Hu et al., ACL 2024, group them."""


def parse_stances(names: Iterable[str]) -> frozenset[Stance]:
    """Turn stance names into a set.

    >>> sorted(parse_stances(["support", "cooperate"]))
    [<Stance.COOPERATE: 'cooperate'>, <Stance.SUPPORT: 'support'>]

    Raises:
        StanceError: a name is not a stance.
    """
    found = set()
    for name in names:
        try:
            found.add(Stance(name))
        except ValueError:
            expected = ", ".join(Stance)
            raise StanceError(f"expected stances out of {expected}; got {name!r}; correct the label") from None
    return frozenset(found)


def as_polarity(label: Label) -> Polarity:
    """Reduce a label to its polarity; a set with oppose in it is negative.

    >>> as_polarity(frozenset({Stance.COOPERATE}))
    <Polarity.POSITIVE: 'positive'>
    """
    if isinstance(label, Polarity):
        return label
    if Stance.OPPOSE in label:
        return Polarity.NEGATIVE
    return Polarity.POSITIVE if label else Polarity.NEUTRAL
