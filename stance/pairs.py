"""Pair: one judgement to make, a holder's stance toward a target in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stance.errors import StanceError
from stance.sentences import Sentence
from stance.targets import Mention


class OpenHolder(StrEnum):
    """A holder that no span of the sentence names; ``@`` keeps it apart from an actor called so."""

    AUTHOR = "@author"
    ANY = "@any"


AUTHOR = OpenHolder.AUTHOR
"""The writer or speaker of the sentence."""
ANY = OpenHolder.ANY
"""Anybody at all: the question is only whether somebody takes the stance toward the target."""

Holder = Mention | OpenHolder


@dataclass(frozen=True, slots=True)
class Pair:
    """One judgement: does ``holder`` take a stance toward ``target`` in ``sentence``?"""

    sentence: Sentence
    holder: Holder
    target: Mention


def check_pair(pair: Pair) -> None:
    """Refuse a pair that no judgement can be made of.

    Raises:
        StanceError: it is no ``Pair``, its holder is none, or a span lies outside its sentence.
    """
    if not isinstance(pair, Pair):
        raise StanceError(f"expected a Pair; got {type(pair).__name__}; make one of sentence, holder and target")
    spans = [pair.target] if isinstance(pair.holder, OpenHolder) else [pair.holder, pair.target]
    for span in spans:
        if not isinstance(span, Mention):
            raise StanceError(f"expected a Mention, AUTHOR or ANY; got {type(span).__name__}; correct the pair")
        if not 0 <= span.start < span.end <= len(pair.sentence.text):
            raise StanceError(
                f"expected offsets into the sentence, 0 to {len(pair.sentence.text)}; got {span.start} to {span.end} "
                f"for {span.name!r}; correct the pair"
            )


def make_pairs(sentence: Sentence, mentions: Iterable[Mention], holders: Iterable[Holder] = (AUTHOR,)) -> list[Pair]:
    """List every directed pair: each mention and each further holder toward each mention.

    A span is never paired with itself. Order: by target, then mentions in the order given, then ``holders``.
    """
    targets = list(mentions)
    candidates: list[Holder] = list(dict.fromkeys([*targets, *holders]))
    return [
        Pair(sentence, holder, target)
        for target in targets
        for holder in candidates
        if isinstance(holder, OpenHolder) or (holder.start, holder.end) != (target.start, target.end)
    ]
