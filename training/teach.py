"""Silver labels for sentences that nobody annotated: ``python -m training.teach TEACHER_DIR ... --output DIR``.

Larger models, too slow to ship, judge what the shipped one finds to judge in texts without annotations; a small model
then learns the mean of their probabilities (distillation: Hinton et al., 2015). Drawn at random, the same every time:
sentences of speeches and statements (written to ``silver_political`` in the output folder), and of the news corpora
(``silver_news``), 40 to 420 characters, none of any development split, of a document of ``diplomatic``'s, or annotated.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stance.drafts import TAG_MARGIN, list_pairs_among
from stance.errors import ConfigError
from stance.folder import Calibration, locate_model
from stance.loading import load_scorer
from stance.pairs import Pair
from stance.scoring import FloatArray, PairScorer, calibrate
from stance.sentences import Sentence, split_sentences
from stance.targets import find_mentions
from training.command import one_line_errors
from training.config import load_settings
from training.corpora import READERS
from training.data import Corpora, add_development_options, load_corpora, sentence_key
from training.silver import silver_row, write_silver
from training.standoff import archive_path, digest, read_archive

LENGTHS = range(40, 421)
"""Characters of a sentence that may be drawn."""

SEED = 5

ARCHIVES: Mapping[str, tuple[int, int, int]] = {
    "un_general_debate": (14, 1, 24_000),
    "white_house_statements": (6, 2, 24_000),
}
"""Archives of documents: sentences a document, words in capitals that a sentence has at least, sentences in all."""

NEWS = ("dse", "newsmtsc", "plv", "re3d", "unscon", "basil", "ngec")
"""Corpora whose training parts are drawn from."""

_PER_STORY = 3  # sentences of one of NGEC's stories, which go on alike
_ONE_CAPITAL = 0.3  # share of sentences with a single capital that are drawn


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sentence to be labelled, and where it stands, as ``training.silver`` writes it."""

    text: str
    where: Mapping[str, Any]
    political: bool


class Pool:
    """Sentences drawn so far, none of them twice and none that is to be left out."""

    def __init__(self, left_out: Iterable[str]) -> None:
        self.seen = set(left_out)
        self.sentences: list[Drawn] = []

    def add(self, text: str, source: str, document: str | None, span: tuple[int, int] | None = None) -> bool:
        """Draw a sentence unless it was seen or is too short or long, and say whether it was drawn."""
        key = sentence_key(text)
        if key in self.seen or len(text) not in LENGTHS:
            return False
        self.seen.add(key)
        place = {} if span is None else {"span": list(span)}
        where = {"source": source, "document": document, **place, "digest": digest(text)}
        self.sentences.append(Drawn(text, where, span is not None))
        return True


def draw_pool(corpora: Corpora, texts: Path, folder: Path) -> list[Drawn]:
    """Draw sentences from the archives in ``texts`` and the news corpora in ``folder``.

    Those of ``corpora``'s development splits are left out, those annotated in full too, and all documents of its
    ``diplomatic`` development split.
    """
    developed = [e for split in corpora.development.values() for e in split]
    annotated = [e for split in corpora.train.values() for e in split if e.complete]
    pool = Pool(sentence_key(e.text) for e in [*developed, *annotated])
    documents = {e.origin.document for e in corpora.development.get("diplomatic", [])}
    chance = random.Random(SEED)  # a drawing, no secret
    for source in ARCHIVES:
        _draw_archive(pool, source, texts, documents, chance)
    for source in NEWS:
        known = corpora.train.get(source)
        stories: dict[str | None, int] = {}
        for e in READERS[source](folder / source)["train"] if known is None else known:
            document = e.origin.document
            if source != "ngec" or stories.get(document, 0) < _PER_STORY:
                stories[document] = stories.get(document, 0) + pool.add(e.text, source, document)
    return pool.sentences


def _draw_archive(pool: Pool, source: str, texts: Path, left_out: set[str | None], chance: random.Random) -> None:
    per_document, least_capitals, most = ARCHIVES[source]
    documents = list(read_archive(archive_path(source, texts)))
    chance.shuffle(documents)
    drawn = 0
    for document in documents:
        if document["id"] in left_out:
            continue
        sentences = split_sentences(document["text"])
        chance.shuffle(sentences)
        taken = 0
        for s in sentences:
            text = " ".join(s.text.split())
            capitals = sum(word[0].isupper() for word in text.split()[1:])
            if capitals < least_capitals or chance.random() > (_ONE_CAPITAL if capitals == 1 else 1):
                continue
            taken += pool.add(text, source, document["id"], (s.start, s.end))
            if taken >= per_document:
                break
        drawn += taken
        if drawn >= most:
            return


def pairs_to_judge(texts: Sequence[str], finder: PairScorer) -> list[list[Pair]]:
    """List what the library judges in each sentence by itself: every named target, and every holder toward it."""
    tagged = finder.tag(texts, margin=TAG_MARGIN) if finder.has_tagger else [None] * len(texts)
    return [_pairs(Sentence.of(text), spans) for text, spans in zip(texts, tagged, strict=True)]


def _pairs(sentence: Sentence, tagged: Sequence[tuple[int, int]] | None) -> list[Pair]:
    (targets,) = find_mentions([sentence], tagged=None if tagged is None else [tagged])
    return list_pairs_among(sentence, targets)


def mean_probabilities(teachers: Sequence[PairScorer], pairs: Sequence[Pair]) -> FloatArray:
    """Average what the teachers' logits say before any calibration, ``(n_pairs, 3)``."""
    answers = [calibrate(teacher.logits(pairs)[0], Calibration()) for teacher in teachers]
    mean: FloatArray = np.mean(answers, axis=0)
    return mean


def label_pool(pool: Sequence[Drawn], finder: PairScorer, teachers: Sequence[PairScorer]) -> Iterator[dict[str, Any]]:
    """Make the silver row of every sentence in which there is something to judge."""
    listed = pairs_to_judge([drawn.text for drawn in pool], finder)
    probabilities = mean_probabilities(teachers, [pair for pairs in listed for pair in pairs])
    start = 0
    for drawn, pairs in zip(pool, listed, strict=True):
        if pairs:
            yield silver_row(drawn.where, pairs, probabilities[start : start + len(pairs)])
        start += len(pairs)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.teach", description=__doc__.splitlines()[0])
    parser.add_argument("teachers", metavar="TEACHER_DIR", nargs="+", type=Path, help="finished model folders")
    parser.add_argument("--texts", type=Path, required=True, help="folder of the archives of documents")
    parser.add_argument("--output", type=Path, required=True, help="folder to write both folders of labels to")
    add_development_options(parser, "teacher.toml")
    options = parser.parse_args(arguments)
    if options.corpora is None:
        raise ConfigError("expected --corpora, the folder of the corpora to draw from; got none; give it")
    folder = Path(options.corpora).resolve()
    corpora = load_corpora(load_settings(options.settings, {"corpora_folder": str(folder)}))
    pool = draw_pool(corpora, options.texts, folder)
    finder, teachers = load_scorer(locate_model(None)), [load_scorer(t, backend="torch") for t in options.teachers]
    for name, political in (("silver_political", True), ("silver_news", False)):
        chosen = [drawn for drawn in pool if drawn.political is political]
        write_silver(label_pool(chosen, finder, teachers), options.output / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
