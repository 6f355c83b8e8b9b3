"""StanceClassifier: the way from text to Document, calling the rooms in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stance.actors import ActorTable
from stance.drafts import Draft, Drafts, draft_texts
from stance.errors import StanceError
from stance.folder import locate_model
from stance.labels import Stance
from stance.pairs import ANY, Holder, Pair, check_pair
from stance.predictions import Document, Prediction
from stance.resolution import Resolved
from stance.scoring import FloatArray, PairScorer, Scores
from stance.sentences import Sentence
from stance.targets import Mention, Target, target_finder

Backend = Literal["auto", "torch", "onnx"]

POOL_CHARACTERS = 500_000
"""Text that a batch of a stream holds at most, in characters (a longer single text is a batch of its own)."""
_STANCES = tuple(Stance)  # an enumeration walks through itself in Python, which a million pairs feel


class StanceClassifier:
    """Read text and say, for every sentence, who takes which stance toward which named target.

    Args:
        scorer: the model.
        actors: who is who; the shipped table if None.

    ``tagger`` says whether the model's tagger looks for names where no targets are given.
    """

    def __init__(self, scorer: PairScorer, actors: ActorTable | None = None) -> None:
        self.scorer = scorer
        self.tagger = scorer.has_tagger
        self.actors = actors
        self.thresholds = np.asarray(scorer.settings.thresholds)

    @classmethod
    def from_pretrained(
        cls,
        path_or_hub_id: str | Path | None = None,
        *,
        backend: Backend = "auto",
        device: str | None = None,
        threads: int | None = None,
        actors: ActorTable | None = None,
    ) -> StanceClassifier:
        """Load a model folder: the shipped one, a local one, or one from the Hugging Face Hub by its id.

        Only a hub id touches the network. ``backend="auto"`` takes torch where there is a GPU, and on a CPU the
        folder's int8 graph on ONNX Runtime, if it has one. ``threads`` is how many the processor may use for one
        encoder pass: None asks ``OMP_NUM_THREADS``, the process's affinity and its container's quota. ``actors``
        replaces the shipped actor table; to add to it, pass
        ``ActorTable.load().merged_with(ActorTable.from_file(path))``.

        Raises:
            ModelError: the folder is missing, damaged or no stance model.
            StanceError: ``backend``, ``device`` or ``threads`` is none that this machine has.
        """
        from stance.loading import load_scorer  # noqa: PLC0415  # torch takes seconds to import

        scorer = load_scorer(locate_model(path_or_hub_id), backend=backend, device=device, threads=threads)
        return cls(scorer, actors)

    def predict(
        self,
        text: str,
        targets: Iterable[str | Target] | None = None,
        *,
        holders: bool = False,
        resolve: bool = True,
        min_confidence: float = 0.0,
    ) -> Document:
        """Judge every sentence of a text that names a target.

        ``targets`` are names or ``Target`` objects; None finds the named targets of the text itself. One prediction
        comes per sentence and target, with the likeliest holder beside it; ``holders=True`` gives one per directed
        pair of actors instead. ``resolve`` looks up whom a holder's words mean ("He", "The two leaders", "Beijing").
        ``min_confidence`` abstains from every verdict, "none" among them, whose ``Prediction.confidence`` is below it;
        the risk-coverage table of the model card tells what that buys.

        Raises:
            TargetError: a target has no name, or two share one.
            StanceError: ``min_confidence`` is no number from 0 to 1.
        """
        return next(self.predict_many([text], targets, holders=holders, resolve=resolve, min_confidence=min_confidence))

    def predict_many(
        self,
        texts: Iterable[str],
        targets: Iterable[str | Target] | None = None,
        *,
        holders: bool = False,
        resolve: bool = True,
        min_confidence: float = 0.0,
        batch_size: int = 256,
        show_progress: bool = False,
    ) -> Iterator[Document]:
        """Judge a stream of texts, in order, holding ``batch_size`` of them at a time.

        Sentences of a batch are pooled, so short texts cost no more than the sentences they hold.
        """
        if not isinstance(batch_size, int) or batch_size < 1:
            raise StanceError(f"expected batch_size of at least 1; got {batch_size!r}; raise it")
        if not isinstance(min_confidence, int | float) or not 0 <= min_confidence <= 1:
            raise StanceError(f"expected min_confidence from 0 to 1; got {min_confidence!r}; correct it")
        wanted = None if targets is None else target_finder(targets, self.actors)

        def draft(batch: Sequence[str]) -> Drafts:
            tagger = self.scorer if self.tagger else None
            return draft_texts(batch, wanted, self.actors, tagger=tagger, resolve=resolve)

        def document(drafted: Draft, scores: Scores, start: int) -> Document:
            return self._document(drafted, scores, start, holders=holders, min_confidence=min_confidence)

        return self._stream(iter(_checked(texts)), draft, document, batch_size, show_progress)

    def predict_pairs(self, pairs: Iterable[Pair]) -> list[Prediction]:
        """Judge given pairs, in order: the low road that evaluation and training share.

        ``relation`` is filled here also where no stance is taken.

        Raises:
            StanceError: a holder is none, or a span lies outside its sentence.
        """
        pairs = list(pairs)
        for pair in pairs:
            check_pair(pair)
        scores = self.scorer.score(pairs)
        return [
            self._prediction(pair, scores, [i], (pair.target,), always_relation=True) for i, pair in enumerate(pairs)
        ]

    def _stream(
        self,
        texts: Iterator[str],
        drafts_of: Callable[[Sequence[str]], Drafts],
        document_of: Callable[[Draft, Scores, int], Document],
        batch_size: int,
        show_progress: bool,
    ) -> Iterator[Document]:
        bar = _progress_bar() if show_progress else None
        for batch in _batches(texts, batch_size):
            drafts = drafts_of(batch)
            scores = self.scorer.score([pair for draft in drafts.texts for pair in draft.pairs], known=drafts.reading)
            start = 0
            for draft in drafts.texts:
                yield document_of(draft, scores, start)
                start += len(draft.pairs)
                if bar is not None:
                    bar.update()
        if bar is not None:
            bar.close()

    def _document(self, draft: Draft, scores: Scores, start: int, *, holders: bool, min_confidence: float) -> Document:
        """Turn a draft's scores, which begin at ``start``, into predictions: one per sentence, holder and target."""
        places: dict[tuple[Sentence, Target], dict[Holder | Target, list[int]]] = {}
        for i, pair in enumerate(draft.pairs, start):
            holder = pair.holder.target if isinstance(pair.holder, Mention) else pair.holder
            places.setdefault((pair.sentence, pair.target.target), {}).setdefault(holder, []).append(i)
        predictions: list[Prediction] = []
        expressed: list[Prediction] = []

        def judge(rows: Sequence[int], mentions: tuple[Mention, ...]) -> Prediction:
            pair = draft.pairs[_decisive(scores, rows) - start]
            prediction = self._prediction(pair, scores, rows, mentions).held_to(min_confidence)
            return _resolve(prediction, draft.resolved)

        for by_holder in places.values():
            mentions = tuple(dict.fromkeys(draft.pairs[i - start].target for i in by_holder[ANY]))
            directed = [rows for holder, rows in by_holder.items() if holder is not ANY]
            shown = [judge(rows, mentions) for rows in directed if holders or self._takes_stance(scores, rows)]
            expressed += [p for p in shown if p.stances]
            if holders:
                predictions += shown
                continue
            anybody, best = judge(by_holder[ANY], mentions), None
            if anybody.stances and directed:
                best = draft.pairs[_decisive(scores, _likeliest(directed, anybody.stances, scores)) - start].holder
            predictions.append(_resolve(replace(anybody, likely_holder=best), draft.resolved))
        states = {} if draft.resolved is None else draft.resolved.states
        return Document(draft.text, draft.sentences, tuple(predictions), draft.unmatched, tuple(expressed), states)

    def _prediction(
        self,
        pair: Pair,
        scores: Scores,
        rows: Sequence[int],
        mentions: tuple[Mention, ...],
        *,
        always_relation: bool = False,
    ) -> Prediction:
        """Join the rows of one pair of actors, one per pair of mentions: the clearest mention decides each stance."""
        settings = self.scorer.settings
        thresholds = settings.any_thresholds if pair.holder is ANY else settings.thresholds
        probabilities = dict(zip(_STANCES, _clearest(scores.probabilities, rows).tolist(), strict=True))
        stances = frozenset(s for (s, p), t in zip(probabilities.items(), thresholds, strict=True) if p >= t)
        relation = relation_probability = None
        if stances or always_relation:
            relations = _clearest(scores.relations, rows)
            place = int(relations.argmax())
            relation, relation_probability = settings.relations[place], float(relations[place])
        return Prediction(
            pair=pair,
            probabilities=probabilities,
            stances=stances,
            mentions=mentions,
            relation=relation,
            relation_probability=relation_probability,
            truncated=any(scores.truncated[i] for i in rows),
        )

    def _takes_stance(self, scores: Scores, rows: Sequence[int]) -> bool:
        """Say whether the directed pair of these rows reaches a threshold, before a prediction is made of it."""
        return bool((_clearest(scores.probabilities, rows) >= self.thresholds).any())


