"""From each publisher's own files to excerpts.

A reader takes the folder of one corpus and returns its ``train`` and ``dev`` excerpts; each row becomes one excerpt,
and rows of the same sentence are not joined here. Where a publisher has no development part, one in ten groups of
sentences is held out by ``split_excerpts``. What each corpus is and which files are expected: ``README.md`` beside it.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair, load_excerpts, read_json_lines
from stance.labels import PLOVER_ROOTS, Polarity
from stance.pairs import ANY, Holder
from stance.targets import Mention
from training.re3d import read_re3d_folder
from training.rows import field, make_excerpt, mention_at, read_lines, read_table
from training.spans import find_name, mend_span
from training.unscon import read_unscon_file

Splits = dict[str, list[Excerpt]]
"""Excerpts of one corpus by part: ``train`` and ``dev``; a corpus too small for a ``dev`` part has none."""

SPLIT_SALT = "stance-2024"
"""Part of every split's hash; another value deals all held-out sentences anew."""
DEV_SHARE = 0.1
"""Share of sentence groups that ``split_excerpts`` holds out."""

_PLV_MARK = re.compile(r"<(/?)([st])>", re.IGNORECASE)
_PLV_COLUMNS = ("marked_sentence", "gold_root")
_DSE_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_DSE_LABELS = MappingProxyType(
    {
        "0": (Polarity.NEUTRAL, Polarity.NEUTRAL),
        "1": (Polarity.POSITIVE, Polarity.NEUTRAL),
        "2": (Polarity.NEUTRAL, Polarity.POSITIVE),
        "3": (Polarity.NEGATIVE, Polarity.NEUTRAL),
        "4": (Polarity.NEUTRAL, Polarity.NEGATIVE),
    }
)
_NEWSMTSC_POLARITIES = MappingProxyType({2: Polarity.NEGATIVE, 4: Polarity.NEUTRAL, 6: Polarity.POSITIVE})
_NEWSMTSC_ID = re.compile(r"(allsides_\d+_(\d+)|polusa_v1_\d+)_")
# The gold records are of 2016; these codes of theirs were renamed or merged in the PLOVER that PLOVER_ROOTS follows.
_RENAMED_EVENTS = MappingProxyType(
    {"DEMAND": "REQUEST", "DISAPPROVE": "ACCUSE", "FIGHT": "ASSAULT", "CONCEDE": "YIELD"}
)
_GSR_MARK = re.compile(r"\((SRC/TAR|SRC|TAR): ?([^():]+)\)")


def read_plv(folder: Path) -> Splits:
    """Read PLV: news sentences with a marked source, a marked target and a PLOVER root.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return split_excerpts(read_plv_file(folder / "PLV_train.tsv"))


def read_plv_file(path: Path) -> list[Excerpt]:
    """Read one PLV file. Of a mark set several times in a sentence, the first place counts.

    A row whose source is unmarked (published as "An actor") gets the holder ``ANY``; one whose target is unmarked
    ("a recipient") gets no pair.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_plv_excerpt(row, path, line) for line, row in read_table(path, _PLV_COLUMNS, "\t")]


def _plv_excerpt(row: Mapping[str, str], path: Path, line: int) -> Excerpt:
    root = row["gold_root"]
    if root not in PLOVER_ROOTS:
        raise DataError(f"expected gold_root out of {list(PLOVER_ROOTS)}; got {root!r}; correct it", path, line)
    text, spans = _without_marks(row["marked_sentence"], path, line)
    pairs: list[GoldPair] = []
    if "t" in spans and spans["t"] != spans.get("s"):
        holder: Holder = spans.get("s", ANY)
        pairs = [GoldPair(holder, spans["t"], frozenset({PLOVER_ROOTS[root]}), root)]
    return make_excerpt("plv", path, line, text, pairs)


def _without_marks(marked: str, path: Path, line: int) -> tuple[str, dict[str, Mention]]:
    text, position = "", 0
    opened: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    for mark in _PLV_MARK.finditer(marked):
        text += marked[position : mark.start()]
        position, name = mark.end(), mark[2].lower()
        if bool(mark[1]) != (name in opened):
            raise DataError(f"expected <{name}> and </{name}> in turn; got {marked!r}; mend the marks", path, line)
        if mark[1]:
            spans.setdefault(name, (opened.pop(name), len(text)))
        else:
            opened[name] = len(text)
    text += marked[position:]
    if opened or not spans:
        raise DataError(f"expected a closed <s> or <t> mark; got {marked!r}; mend the marks", path, line)
    return text, {name: mention_at(path, line, text, span) for name, span in spans.items()}


