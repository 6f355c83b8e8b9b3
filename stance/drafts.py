"""From texts to what is to be judged in them: whom their sentences name, and the pairs of holder and target.

Where no targets are given, names are found in the pass that judges: the tagger reads each sentence while the pairs of
the names that table and rules know are judged beside it. Only pairs of names that the tagger adds need a second look.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stance.actors import ActorTable
from stance.pairs import ANY, AUTHOR, Holder, Pair, make_pairs
from stance.resolution import Resolved, resolve_holders
from stance.scoring import PairScorer, Reading
from stance.sentences import Sentence, split_sentences
from stance.targets import Mention, MentionFinder, Target, add_tagged, find_holders, find_mentions

NEIGHBOURS = 16
"""Holders considered on either side of a target in its sentence, besides the author."""

TAG_MARGIN = 0.8
"""By how much, as a logit, a word must look like part of a name to be one (``training/EXPERIMENTS.md``)."""

_Sentences = tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A text made ready to be judged."""

    text: str
    sentences: _Sentences
    pairs: list[Pair]
    unmatched: tuple[Target, ...]
    resolved: Resolved | None


@dataclass(frozen=True, slots=True)
class Drafts:
    """Texts made ready; ``reading`` has the answers that came with finding their names, if a model looked for these."""

    texts: list[Draft]
    reading: Reading | None


def draft_texts(
    texts: Sequence[str],
    wanted: MentionFinder | None,
    table: ActorTable | None,
    *,
    tagger: PairScorer | None,
    resolve: bool,
) -> Drafts:
    """Find whom texts name and list what to judge; ``tagger`` helps to look where no targets are ``wanted``."""
    split = [tuple(split_sentences(text)) for text in texts]
    found = [find_mentions(sentences, wanted, table=table) for sentences in split]
    reading = None
    if wanted is None and tagger is not None:
        found, reading = _read(split, found, tagger, table)
    drafts = [
        _draft(text, sentences, mentions, wanted, resolve=resolve, table=table)
        for text, sentences, mentions in zip(texts, split, found, strict=True)
    ]
    return Drafts(drafts, reading)


def list_pairs(sentence: Sentence, targets: Sequence[Mention], holders: Iterable[Mention]) -> list[Pair]:
    """List what to judge in a sentence: per target anybody, then the holders near it, then the author."""
    actors = sorted(holders, key=_start) if targets else []
    pairs: list[Pair] = []
    for target in targets:
        asked: list[Holder] = [ANY, *_nearest(actors, target), AUTHOR]
        pairs += [p for p in make_pairs(sentence, [target], asked) if not _is_self(p)]
    return pairs


def list_pairs_among(sentence: Sentence, named: Sequence[Mention]) -> list[Pair]:
    """List what to judge in a sentence where everybody named is a target, and a holder beside those without a name."""
    return list_pairs(sentence, named, [*named, *find_holders(sentence, named)]) if named else []


def _read(
    split: Sequence[_Sentences],
    found: Sequence[Sequence[list[Mention]]],
    tagger: PairScorer,
    table: ActorTable | None,
) -> tuple[list[list[list[Mention]]], Reading]:
    """Let the tagger read all sentences, and judge the pairs of the names found so far along with it."""
    flat = [
        (sentence, named)
        for sentences, mentions in zip(split, found, strict=True)
        for sentence, named in zip(sentences, mentions, strict=True)
    ]
    pairs = [pair for sentence, named in flat for pair in list_pairs_among(sentence, named)]
    reading = tagger.read([sentence.text for sentence, _ in flat], pairs, margin=TAG_MARGIN)
    spans = iter(reading.spans)
    joined = [
        add_tagged(sentences, mentions, [next(spans) for _ in sentences], table=table)
        for sentences, mentions in zip(split, found, strict=True)
    ]
    return joined, reading


def _draft(
    text: str,
    sentences: _Sentences,
    found: list[list[Mention]],
    wanted: MentionFinder | None,
    *,
    resolve: bool,
    table: ActorTable | None,
) -> Draft:
    named = found if wanted is None or not any(found) else find_mentions(sentences, table=table)
    if named is not found:
        named = [
            sorted([*targets, *(m for m in others if not _overlaps(m, targets))], key=_start)
            for targets, others in zip(found, named, strict=True)
        ]
    needed = resolve and any(found)
    phrases = [
        find_holders(sentence, actors) if targets or needed else []
        for sentence, targets, actors in zip(sentences, found, named, strict=True)
    ]
    pairs = [
        pair
        for sentence, targets, names, nameless in zip(sentences, found, named, phrases, strict=True)
        for pair in list_pairs(sentence, targets, [*names, *nameless])
    ]
    matched = {m.target for targets in found for m in targets}
    unmatched = () if wanted is None else tuple(t for t in wanted.targets if t not in matched)
    resolved = resolve_holders(sentences, named, phrases, table) if needed else None
    return Draft(text, sentences, pairs, unmatched, resolved)


def _start(mention: Mention) -> int:
    return mention.start


def _nearest(actors: Sequence[Mention], target: Mention) -> Sequence[Mention]:
    """Take the actors named next to a target: in a list of two hundred names the far ones do not act on it."""
    place = bisect_left(actors, target.start, key=_start)
    return actors[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]


def _overlaps(mention: Mention, others: Iterable[Mention]) -> bool:
    return any(mention.start < other.end and other.start < mention.end for other in others)


def _is_self(pair: Pair) -> bool:
    return isinstance(pair.holder, Mention) and pair.holder.target == pair.target.target
