"""The corpora of training: whole folders, split into what is learned from and what is held out.

The publishers' single files are read by ``stance.formats``. A reader here takes the folder of one corpus and returns
its ``train`` and ``dev`` excerpts; each row becomes one excerpt, and rows of the same sentence are not joined. Where a
publisher has no development part, one in ten groups of sentences is held out by ``split_excerpts``. What each corpus is
and which files are expected: ``README.md`` beside it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from stance.errors import DataError
from stance.excerpts import Excerpt, GoldPair, load_excerpts
from stance.formats.dse import read_dse_file
from stance.formats.newsmtsc import newsmtsc_story, read_newsmtsc_file
from stance.formats.plv import read_plv_file
from stance.formats.re3d import read_re3d_files
from stance.formats.rows import field, make_excerpt, read_lines, read_table
from stance.formats.spans import find_name
from stance.formats.unscon import read_unscon_file
from stance.labels import PLOVER_ROOTS
from stance.sentences import split_sentences
from stance.targets import Mention
from training.mentions import read_crossner, read_uner

Splits = dict[str, list[Excerpt]]
"""Excerpts of one corpus by part: ``train`` and ``dev``; a corpus too small for a ``dev`` part has none."""

PLV_FILE = "PLV_train.tsv"

SPLIT_SALT = "stance-2024"
"""Part of every split's hash; another value deals all held-out sentences anew."""
DEV_SHARE = 0.1
"""Share of sentence groups that ``split_excerpts`` holds out."""

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
    return split_excerpts(read_plv_file(folder / PLV_FILE))


def read_dse(folder: Path) -> Splits:
    """Read DSE: news sentences with two bracketed entities and the direction and polarity between them.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    return {"train": read_dse_file(folder / "train.txt"), "dev": read_dse_file(folder / "valid.txt")}


def read_newsmtsc(folder: Path) -> Splits:
    """Read NewsMTSC: news sentences with targets and the polarity toward each, by anybody in it or its author.

    Split by story: AllSides puts several outlets' articles under one story number, and a story falls on one side.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    return split_excerpts(read_newsmtsc_file(folder / "train.jsonl"), newsmtsc_story)


def read_re3d(folder: Path) -> Splits:
    """Read re3d: documents with entities and relations, one subfolder per publisher of the text.

    Raises:
        DataError: a file is missing or a row breaks the format.
    """
    return split_excerpts(read_re3d_files(folder))


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


def read_basil(folder: Path) -> Splits:
    """Read the sentences of BASIL's articles, one folder a year; its annotations are not read, so no pair is judged.

    Raises:
        DataError: there is no article, or a file is not that of one.
    """
    sentences = []
    articles = sorted(p for p in folder.glob("*/*.json") if not p.stem.endswith("_ann"))
    if not articles:
        raise DataError("expected articles as YEAR/*.json; got none; check the path", folder)
    for path in articles:
        try:
            paragraphs = json.loads(path.read_text(encoding="utf-8"))["body-paragraphs"]
            texts = [" ".join(text.split()) for paragraph in paragraphs for text in paragraph if text.strip()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"expected an article with 'body-paragraphs'; got {error!r}; mend the file", path) from None
        sentences += [make_excerpt("basil", path, n, text, [], document=path.name) for n, text in enumerate(texts, 1)]
    return {"train": sentences}


def read_ngec(folder: Path) -> Splits:
    """Read the sentences of NGEC's synthetic stories, the story's number as document; no pair is judged.

    Raises:
        DataError: the file is missing or a row breaks the format.
    """
    path = folder / "gpt_synthetic_events.csv"
    sentences = []
    for story, (line, row) in enumerate(read_table(path, ["text"], ",")):
        texts = [" ".join(s.text.split()) for s in split_sentences(row["text"])]
        sentences += [make_excerpt("ngec", path, line, text, [], document=str(story)) for text in texts]
    return {"train": sentences}


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
        "basil": read_basil,
        "ngec": read_ngec,
        "excerpts": read_excerpts,
        "crossner": read_crossner,
        "uner": read_uner,
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
