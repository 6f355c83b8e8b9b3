"""A synthetic archive for timing: the project's own invented excerpts, with as many pairs a sentence as asked for."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path

from stance.excerpts import load_excerpts
from stance.pairs import ANY, Pair
from stance.sentences import Sentence
from stance.targets import Mention, Target

SEEDS = Path(__file__).parents[1] / "seeds" / "train.jsonl"

MAX_PAIRS = 16
"""Pairs made of a sentence at most: enough words are in every one."""

_WORD = re.compile(r"\w[\w’'-]*")
_MIN_WORDS = 6
_SYLLABLES = ("ba", "de", "ki", "lo", "mu", "na", "ro", "sa", "ti", "vel", "zor", "han")

Archive = list[list[Pair]]
"""The pairs of each sentence."""


def read_texts(path: Path = SEEDS, seed: int = 0) -> list[str]:
    """Read the distinct sentences of a file of excerpts, shuffled; very short ones are left out."""
    texts = sorted({e.text for e in load_excerpts(path)})
    random.Random(seed).shuffle(texts)
    return [text for text in texts if len(_WORD.findall(text)) >= _MIN_WORDS]


def make_archive(n_sentences: int, n_pairs: int | None = None, n_words: int | None = None, seed: int = 0) -> Archive:
    """Make sentences, no two alike, with ``n_pairs`` each (None: 1 to ``MAX_PAIRS``, by chance).

    ``n_words`` cuts running text into pieces of that many words instead of taking sentences as they are.
    """
    chance = random.Random(seed)
    texts = islice(vary(read_texts(seed=seed)) if n_words is None else _pieces(n_words, seed), n_sentences)
    return [pair_words(text, chance.randint(1, MAX_PAIRS) if n_pairs is None else n_pairs) for text in texts]


def vary(texts: list[str]) -> Iterator[str]:
    """Repeat texts without end, each time under another date and with another unknown name."""
    for i, text in zip(count(), cycle(texts)):
        yield text if i < len(texts) else f"{text[:-1]}, {unknown_name(i)} said on day {i}{text[-1]}"


def unknown_name(i: int) -> str:
    """Make a name that no table lists, another one for each number.

    >>> unknown_name(0), unknown_name(1), unknown_name(144)
    ('Minister Ba', 'Minister De', 'Minister Babade')
    """
    name = ""
    while not name or i:
        i, syllable = divmod(i, len(_SYLLABLES))
        name += _SYLLABLES[syllable]
    return f"Minister {name.capitalize()}"


def pair_words(text: str, n_pairs: int) -> list[Pair]:
    """Judge words of a sentence, no two pairs alike: first each word toward anybody's stance, then word against word.

    >>> [f"{p.holder} {p.target}" for p in pair_words("Mali met Chad", 5)]
    ['@any Mali', '@any met', '@any Chad', 'met Mali', 'Chad met']
    """
    sentence = Sentence.of(text)
    words = [Mention(m.start(), m.end(), Target(m.group(), expand=False)) for m in _WORD.finditer(text)]
    n = len(words)
    return [Pair(sentence, ANY if i < n else words[(i + i // n) % n], words[i % n]) for i in range(n_pairs)]


def spread(archive: Archive, n_sentences: int) -> Archive:
    """Take some sentences, evenly from the shortest to the longest: a slow system is timed on these."""
    by_length = sorted(archive, key=lambda pairs: len(pairs[0].sentence.text))
    step = len(by_length) / min(n_sentences, len(by_length))
    return [by_length[int((i + 0.5) * step)] for i in range(min(n_sentences, len(by_length)))]


def _pieces(n_words: int, seed: int) -> Iterator[str]:
    words = (word for text in vary(read_texts(seed=seed)) for word in text.split())
    while True:
        yield " ".join(islice(words, n_words))
