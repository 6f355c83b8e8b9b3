"""Names that a tagger found, beside those of the table and its rules: the tagger finds, the table resolves.

The table and the rules know where the names they know begin, end and whom they mean; where they found something, it
holds, unless it is a part of a longer name that no table has ("2008 United States presidential election"). The tagger
reads what surrounds a name and so finds those that no list has and no rule expects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stance.actors import ActorTable, Kind
from stance.names import Name
from stance.sentences import Span
from stance.spelling import one_line

_LOOSE_END = re.compile(r"(?:\s+(?:of|the|for|and|on|in|to|a|an)\b|[\s,;:(-])+$")
_PLACES = (Kind.STATE, Kind.TERRITORY, Kind.REGION)


def join_tagged(text: str, names: Sequence[Name], spans: Sequence[Span], table: ActorTable) -> list[Name]:
    """Join the names that the rules found in a sentence with those of the tagger, in order and without overlaps."""
    joined = list(names)
    for span in filter(None, (_trimmed(text, tagged) for tagged in spans)):
        start, end = span
        touched = [name for name in joined if name.start < end and start < name.end]
        longer = all(start <= name.start and name.end <= end for name in touched)
        if not touched or (longer and table.find(text[start:end]) is None):
            joined = [*(name for name in joined if name not in touched), _resolved(text, span, table)]
    return sorted(joined, key=lambda n: n.start)


def _trimmed(text: str, span: Span) -> Span | None:
    """Leave out small words and signs at a span's end ("Council of the"); None where no name is left."""
    words = _LOOSE_END.sub("", text[span[0] : span[1]])
    is_name = any(c.isalnum() for c in words) and not (words.isascii() and words == words.lower())
    return (span[0], span[0] + len(words)) if is_name else None


def _resolved(text: str, span: Span, table: ActorTable) -> Name:
    """Give a span its actor. A place that the rules did not take for its state stays under its own name."""
    words = one_line(text[span[0] : span[1]])
    actor = table.find(words)
    if actor is None or actor.kind in _PLACES:
        return Name(*span, words, None)
    return Name(*span, actor.name, actor.id)
