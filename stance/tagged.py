"""Names that a tagger found, beside those of the table and its rules: the tagger finds, the table resolves.

A tagger reads what surrounds a name and so finds names that no list has; the table knows whom a name means. Where both
found the same place, the table says who it is. Where their places overlap the tagger's holds, for it learned from
annotators where a name begins and ends. A name of the table that the tagger passed over stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from stance.actors import ActorTable, Kind
from stance.names import Name

Span = tuple[int, int]
"""Half-open characters of a sentence."""

_PLACES = (Kind.STATE, Kind.TERRITORY, Kind.REGION)


def join_tagged(text: str, names: Sequence[Name], spans: Sequence[Span], table: ActorTable) -> list[Name]:
    """Join the names that the rules found in a sentence with the spans of a tagger, in order and without overlaps."""
    ruled = {(name.start, name.end): name for name in names}
    tagged = [ruled.get(span) or _resolved(text, span, table) for span in spans if _is_name(text, span)]
    known = [n for n in names if n.id is not None and all(n.end <= t.start or t.end <= n.start for t in tagged)]
    return sorted([*tagged, *known])


def _is_name(text: str, span: Span) -> bool:
    return any(c.isalnum() for c in text[span[0] : span[1]])


def _resolved(text: str, span: Span, table: ActorTable) -> Name:
    """Give a span its actor. A place that the rules did not take for its state stays under its own name."""
    words = text[span[0] : span[1]]
    actor = table.find(words)
    known = actor is not None and actor.kind not in _PLACES
    return Name(*span, actor.name, actor.id) if actor is not None and known else Name(*span, words, None)
