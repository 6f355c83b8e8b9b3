"""From pairs to probabilities: tokenise, pack, run in length buckets, put back in order. No torch in here.

Padding is paid for like text, so batches hold rows of one length or nearly so: ``max_tokens`` is small on a CPU, whose
caches like that too, and large on a GPU, which wants much work at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from stance.folder import Calibration, ModelSettings
from stance.labels import Stance
from stance.packing import PackedBatch, PackedRow, PackingSettings, bucket_rows, collate, pack_sentence, text_row
from stance.pairs import ANY, Pair
from stance.sentences import Span, encodable
from stance.tagging import TAGS, find_spans
from stance.targets import Mention

FloatArray = NDArray[np.float32]


class Forward(Protocol):
    """The network: one packed pass at a time."""

    def __call__(self, batch: PackedBatch, /) -> tuple[FloatArray, FloatArray]:
        """Give stance logits ``(n_pairs, 3)`` and relation logits ``(n_pairs, n_relations)``, in batch order."""


@runtime_checkable
class TaggingForward(Forward, Protocol):
    """A network that may also find named mentions."""

    @property
    def has_tagger(self) -> bool:
        """Whether it does."""

    def tag(self, batch: PackedBatch, /) -> FloatArray:
        """Give tag logits ``(n_rows, length, 3)``."""


CPU_TOKENS, GPU_TOKENS = 512, 32_768
"""Columns of a batch. On a CPU 512 ran a third more sentences a second than 4096 (``benchmarks/speed.py``)."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of pairs, in the order asked.

    ``probabilities`` ``(n_pairs, 3)`` are calibrated and independent, columns as ``Stance``; ``relations``
    ``(n_pairs, n_relations)`` sum to 1; ``truncated`` ``(n_pairs,)`` marks pairs judged on a window of their sentence.
    """

    probabilities: FloatArray
    relations: FloatArray
    truncated: NDArray[np.bool_]


class PairScorer:
    """Score any number of pairs with one encoder row per sentence, whatever batch they come in."""

    def __init__(
        self, tokenizer: Tokenizer, settings: ModelSettings, forward: Forward, max_tokens: int = CPU_TOKENS
    ) -> None:
        self.tokenizer = tokenizer
        self.settings = settings
        self.packing = packing_settings(tokenizer, settings)
        self.forward = forward
        self.max_tokens = max_tokens

    def score(self, pairs: Sequence[Pair], max_tokens: int | None = None) -> Scores:
        """Score pairs. Identical sentences share one encoding, identical judgements one pair of markers.

        ``max_tokens`` bounds the columns of a batch.
        """
        logits, relations, truncated = self.logits(pairs, max_tokens)
        anybody = np.fromiter((pair.holder is ANY for pair in pairs), np.bool_, len(pairs))
        directed, open_ended = (
            calibrate(logits, fitted) for fitted in (self.settings.calibration, self.settings.any_calibration)
        )
        return Scores(np.where(anybody[:, None], open_ended, directed), softmax(relations), truncated)

    def logits(
        self, pairs: Sequence[Pair], max_tokens: int | None = None
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Run the network: stance logits ``(n_pairs, 3)``, relation logits, and which pairs a window was judged on."""
        distinct, places = _distinct(pairs)
        logits = np.zeros((len(distinct), len(Stance)), dtype=np.float32)
        relations = np.zeros((len(distinct), len(self.settings.relations)), dtype=np.float32)
        truncated = np.zeros(len(distinct), dtype=np.bool_)
        rows = self.pack(distinct)
        for bucket in bucket_rows([row.size for row in rows], max_tokens or self.max_tokens):
            chosen = [rows[i] for i in bucket]
            batch = collate(chosen, self.packing)
            logits[batch.index], relations[batch.index] = self.forward(batch)
            for row in chosen:
                truncated[row.index] = row.truncated
        return logits[places], relations[places], truncated[places]

    @property
    def has_tagger(self) -> bool:
        """Whether the model finds named mentions."""
        return isinstance(self.forward, TaggingForward) and self.forward.has_tagger

    def tag(self, texts: Sequence[str], *, margin: float = 0.0, max_tokens: int | None = None) -> list[list[Span]]:
        """Find the named mentions of every sentence, as half-open characters, in order. Needs ``has_tagger``.

        A sentence longer than the encoder is read in pieces, cut between words; ``margin`` as for ``find_spans``.
        """
        assert isinstance(self.forward, TaggingForward)  # callers ask has_tagger
        distinct = list(dict.fromkeys(texts))
        encodings = self.tokenizer.encode_batch([encodable(t) for t in distinct], add_special_tokens=False)
        parts = [(i, *part) for i, e in enumerate(encodings) for part in _parts(e, self.packing.max_text)]
        ids = [np.asarray(e.ids, np.int64) for e in encodings]
        rows = [text_row(ids[i][first:last]) for i, first, last in parts]
        logits = [np.zeros((len(pieces), len(TAGS)), np.float32) for pieces in ids]
        for bucket in bucket_rows([row.size for row in rows], max_tokens or self.max_tokens):
            found = self.forward.tag(collate([rows[k] for k in bucket], self.packing))
            for k, answers in zip(bucket, found, strict=True):
                i, first, last = parts[k]
                logits[i][first:last] = answers[1 : 1 + last - first]  # behind [CLS]
        spans = {text: find_spans(e, x, margin) for text, e, x in zip(distinct, encodings, logits, strict=True)}
        return [spans[text] for text in texts]

    def pack(self, pairs: Sequence[Pair]) -> list[PackedRow]:
        """Tokenise every distinct sentence in one call and pack its pairs."""
        by_text: dict[str, list[int]] = {}
        for i, pair in enumerate(pairs):
            by_text.setdefault(pair.sentence.text, []).append(i)
        # Not encode_batch_fast: it leaves every offset at 0.
        encodings = self.tokenizer.encode_batch([encodable(t) for t in by_text], add_special_tokens=False)
        rows: list[PackedRow] = []
        for places, encoding in zip(by_text.values(), encodings, strict=True):
            chosen = [pairs[i] for i in places]
            rows += pack_sentence(encoding.ids, encoding.offsets, chosen, self.packing, places)
        return rows


