"""re3d: documents with stand-off entities and relations, cut into sentences."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair, read_json_lines
from stance.formats.rows import field as row_field
from stance.formats.rows import make_excerpt, mention_at
from stance.formats.spans import bare_name, mention
from stance.labels import Label, Polarity, Stance
from stance.sentences import Sentence, split_sentences
from stance.targets import Mention

_LABELS: Mapping[str, Label] = MappingProxyType(
    {
        "FightingAgainst": frozenset({Stance.OPPOSE}),
        "Dislikes": frozenset({Stance.OPPOSE}),
        "Likes": frozenset({Stance.SUPPORT}),
        "AlliesOf": Polarity.POSITIVE,
        "CommWith": frozenset({Stance.COOPERATE}),
    }
)
"""Relations that carry a stance. The others tell place, membership, command, attribute or another name."""

_MUTUAL = frozenset({"AlliesOf", "CommWith"})
# CommWith also covers telling, urging and appointing somebody; these triggers are joint acts.
_JOINT_ACT = re.compile(
    r"\b(?:meet|met|talks?|discuss|consult|work(?:s|ed|ing)? with|worked|agree|sign|host|join|spoken|in touch|"
    r"call with|assisting)"
)
_ACTORS = frozenset({"Person", "Organisation", "Nationality", "Location"})
_NAMED = _ACTORS - {"Location"} | {"DocumentReference"}
# The countries that the documents name; a Location of another kind is no actor.
_COUNTRIES = re.compile(
    r"Australia|Bahrain|Belgium|Canada|Denmark|Egypt|France|Germany|Iran|Iraq|Italy|Jordan|Kuwait|Lebanon|Libya|"
    r"Netherlands|Oman|Qatar|Russia|Saudi Arabia|Sweden|Syria|Syrian Arab Republic|Turkey|UK|Ukraine|"
    r"United Arab Emirates|United Kingdom|United States|U\.S\.|US|Uzbekistan"
)
_PRONOUN = re.compile(r"I|We|You|He|She|It|They|Our|His|Her|Their|Its|My|This|These|Those|Others|Who|Us|Them")
# Words inside a name that keep their lower case.
_INNER_WORD = re.compile(r"of|the|and|for|in|on|to|de|al|el|s|bin|ibn|van|von|der|du|la")


@dataclass(slots=True)
class _Annotations:
    """Entities and relations of one document, relations with the line that they stand on."""

    entities: dict[tuple[int, int], str] = field(default_factory=dict)
    relations: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)


def read_re3d_files(folder: Path) -> list[Excerpt]:
    """Read re3d as published, one subfolder per publisher of the text, or one such subfolder.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    parts = sorted(path.parent for path in [*folder.glob("documents.json"), *folder.glob("*/documents.json")])
    if not parts:
        raise DataError("expected subfolders with documents.json; got none; unpack re3d there", folder)
    return [excerpt for part in parts for excerpt in read_re3d_folder(part)]


def read_re3d_folder(folder: Path) -> list[Excerpt]:
    """Read one folder of ``documents.json``, ``entities.json`` and ``relations.json``, each of JSON lines.

    Every sentence becomes an excerpt, also one without a pair: its names are known. A relation counts when both ends
    are actors in one sentence and the target holds a name: AlliesOf ("fighting alongside") and CommWith, as far as it
    is a joint act, both ways, the others as listed. Articles and possessives are left out of names; of two overlapping
    names the longer stays, and the target of a pair always.

    Raises:
        DataError: a file is missing, a row breaks the format, or an annotation does not fit its document.
    """
    texts = _read_texts(folder / "documents.json")
    annotations = _read_annotations(folder, {key: text for key, (_, text) in texts.items()})
    excerpts = []
    for key, (line, text) in texts.items():
        for number, sentence in enumerate(split_sentences(text)):
            if not any(c.isalnum() for c in sentence.text):
                continue
            excerpt = _make_excerpt(folder, line, key, sentence, annotations[key])
            name = folder.name.replace(" ", "_")
            excerpts.append(replace(excerpt, id=f"re3d-{name}-{line:06d}-{number:03d}"))
    return excerpts


def _read_texts(path: Path) -> dict[str, tuple[int, str]]:
    return {
        row_field(row, "_id", str, path, line): (line, row_field(row, "text", str, path, line))
        for line, row in read_json_lines(path)
    }


