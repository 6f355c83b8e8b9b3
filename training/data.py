"""The corpora of a run: read, checked for overlap, and turned into datasets."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datasets import Dataset

from stance.errors import ConfigError, DataError
from stance.excerpts import Excerpt, excerpt_record, holder_field
from stance.scoring import PairScorer
from training.config import TrainingSettings, corpora_override, load_settings
from training.corpora import READERS
from training.examples import JudgedSentence, judged_sentences, make_dataset, with_second
from training.renaming import copies_of, renamed_copies
from training.silver import read_silver
from training.standoff import SILVER, STANDOFF, read_standoff

log = logging.getLogger("training")

SPLIT_BY_PUBLISHER = frozenset({"dse"})
"""Readers whose training and development parts are the publisher's; a quarter of DSE's development rows are in both."""


@dataclass(frozen=True, slots=True)
class Corpora:
    """What to train and to develop on, by corpus.

    ``silver`` are sentences to train on that no person or gold file judged, only other models; ``second`` is what these
    think of sentences that are annotated in full as well, by text.
    """

    train: dict[str, list[Excerpt]]
    development: dict[str, list[Excerpt]]
    silver: dict[str, list[JudgedSentence]] = field(default_factory=dict)
    second: dict[str, JudgedSentence] = field(default_factory=dict)

    @property
    def fingerprints(self) -> dict[str, dict[str, Any]]:
        """Count the training rows of every corpus and digest them, labels and all; their order does not matter."""
        parts = {name: map(_excerpt_line, part) for name, part in self.train.items()}
        parts |= {name: map(_silver_line, part) for name, part in self.silver.items()}
        return {name: _fingerprint(lines) for name, lines in parts.items()}

    @property
    def digest(self) -> str:
        """Digest everything that decides a run's weights: what is learned and what is developed on."""
        developed = {name: _fingerprint(map(_excerpt_line, part)) for name, part in self.development.items()}
        second = _fingerprint(map(_silver_line, self.second.values()))
        return hashlib.sha256(json.dumps([self.fingerprints, developed, second]).encode()).hexdigest()

    def learning_from(self, wanted: Callable[[str], bool]) -> Corpora:
        """Give these corpora with only the sentences to train on whose text is wanted; development stays whole."""
        train = {name: [e for e in part if wanted(e.text)] for name, part in self.train.items()}
        silver = {name: [s for s in part if wanted(s.text)] for name, part in self.silver.items()}
        return replace(self, train=train, silver=silver)

    def datasets(self, scorer: PairScorer, max_pairs: int, *, renamed_seed: int | None = None) -> dict[str, Dataset]:
        """Tokenise and pack the training part; with a seed, also renamed copies of it, as datasets of their own."""
        parts = dict(self.train)
        if renamed_seed is not None:
            copies = {copies_of(name): renamed_copies(part, renamed_seed) for name, part in self.train.items()}
            parts |= {name: part for name, part in copies.items() if part}
        judged = {name: with_second(judged_sentences(part), self.second) for name, part in parts.items()} | self.silver
        return {name: make_dataset(part, scorer, max_pairs) for name, part in judged.items()}


def load_corpora(settings: TrainingSettings) -> Corpora:
    """Read every corpus that the settings name; one that no stage weighs is developed on alone.

    A sentence of any development split is taken out of every training part, so that nothing is learned from what it is
    scored on: a run on one benchmark names the others too, whose development sentences it may hold. Only a corpus that
    its publisher split keeps that split, so that figures compare with published ones; the development sentences that it
    does not also train on are scored a second time, as ``NAME_unseen``. Where a sentence is annotated in full, its
    silver labels are a second opinion on its pairs, and no example of their own.

    Raises:
        ConfigError: a folder is missing, a split is empty or a row breaks its format.
    """
    used = {name for name in settings.corpora if any(s.weights.get(name) for s in settings.stages)}
    silver_names = [name for name, corpus in settings.corpora.items() if corpus.reader == SILVER and name in used]
    splits = {name: _read(settings, name) for name, corpus in settings.corpora.items() if corpus.reader != SILVER}
    development = {name: parts["dev"] for name, parts in splits.items() if parts.get("dev")}
    scored = {name: {sentence_key(e.text) for e in excerpts} for name, excerpts in development.items()}
    train: dict[str, list[Excerpt]] = {}
    for name, parts in splits.items():
        if "dev" in parts and not parts["dev"]:
            raise ConfigError(f"expected sentences to develop on in corpus {name!r}; got none; check its folder")
        if name not in used:
            log.info("%s: not trained on, %d development rows", name, len(parts.get("dev", [])))
            continue
        published = settings.corpora[name].reader in SPLIT_BY_PUBLISHER
        elsewhere = set().union(*(keys for other, keys in scored.items() if not (published and other == name)))
        kept = [e for e in parts["train"] if sentence_key(e.text) not in elsewhere]
        _check_kept(name, kept)
        train[name] = kept
        counts = (len(kept), len(parts["train"]), len(parts.get("dev", [])))
        log.info("%s: %d of %d training rows kept, %d development rows", name, *counts)
    if not development:
        raise ConfigError("expected a corpus with a development split; got none; add one")
    held_out = set().union(*scored.values())
    labelled = {name: _read_silver(settings, name, held_out) for name in silver_names}
    annotated = {e.text for excerpts in train.values() for e in excerpts if e.complete}
    silver = {name: [s for s in part if s.text not in annotated] for name, part in labelled.items()}
    second = {s.text: s for part in labelled.values() for s in part if s.text in annotated}
    for name, part in silver.items():
        _check_kept(name, part)
    shown = {name: {sentence_key(e.text) for e in excerpts} for name, excerpts in train.items()}
    for name in [name for name in train if name in development and not shown[name].isdisjoint(scored[name])]:
        development[f"{name}_unseen"] = [e for e in development[name] if sentence_key(e.text) not in shown[name]]
    return Corpora(train, development, silver, second)