def read_dse(folder: Path) -> Splits:
    """Read DSE: news sentences with two bracketed entities and the direction and polarity between them.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    return {"train": read_dse_file(folder / "train.txt"), "dev": read_dse_file(folder / "valid.txt")}


def read_dse_file(path: Path) -> list[Excerpt]:
    """Read one DSE file: sentence, p, q, class, divided by tabs. Each row gives p->q and q->p.

    The first bracket is p and the second q, also where both have the same words. The publisher took every ``s`` off
    the ends of an entity, so that brackets cut words; they are moved to whole words. An entity that is no word at all
    (a bracketed comma) leaves its row without pairs.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_dse_excerpt(row, path, line) for line, row in read_lines(path) if row.strip()]


def _dse_excerpt(row: str, path: Path, line: int) -> Excerpt:
    # A field with a quotation mark in it is quoted as in CSV; no field goes over a line end.
    fields = next(csv.reader([row], delimiter="\t"))
    if len(fields) != 4 or fields[3] not in _DSE_LABELS:
        raise DataError(
            f"expected sentence, p, q and a class out of {', '.join(_DSE_LABELS)}, divided by tabs; got {row!r}; "
            "correct the row",
            path,
            line,
        )
    marked, p, q, kind = fields
    # A bracket of the text's own is neither p nor q; the columns drop white space that a bracket may hold.
    brackets = [m for m in _DSE_BRACKETS.finditer(marked) if m[1].strip() in (p.strip(), q.strip())]
    if [m[1].strip() for m in brackets] != [p.strip(), q.strip()]:
        raise DataError(f"expected [{p}] and then [{q}] in the sentence; got {marked!r}; mend the brackets", path, line)
    first, second = brackets
    edges = [first.start(), first.end() - 1, second.start(), second.end() - 1]
    text = "".join(c for i, c in enumerate(marked) if i not in edges)
    spans = [mend_span(text, edges[i] - i, edges[i + 1] - i - 1) for i in (0, 2)]
    if spans[0] is None or spans[1] is None or spans[0] == spans[1]:
        return make_excerpt("dse", path, line, text, [])
    one, other = (mention_at(path, line, text, span) for span in spans if span)
    forth, back = _DSE_LABELS[kind]
    return make_excerpt("dse", path, line, text, [GoldPair(one, other, forth), GoldPair(other, one, back)])


def read_newsmtsc(folder: Path) -> Splits:
    """Read NewsMTSC: news sentences with targets and the polarity toward each, by anybody in it or its author.

    Split by story: AllSides puts several outlets' articles under one story number, and a story falls on one side.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return split_excerpts(read_newsmtsc_file(folder / "train.jsonl"), _newsmtsc_story)


def read_newsmtsc_file(path: Path) -> list[Excerpt]:
    """Read one NewsMTSC file. ``further_mentions`` (pronouns, mostly) are left out.

    The article is the head of ``primary_gid``: ``allsides_<article>_<story>_<sentence>_...`` and
    ``polusa_v1_<article>_-1_<sentence>_...``. A span listed twice counts
    once, and not at all when its polarities differ.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return [_newsmtsc_excerpt(row, path, line) for line, row in read_json_lines(path)]


def _newsmtsc_excerpt(row: Mapping[str, Any], path: Path, line: int) -> Excerpt:
    text = field(row, "sentence_normalized", str, path, line)
    gid = field(row, "primary_gid", str, path, line)
    labels: dict[Mention, set[Polarity]] = {}
    for target in field(row, "targets", list, path, line):
        span = tuple(field(target, key, int, path, line) for key in ("from", "to"))
        if text[slice(*span)] != field(target, "mention", str, path, line):
            raise DataError(
                f"expected {target['mention']!r} at {span}; got {text[slice(*span)]!r}; correct the offsets", path, line
            )
        polarity = target.get("polarity")
        if not isinstance(polarity, int | float) or polarity not in _NEWSMTSC_POLARITIES:
            raise DataError(f"expected polarity 2, 4 or 6; got {polarity!r}; correct it", path, line)
        labels.setdefault(mention_at(path, line, text, span), set()).add(_NEWSMTSC_POLARITIES[int(polarity)])
    pairs = [GoldPair(ANY, m, label) for m, (label, *others) in labels.items() if not others]
    article = _NEWSMTSC_ID.match(gid)
    return make_excerpt("newsmtsc", path, line, text, pairs, document=article[1] if article else gid)


def _newsmtsc_story(excerpt: Excerpt) -> str | None:
    article = _NEWSMTSC_ID.match(f"{excerpt.origin.document}_")
    return f"allsides-story-{article[2]}" if article and article[2] else None


def read_re3d(folder: Path) -> Splits:
    """Read re3d: documents with entities and relations, one subfolder per publisher of the text.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    parts = sorted(path.parent for path in folder.glob("*/documents.json"))
    if not parts:
        raise DataError("expected subfolders with documents.json; got none; unpack re3d there", folder)
    return split_excerpts([excerpt for part in parts for excerpt in read_re3d_folder(part)])


def read_unscon(folder: Path) -> Splits:
    """Read UNSCon: sentences of Security Council speeches with the country that the speaker turns against.

    Sentences and not elementary discourse units: a unit is often a bare clause without a name, and the two files agree
    on the target in all but three sentences. Split by speech.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return split_excerpts(read_unscon_file(folder / "conflict_annotations_sentences.csv"))