def _parts(encoding: Encoding, size: int) -> list[tuple[int, int]]:
    """Cut word pieces into stretches of at most ``size``, before a word where one begins in the stretch's last half."""
    words, parts, first = encoding.word_ids, [], 0
    while first < len(words):
        last = min(first + size, len(words))
        cut = last
        while last < len(words) and cut > first + size // 2 and words[cut] == words[cut - 1]:
            cut -= 1
        last = cut if cut > first + size // 2 else last
        parts.append((first, last))
        first = last
    return parts


def _distinct(pairs: Sequence[Pair]) -> tuple[list[Pair], NDArray[np.int64]]:
    """Leave one of all pairs that the network sees alike, and tell where each pair of the input is among them."""
    places: dict[tuple[object, ...], int] = {}
    distinct: list[Pair] = []
    found = np.empty(len(pairs), dtype=np.int64)
    for i, pair in enumerate(pairs):
        holder, target = pair.holder, pair.target
        who = (holder.start, holder.end) if isinstance(holder, Mention) else holder
        place = found[i] = places.setdefault((pair.sentence.text, who, target.start, target.end), len(distinct))
        if place == len(distinct):
            distinct.append(pair)
    return distinct, found


def packing_settings(tokenizer: Tokenizer, settings: ModelSettings) -> PackingSettings:
    """Look up the token ids that packing needs."""

    def token_id(token: str) -> int:
        found: int | None = tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return found

    return PackingSettings(
        cls_id=token_id(settings.cls_token),
        sep_id=token_id(settings.sep_token),
        pad_id=token_id(settings.pad_token),
        marker_ids=tuple(token_id(t) for t in settings.marker_tokens),
        max_length=settings.max_length,
        position_offset=settings.position_offset,
    )


def calibrate(logits: FloatArray, calibration: Calibration) -> FloatArray:
    """Turn logits ``(n_pairs, 3)`` into probabilities: a logistic map per stance (Platt, 1999)."""
    scaled = logits * np.asarray(calibration.slope, np.float32) + np.asarray(calibration.intercept, np.float32)
    probabilities: FloatArray = (1.0 / (1.0 + np.exp(-scaled.clip(-30, 30)))).astype(np.float32)
    return probabilities


def softmax(logits: FloatArray) -> FloatArray:
    """Turn logits ``(n, k)`` into probabilities that sum to 1 in each row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True)) if logits.size else logits
    total: FloatArray = shifted / shifted.sum(axis=1, keepdims=True) if logits.size else logits
    return total