def _clearest(scores: FloatArray, rows: Sequence[int]) -> FloatArray:
    """Take the largest score of each column; nearly every pair of actors has one row, which needs no reduction."""
    largest: FloatArray = scores[rows[0]] if len(rows) == 1 else scores[rows].max(axis=0)
    return largest


def _decisive(scores: Scores, rows: Sequence[int]) -> int:
    return rows[0] if len(rows) == 1 else rows[int(scores.probabilities[rows].max(axis=1).argmax())]


def _resolve(prediction: Prediction, resolved: Resolved | None) -> Prediction:
    """Note on a prediction whom its holder's words mean."""
    if resolved is None or not isinstance(prediction.holder, Mention):
        return prediction
    found = resolved.of(prediction.sentence, prediction.holder)
    return prediction if found is None else replace(prediction, resolved=found.actors, resolution=found.how)


def _likeliest(directed: Sequence[Sequence[int]], stances: Iterable[Stance], scores: Scores) -> Sequence[int]:
    """Choose the rows of the holder to whom the directed judgements give most of the stances."""
    taken = [i for i, stance in enumerate(Stance) if stance in set(stances)]
    return max(directed, key=lambda rows: float(_clearest(scores.probabilities, rows)[taken].sum()))


def _batches(texts: Iterable[str], batch_size: int) -> Iterator[list[str]]:
    """Pool texts; what was read before a source failed is given out first."""
    batch: list[str] = []
    characters = 0
    try:
        for text in texts:
            batch.append(text)
            characters += len(text)
            if len(batch) == batch_size or characters >= POOL_CHARACTERS:
                yield batch
                batch, characters = [], 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _checked(texts: Iterable[str]) -> Iterator[str]:
    if isinstance(texts, str):
        raise StanceError(f"expected several texts; got one string {texts[:40]!r}; call predict, or put it in a list")
    if not isinstance(texts, Iterable):
        raise StanceError(f"expected several texts; got {type(texts).__name__}; give an iterable of str")
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise StanceError(
                f"expected every text as str; got {type(text).__name__} as text {number}; decode or read it first"
            )
        yield text


def _progress_bar() -> Any:
    from tqdm.auto import tqdm  # noqa: PLC0415  # only who asks for a bar needs it

    return tqdm(unit=" texts")
