"""Silver labels: what larger models think of every pair of a sentence, kept without the sentence.

``train.jsonl.gz`` holds one object per sentence. ``source``, ``document``, ``span`` and ``digest`` say where its text
comes from, as in ``standoff.py``. ``spans`` are half-open characters of the sentence; each of ``pairs`` is a holder and
a target, as places in ``spans`` (-1 for the author, -2 for anybody); ``probabilities`` has two hexadecimal digits per
pair and stance, in ``Stance`` order: 255 times the mean probability of the teachers.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stance.errors import DataError
from stance.labels import Stance
from stance.pairs import ANY, AUTHOR, Holder, Pair
from stance.scoring import FloatArray
from stance.sentences import Sentence
from stance.targets import Mention, Target
from training.examples import JudgedSentence
from training.standoff import Sources

FILE = "train.jsonl.gz"
_OPEN: Mapping[int, Holder] = {-1: AUTHOR, -2: ANY}
_LEVELS = 255


def read_silver(folder: Path, texts: Path) -> list[JudgedSentence]:
    """Read ``train.jsonl.gz`` in ``folder`` and put back its sentences from the sources in ``texts``.

    Raises:
        DataError: a source or sentence is missing, is another than was labelled, or a row breaks the format.
    """
    path = folder / FILE
    rows = list(_rows(path))
    sources = Sources(texts, rows)
    return [_sentence(row, sources.find(row, path, number)[0], path, number) for number, row in enumerate(rows, 1)]


def write_silver(rows: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write rows made by ``silver_row``; the same rows give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    (folder / FILE).write_bytes(gzip.compress(lines.encode("utf-8", "surrogatepass"), mtime=0))


def silver_row(where: Mapping[str, Any], pairs: Sequence[Pair], probabilities: FloatArray) -> dict[str, Any]:
    """Make the row of a sentence whose text is found as ``where`` says; ``probabilities`` is ``(n_pairs, 3)``."""
    spans = sorted({(m.start, m.end) for p in pairs for m in (p.holder, p.target) if isinstance(m, Mention)})
    place: dict[object, int] = {span: i for i, span in enumerate(spans)} | {who: i for i, who in _OPEN.items()}

    def find(holder: Holder) -> int:
        return place[(holder.start, holder.end) if isinstance(holder, Mention) else holder]

    levels = np.rint(np.clip(probabilities, 0, 1) * _LEVELS).astype(np.uint8)
    numbered = [[find(p.holder), find(p.target)] for p in pairs]
    return {**where, "spans": spans, "pairs": numbered, "probabilities": levels.tobytes().hex()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="surrogatepass") as lines:
            for number, line in enumerate(lines, start=1):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise DataError(f"expected a JSON object; got {line[:40]!r}; get the file anew", path, number)
                yield row
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"expected a gzipped file of JSON lines; got {error}; get the file anew", path) from None


def _sentence(row: Mapping[str, Any], text: str, path: Path, number: int) -> JudgedSentence:
    try:
        sentence = Sentence.of(text)
        mentions = [Mention(start, end, Target(text[start:end])) for start, end in row["spans"]]
        pairs = [Pair(sentence, _OPEN.get(h) or mentions[h], mentions[t]) for h, t in row["pairs"]]
        levels = np.frombuffer(bytes.fromhex(row["probabilities"]), np.uint8).reshape(len(pairs), len(Stance))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"expected a row of silver labels; got {error!r}; get the file anew", path, number) from None
    labels = [tuple(level / _LEVELS for level in of_pair) for of_pair in levels.tolist()]
    return JudgedSentence(text, pairs, [*labels], [None] * len(pairs))
