"""From pairs to probabilities: tokenise, pack, run in length buckets, put back in order. No torch in here.

Padding is paid for like text, so batches hold rows of one length or nearly so: ``max_tokens`` is small on a CPU, whose
caches like that too, and large on a GPU, which wants much work at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from stance.folder import Calibration, ModelSettings
from stance.labels import Stance
from stance.packing import (
    IntArray,
    PackedBatch,
    PackedRow,
    PackingSettings,
    bucket_rows,
    collate,
    pack_sentence,
    text_row,
)
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

    def read(self, batch: PackedBatch, /) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give what a call gives and tag logits ``(n_rows, length, 3)``, all of the same pass."""


CPU_TOKENS, GPU_TOKENS = 512, 32_768
"""Columns of a batch. On a CPU larger batches leave its caches and are slower."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of pairs, in the order asked.

    ``probabilities`` ``(n_pairs, 3)`` are calibrated and independent, columns as ``Stance``; ``relations``
    ``(n_pairs, n_relations)`` sum to 1; ``truncated`` ``(n_pairs,)`` marks pairs judged on a window of their sentence.
    """

    probabilities: FloatArray
    relations: FloatArray
    truncated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the network says of pairs: ``logits`` ``(n_pairs, 3)``, ``relations`` ``(n_pairs, n_relations)``, as logits.

    ``truncated`` ``(n_pairs,)`` is that of ``Scores``.
    """

    logits: FloatArray
    relations: FloatArray
    truncated: NDArray[np.bool_]

    @classmethod
    def empty(cls, n_pairs: int, n_relations: int) -> Answers:
        """Make room for answers."""
        logits, relations = (np.zeros((n_pairs, width), np.float32) for width in (len(Stance), n_relations))
        return cls(logits, relations, np.zeros(n_pairs, np.bool_))

    def at(self, places: IntArray) -> Answers:
        """Take the answers at some places."""
        return Answers(self.logits[places], self.relations[places], self.truncated[places])

    def put(self, places: IntArray, answers: Answers) -> None:
        """Write answers at some places."""
        self.logits[places], self.relations[places] = answers.logits, answers.relations
        self.truncated[places] = answers.truncated


@dataclass(frozen=True, slots=True)
class Reading:
    """What one pass gave: the ``spans`` of every text's names, and ``answers`` to the pairs asked along with it.

    ``places`` tells where among the answers a pair's is, by what the network sees of it.
    """

    spans: list[list[Span]]
    places: Mapping[object, int]
    answers: Answers


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

    def score(self, pairs: Sequence[Pair], max_tokens: int | None = None, known: Reading | None = None) -> Scores:
        """Score pairs. Identical sentences share one encoding, identical judgements one pair of markers.

        ``max_tokens`` bounds the columns of a batch. What a reading has the answer to is not judged again.
        """
        answers = self._ask(pairs, max_tokens, known)
        anybody = np.fromiter((pair.holder is ANY for pair in pairs), np.bool_, len(pairs))
        directed, open_ended = (
            calibrate(answers.logits, fitted) for fitted in (self.settings.calibration, self.settings.any_calibration)
        )
        probabilities = np.where(anybody[:, None], open_ended, directed)
        return Scores(probabilities, softmax(answers.relations), answers.truncated)

    def logits(
        self, pairs: Sequence[Pair], max_tokens: int | None = None
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Run the network: stance logits ``(n_pairs, 3)``, relation logits, and which pairs a window was judged on."""
        answers = self._ask(pairs, max_tokens)
        return answers.logits, answers.relations, answers.truncated

    @property
    def has_tagger(self) -> bool:
        """Whether the model finds named mentions."""
        return isinstance(self.forward, TaggingForward) and self.forward.has_tagger

    def tag(self, texts: Sequence[str], *, margin: float = 0.0, max_tokens: int | None = None) -> list[list[Span]]:
        """Find the named mentions of every sentence, as half-open characters, in order. Needs ``has_tagger``.

        A sentence longer than the encoder is read in pieces, cut between words; ``margin`` as for ``find_spans``.
        """
        return self.read(texts, margin=margin, max_tokens=max_tokens).spans

    def read(
        self, texts: Sequence[str], pairs: Sequence[Pair] = (), *, margin: float = 0.0, max_tokens: int | None = None
    ) -> Reading:
        """Find named mentions, as ``tag`` does, and in the same pass judge pairs of these sentences."""
        assert isinstance(self.forward, TaggingForward)  # callers ask has_tagger
        distinct, _, places = _distinct(pairs)
        encodings = self._encode([*texts, *(pair.sentence.text for pair in distinct)])
        jobs = [(text, 0, row) for text, row in self._rows(distinct, encodings)]
        whole = {text for text, _, row in jobs if not row.truncated}
        answers = Answers.empty(len(distinct) + 1, len(self.settings.relations))  # the last is of rows without pairs
        for text, e in encodings.items():
            parts = [] if text in whole else _parts(e, self.packing.max_text)
            jobs += [(text, i, text_row(np.asarray(e.ids[i:j], np.int64), len(distinct))) for i, j in parts]
        tags = {text: np.zeros((len(e.ids), len(TAGS)), np.float32) for text, e in encodings.items()}
        for bucket in bucket_rows([row.size for *_, row in jobs], max_tokens or self.max_tokens):
            batch = collate([jobs[i][2] for i in bucket], self.packing)
            logits, relations, found = self.forward.read(batch)
            for i, tag_logits in zip(bucket, found, strict=True):
                text, first, row = jobs[i]
                answers.truncated[row.index] = row.truncated
                if not row.truncated:
                    tags[text][first : first + len(row.tokens)] = tag_logits[1 : 1 + len(row.tokens)]  # behind [CLS]
            answers.logits[batch.index], answers.relations[batch.index] = logits, relations
        spans = {text: find_spans(e, tags[text], margin) for text, e in encodings.items()}
        return Reading([spans[text] for text in texts], places, answers)

    def pack(self, pairs: Sequence[Pair]) -> list[PackedRow]:
        """Tokenise every distinct sentence in one call and pack its pairs."""
        return [row for _, row in self._rows(pairs, self._encode([pair.sentence.text for pair in pairs]))]

    def _ask(self, pairs: Sequence[Pair], max_tokens: int | None, known: Reading | None = None) -> Answers:
        distinct, where, places = _distinct(pairs)
        if known is None:
            return self._judge(distinct, max_tokens).at(where)
        answers = Answers.empty(len(distinct), len(self.settings.relations))
        found = np.fromiter((known.places.get(key, -1) for key in places), np.int64, len(places))
        old, new = np.flatnonzero(found >= 0), np.flatnonzero(found < 0)
        answers.put(old, known.answers.at(found[old]))
        answers.put(new, self._judge([distinct[i] for i in new], max_tokens))
        return answers.at(where)

    def _judge(self, pairs: Sequence[Pair], max_tokens: int | None) -> Answers:
        answers = Answers.empty(len(pairs), len(self.settings.relations))
        rows = self.pack(pairs)
        for bucket in bucket_rows([row.size for row in rows], max_tokens or self.max_tokens):
            chosen = [rows[i] for i in bucket]
            batch = collate(chosen, self.packing)
            answers.logits[batch.index], answers.relations[batch.index] = self.forward(batch)
            for row in chosen:
                answers.truncated[row.index] = row.truncated
        return answers

    def _encode(self, texts: Iterable[str]) -> dict[str, Encoding]:
        distinct = list(dict.fromkeys(texts))
        # Not encode_batch_fast: it leaves every offset at 0.
        found = self.tokenizer.encode_batch([encodable(t) for t in distinct], add_special_tokens=False)
        return dict(zip(distinct, found, strict=True))

    def _rows(self, pairs: Sequence[Pair], encodings: Mapping[str, Encoding]) -> list[tuple[str, PackedRow]]:
        """Pack pairs, sentence by sentence; with each row comes its sentence."""
        by_text: dict[str, list[int]] = {}
        for i, pair in enumerate(pairs):
            by_text.setdefault(pair.sentence.text, []).append(i)
        rows: list[tuple[str, PackedRow]] = []
        for text, index in by_text.items():
            e, chosen = encodings[text], [pairs[i] for i in index]
            rows += [(text, row) for row in pack_sentence(e.ids, e.offsets, chosen, self.packing, index)]
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


def _distinct(pairs: Sequence[Pair]) -> tuple[list[Pair], IntArray, dict[object, int]]:
    """Leave one of all pairs that the network sees alike.

    Also tells where each pair of the input is among them, and where what the network sees of a pair is.
    """
    places: dict[object, int] = {}
    distinct: list[Pair] = []
    found = np.empty(len(pairs), dtype=np.int64)
    for i, pair in enumerate(pairs):
        holder, target = pair.holder, pair.target
        who = (holder.start, holder.end) if isinstance(holder, Mention) else holder
        place = found[i] = places.setdefault((pair.sentence.text, who, target.start, target.end), len(distinct))
        if place == len(distinct):
            distinct.append(pair)
    return distinct, found, places


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
