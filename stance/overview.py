"""The document view: what the sentences of a text together say of who takes which stance toward whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stance.labels import Stance
from stance.pairs import OpenHolder
from stance.sentences import Sentence
from stance.targets import Target

if TYPE_CHECKING:
    import pandas as pd

Party = Target | OpenHolder
"""One end of a stance: an actor, or the author."""

OVERVIEW_COLUMNS = [
    "holder",
    "holder_id",
    "target",
    "target_id",
    "stances",
    *(f"n_{s}" for s in Stance),
    *(f"p_{s}" for s in Stance),
    "n_sentences",
    "sentences",
]
"""Columns of ``Overview.to_frame`` and of the command line's CSV."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One judgement: in sentence number ``index``, ``holder`` takes ``stances`` toward ``target``."""

    holder: Party
    target: Target
    index: int
    sentence: Sentence
    stances: frozenset[Stance]
    probabilities: Mapping[Stance, float]


@dataclass(frozen=True, slots=True)
class ActorStance:
    """What a document says of one holder and one target.

    ``counts`` has the number of sentences that express each stance, ``probabilities`` the mean probability of each
    stance over all ``sentences`` that express any. ``indices`` number these sentences from 0 in the document.
    """

    holder: Party
    target: Target
    counts: Mapping[Stance, int]
    probabilities: Mapping[Stance, float]
    sentences: tuple[Sentence, ...]
    indices: tuple[int, ...]

    @property
    def stances(self) -> frozenset[Stance]:
        """The stances that at least one sentence expresses."""
        return frozenset(s for s, n in self.counts.items() if n)


class Overview:
    """Actor -> actor stances of one document, those with the most evidence first.

    Args:
        rows: one per directed pair of actors.
    """

    def __init__(self, rows: Iterable[ActorStance]) -> None:
        self.rows = tuple(rows)

    @classmethod
    def of(cls, evidence: Iterable[Evidence]) -> Overview:
        """Join judgements by holder and target; a stance that an actor would take toward himself is dropped.

        In a sentence with several judgements of one pair the clearest counts.
        """
        pairs: dict[tuple[str, str], list[Evidence]] = {}
        for e in evidence:
            ends = _key(e.holder), _key(e.target)
            if e.stances and ends[0] != ends[1]:
                pairs.setdefault(ends, []).append(e)
        rows = [_joined(those) for those in pairs.values()]
        return cls(sorted(rows, key=lambda r: (-len(r.indices), r.indices, str(r.holder), str(r.target))))

    def between(self, holder: str, target: str) -> frozenset[Stance]:
        """Give the stances of one actor toward another, both by name or id; none if the document says nothing.

        >>> Overview([]).between("China", "Iran")
        frozenset()
        """
        named = (r.stances for r in self.rows if holder in _names(r.holder) and target in _names(r.target))
        return frozenset[Stance]().union(*named)

    def to_records(self) -> list[dict[str, Any]]:
        """Give one JSON-ready dictionary per pair of actors; offsets count characters of the document's text."""
        return [_record(row) for row in self.rows]

    def to_frame(self) -> pd.DataFrame:
        """Give a pandas frame with one row per pair of actors and the columns ``OVERVIEW_COLUMNS``; needs pandas.

        ``n_support`` counts sentences, ``p_support`` is their mean probability, ``sentences`` their numbers from 0,
        joined by ``|``.
        """
        import pandas as pd  # noqa: PLC0415  # a second of import that most roads do not need

        return pd.DataFrame.from_records([flat_row(r) for r in self.to_records()], columns=OVERVIEW_COLUMNS)

    def __iter__(self) -> Iterator[ActorStance]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def flat_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten one record of ``Overview.to_records`` to ``OVERVIEW_COLUMNS``."""
    ends = {f"{end}{suffix}": record[end][key] for end in ("holder", "target") for suffix, key in _SUFFIXES}
    return {
        **ends,
        "stances": "|".join(record["stances"]),
        **{f"n_{s}": record["counts"][s] for s in Stance},
        **{f"p_{s}": record["probabilities"][s] for s in Stance},
        "n_sentences": len(record["sentences"]),
        "sentences": "|".join(str(s["index"]) for s in record["sentences"]),
    }


_SUFFIXES = (("", "name"), ("_id", "id"))


def _key(party: Party) -> str:
    """Give one key to all mentions of an actor, and to words that name nobody whatever their case."""
    return str(party) if isinstance(party, OpenHolder) else party.id or party.name.casefold()


def _names(party: Party) -> tuple[str, ...]:
    return (str(party),) if isinstance(party, OpenHolder) else (party.name, party.id or party.name)


def _joined(evidence: Sequence[Evidence]) -> ActorStance:
    by_sentence: dict[int, list[Evidence]] = {}
    for e in evidence:
        by_sentence.setdefault(e.index, []).append(e)
    indices = sorted(by_sentence)
    said = [frozenset[Stance]().union(*(e.stances for e in by_sentence[i])) for i in indices]
    clearest = [{s: max(e.probabilities[s] for e in by_sentence[i]) for s in Stance} for i in indices]
    return ActorStance(
        evidence[0].holder,
        evidence[0].target,
        {s: sum(s in stances for stances in said) for s in Stance},
        {s: sum(p[s] for p in clearest) / len(clearest) for s in Stance},
        tuple(by_sentence[i][0].sentence for i in indices),
        tuple(indices),
    )


def _record(row: ActorStance) -> dict[str, Any]:
    places = zip(row.indices, row.sentences, strict=True)
    return {
        "holder": {"name": str(row.holder), "id": row.holder.id if isinstance(row.holder, Target) else None},
        "target": {"name": row.target.name, "id": row.target.id},
        "stances": [str(s) for s in Stance if row.counts[s]],
        "counts": {str(s): row.counts[s] for s in Stance},
        "probabilities": {str(s): round(row.probabilities[s], 4) for s in Stance},
        "sentences": [{"index": i, "start": s.start, "end": s.end} for i, s in places],
    }