def read_plover_gsr(folder: Path) -> Splits:
    """Read the gold records of the PLOVER manual; too few for a ``dev`` part.

    Raises:
        DataError: the file is missing or a record breaks the format.
    """
    return {"train": read_plover_gsr_file(folder / "PLOVER_GSR_CAMEO.json")}


def read_plover_gsr_file(path: Path) -> list[Excerpt]:
    """Read one file of gold records; those without a sentence or with an event outside ``PLOVER_ROOTS`` are left out.

    Raises:
        DataError: the file is missing or a record breaks the format.
    """
    content = "\n".join(row for _, row in read_lines(path))
    try:
        records = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(f"expected a JSON list; got {error.msg}; mend the file", path, error.lineno) from None
    if not isinstance(records, list) or not all(isinstance(r, dict) and isinstance(r.get("id"), str) for r in records):
        raise DataError("expected a list of records that have an 'id'; got something else; mend the file", path, 1)
    excerpts = []
    for record in records:
        line = content.count("\n", 0, content.find(json.dumps(record["id"]))) + 1
        event = field(record, "event", str, path, line)
        root = _RENAMED_EVENTS.get(event, event)
        if root in PLOVER_ROOTS:
            excerpts.append(_gsr_excerpt(record, root, path, line))
    return excerpts


def _gsr_excerpt(record: Mapping[str, Any], root: str, path: Path, line: int) -> Excerpt:
    text = field(record, "text", str, path, line).strip("{} ")
    info = record.get("textInfo")
    marks = _GSR_MARK.findall(str(info.get("markup") if isinstance(info, dict) else info))
    ends = [_gsr_actors(record.get(key), mark, marks, text) for key, mark in (("source", "SRC"), ("target", "TAR"))]
    label = frozenset({PLOVER_ROOTS[root]})
    pairs = [GoldPair(s, t, label, root) for s, t in itertools.product(*ends) if s != t]
    return make_excerpt("plover_gsr", path, line, text, pairs, document=record["id"])


def _gsr_actors(actors: object, mark: str, marks: Sequence[tuple[str, str]], text: str) -> list[Mention]:
    """Find the actors that the record names; those it does not spell as the text does, by its mark-up."""
    named = [str(a.get("actorText")) for a in actors if isinstance(a, dict)] if isinstance(actors, list) else []
    found = [m for m in (find_name(text, name) for name in named) if m]
    if len(found) < len(named) or not named:
        by_mark = (find_name(text, name.strip()) for kind, name in marks if mark in kind)
        found += [m for m in by_mark if m]
    return list(dict.fromkeys(found))


def read_excerpts(folder: Path) -> Splits:
    """Read our own format: ``train.jsonl`` and, where there is one, ``dev.jsonl``.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    parts = ("train", "dev") if (folder / "dev.jsonl").exists() else ("train",)
    return {part: load_excerpts(folder / f"{part}.jsonl") for part in parts}


READERS: Mapping[str, Callable[[Path], Splits]] = MappingProxyType(
    {
        "plv": read_plv,
        "dse": read_dse,
        "newsmtsc": read_newsmtsc,
        "re3d": read_re3d,
        "unscon": read_unscon,
        "plover_gsr": read_plover_gsr,
        "excerpts": read_excerpts,
    }
)
"""Reader of a corpus folder by the name that training settings use."""


def split_excerpts(excerpts: Sequence[Excerpt], story: Callable[[Excerpt], str | None] = lambda _: None) -> Splits:
    """Hold out about ``DEV_SHARE`` of the sentences, in whole groups.

    Excerpts of one document, of one story or with the same letters and digits are one group; a group's side is read
    off SHA-256 of ``SPLIT_SALT`` and its alphabetically first key, so that it depends on no order or random state.
    """
    groups: dict[str, str] = {}

    def head(key: str) -> str:
        while groups.setdefault(key, key) != key:
            groups[key] = groups[groups[key]]
            key = groups[key]
        return key

    def keys(excerpt: Excerpt) -> list[str]:
        same = "".join(c for c in excerpt.text.casefold() if c.isalnum())
        known = (("document", excerpt.origin.document), ("story", story(excerpt)))
        return [f"text:{same}", *(f"{kind}:{value}" for kind, value in known if value is not None)]

    for excerpt in excerpts:
        for one, other in itertools.pairwise(sorted({head(key) for key in keys(excerpt)})):
            groups[head(other)] = head(one)
    parts: Splits = {"train": [], "dev": []}
    for excerpt in excerpts:
        parts["dev" if _share(head(keys(excerpt)[0])) < DEV_SHARE else "train"].append(excerpt)
    return parts


def _share(key: str) -> float:
    """Deal a key a number in [0, 1)."""
    digest = hashlib.sha256(f"{SPLIT_SALT}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