def add_development_options(parser: argparse.ArgumentParser, settings: str = "base.toml") -> None:
    """Let a command be told where the development splits are; ``read_development`` reads them."""
    parser.add_argument("--corpora", help="folder that holds the corpora (overrides corpora_folder)")
    parser.add_argument(
        "--settings", type=Path, default=Path(__file__).with_name(settings), help=f"default: training/{settings}"
    )


def read_development(options: argparse.Namespace) -> dict[str, list[Excerpt]]:
    """Read the development splits that a command's options name.

    Raises:
        ConfigError: as ``load_corpora`` and ``load_settings``.
    """
    return load_corpora(development_settings(options)).development


def development_settings(options: argparse.Namespace) -> TrainingSettings:
    """Load the settings that a command's options name.

    Raises:
        ConfigError: as ``load_settings``.
    """
    return load_settings(options.settings, corpora_override(options.corpora))


def corpus_folder(settings: TrainingSettings, name: str) -> Path:
    """Tell where a corpus lies: below ``corpora_folder``, or beside the settings file when it starts with a dot."""
    folder = settings.corpora[name].folder
    root = settings.folder if folder.startswith(".") else settings.folder / settings.corpora_folder
    return (root / folder).resolve()


def _read(settings: TrainingSettings, name: str) -> dict[str, list[Excerpt]]:
    corpus = settings.corpora[name]
    with _readable(settings, name) as folder:
        if corpus.reader == STANDOFF:
            return read_standoff(folder, _texts_folder(settings, name))
        return READERS[corpus.reader](folder)


def _read_silver(settings: TrainingSettings, name: str, left_out: set[str]) -> list[JudgedSentence]:
    with _readable(settings, name) as folder:
        sentences = read_silver(folder, _texts_folder(settings, name))
    return [s for s in sentences if sentence_key(s.text) not in left_out]


def _check_kept(name: str, kept: Sequence[object]) -> None:
    if not kept:
        raise ConfigError(f"expected sentences to train on in corpus {name!r}; got none; check its folder")


def _texts_folder(settings: TrainingSettings, name: str) -> Path:
    return (settings.folder / settings.corpora_folder / settings.corpora[name].texts).resolve()


@contextmanager
def _readable(settings: TrainingSettings, name: str) -> Iterator[Path]:
    """Give the folder of a corpus, and say which corpus it is that cannot be read there."""
    folder = corpus_folder(settings, name)
    if not folder.is_dir():
        raise ConfigError(f"expected the corpus {name!r} in {str(folder)!r}; got no folder; get it or give --corpora")
    try:
        yield folder
    except DataError as error:
        raise ConfigError(f"expected corpus {name!r} to be readable; got {error}; mend the file") from error


def sentence_key(text: str) -> str:
    """Reduce a sentence to its letters and digits, by which it is compared: corpora space and quote differently."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _excerpt_line(excerpt: Excerpt) -> str:
    record = excerpt_record(excerpt)
    return json.dumps([record[key] for key in ("text", "mentions", "pairs", "complete")])


def _silver_line(sentence: JudgedSentence) -> str:
    places = [(holder_field(p.holder), p.target.start, p.target.end) for p in sentence.pairs]
    return json.dumps([sentence.text, places, sentence.labels])


def _fingerprint(lines: Iterable[str]) -> dict[str, Any]:
    ordered = sorted(lines)
    digest = hashlib.sha256()
    for line in ordered:
        digest.update(line.encode())
    return {"rows": len(ordered), "sha256": digest.hexdigest()}