def _read_annotations(folder: Path, texts: Mapping[str, str]) -> dict[str, _Annotations]:
    found: dict[str, _Annotations] = defaultdict(_Annotations)
    path = folder / "entities.json"
    for line, row in read_json_lines(path):
        document, begin, end = _place(row, ("begin", "end", "value"), texts, path, line)
        found[document].entities.setdefault((begin, end), row_field(row, "type", str, path, line))
    path = folder / "relations.json"
    for line, row in read_json_lines(path):
        if row_field(row, "type", str, path, line) in _LABELS:
            _place(row, ("sourceBegin", "sourceEnd", "source"), texts, path, line)
            document, *_ = _place(row, ("targetBegin", "targetEnd", "target"), texts, path, line)
            found[document].relations.append((line, row))
    return found


def _place(
    row: Mapping[str, Any], keys: tuple[str, str, str], texts: Mapping[str, str], path: Path, line: int
) -> tuple[str, int, int]:
    """Look up document, begin and end of an annotation and compare the words there with the value it states."""
    document = row_field(row, "documentId", str, path, line)
    begin, end = (row_field(row, key, int, path, line) for key in keys[:2])
    value = row_field(row, keys[2], str, path, line)
    words = texts.get(document, "")[begin:end]
    # Line breaks and quotation marks are the only characters that the publisher's values spell in another way.
    if not 0 <= begin < end or _letters(words) != _letters(value):
        raise DataError(
            f"expected {value!r} at {begin} to {end} of document {document!r}; got {words!r}; correct the offsets",
            path,
            line,
        )
    return document, begin, end


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text)


def _make_excerpt(folder: Path, line: int, document: str, sentence: Sentence, annotations: _Annotations) -> Excerpt:
    pairs: dict[tuple[Mention, Mention], GoldPair] = {}
    for number, row in annotations.relations:
        for pair in _sentence_pairs(row, sentence, annotations.entities, folder / "relations.json", number):
            if isinstance(pair.holder, Mention):
                pairs.setdefault((pair.holder, pair.target), pair)
    names = _names(sentence, annotations.entities, {pair.target for pair in pairs.values()})
    return make_excerpt(
        "re3d", folder / "documents.json", line, sentence.text, list(pairs.values()), mentions=names, document=document
    )


def _sentence_pairs(
    row: Mapping[str, Any], sentence: Sentence, entities: Mapping[tuple[int, int], str], path: Path, line: int
) -> Iterable[GoldPair]:
    spans = [(row["sourceBegin"], row["sourceEnd"]), (row["targetBegin"], row["targetEnd"])]
    if any(s < sentence.start or e > sentence.end or entities.get((s, e)) not in _ACTORS for s, e in spans):
        return []
    if row["type"] == "CommWith" and not _JOINT_ACT.search(str(row.get("value"))):
        return []
    one, other = (_in_sentence(sentence, start, end, path, line) for start, end in spans)
    if one.start < other.end and other.start < one.end:
        return []
    label = _LABELS[row["type"]]
    directions = [(one, other), (other, one)] if row["type"] in _MUTUAL else [(one, other)]
    return [GoldPair(holder, target, label) for holder, target in directions if _holds_name(target.name)]


def _in_sentence(sentence: Sentence, start: int, end: int, path: Path, line: int) -> Mention:
    span = bare_name(sentence.text, start - sentence.start, end - sentence.start)
    return mention_at(path, line, sentence.text, span)


def _names(sentence: Sentence, entities: Mapping[tuple[int, int], str], targets: Iterable[Mention]) -> list[Mention]:
    """Pick the names in a sentence: all targets of its pairs, then longer spans before shorter ones within them."""
    found = set()
    for (start, end), kind in entities.items():
        if sentence.start <= start and end <= sentence.end:
            first, last = bare_name(sentence.text, start - sentence.start, end - sentence.start)
            words = sentence.text[first:last]
            if (kind in _NAMED and _is_name(words)) or (kind == "Location" and _COUNTRIES.fullmatch(words)):
                found.add(mention(sentence.text, first, last))
    chosen = list(targets)
    for name in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if not any(name.start < other.end and other.start < name.end for other in chosen):
            chosen.append(name)
    return chosen


def _holds_name(phrase: str) -> bool:
    return any(word[:1].isupper() and not _PRONOUN.fullmatch(word) for word in re.findall(r"\w+", phrase))


def _is_name(phrase: str) -> bool:
    """Tell a name, "Security Council", from a phrase with a name in it, "Council members"."""
    words = re.findall(r"[\w’']+", phrase)
    capitals = all(_INNER_WORD.fullmatch(word) or not word[0].islower() for word in words)
    return capitals and _holds_name(phrase) and phrase[0].isupper()
