"""Proof that a stream needs no more memory the longer it is: ``python -m benchmarks.memory --sentences 200000``.

Every sentence is another one, dates and names included, so that whatever remembers texts or names would grow.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.archive import read_texts, vary
from benchmarks.machine import resident_mb
from stance.classifier import StanceClassifier

SENTENCES_PER_TEXT = 8
WARM_UP = 0.1
"""Share of the stream after which memory must stay flat."""


def stream(n_sentences: int) -> Iterator[str]:
    """Make texts of a few sentences each, no two sentences alike."""
    sentences = islice(vary(read_texts()), n_sentences)
    while text := " ".join(islice(sentences, SENTENCES_PER_TEXT)):
        yield text


def watch(classifier: StanceClassifier, n_sentences: int, targets: Sequence[str] | None) -> list[tuple[int, float]]:
    """Read a stream and note the resident memory in MB, some two hundred times, with the sentences read by then."""
    every = max(1, n_sentences // 200)
    read, noted = 0, [(0, resident_mb())]
    for document in classifier.predict_many(stream(n_sentences), targets):
        read += len(document.sentences)
        if read - noted[-1][0] >= every:
            noted.append((read, resident_mb()))
    noted.append((read, resident_mb()))
    return noted


def growth(noted: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Give the resident memory in MB at the end of the warm-up, and the most it grew by afterwards."""
    after = [mb for read, mb in noted if read >= WARM_UP * noted[-1][0]]
    return after[0], max(after) - after[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.memory", description="Memory of a long stream.")
    parser.add_argument("--sentences", type=int, default=200_000)
    parser.add_argument("--targets", nargs="+", metavar="NAME", help="default: whom the library finds")
    parser.add_argument("--model", metavar="DIR", help="model folder (default: the shipped model)")
    parser.add_argument("--backend", default="auto", choices=["auto", "torch", "onnx"])
    parser.add_argument("--output", metavar="FILE.json", type=Path, default=Path("runs/memory.json"))
    options = parser.parse_args(arguments)
    classifier = StanceClassifier.from_pretrained(options.model, backend=options.backend)
    start = time.perf_counter()
    noted = watch(classifier, options.sentences, options.targets)
    seconds = time.perf_counter() - start
    level, grown = growth(noted)
    print(
        f"{noted[-1][0]} sentences in {seconds:.0f} s ({noted[-1][0] / seconds:.0f}/s): {level:.0f} MB after a tenth, "
        f"{grown:+.1f} MB at most from there on"
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    record = {"seconds": seconds, "level_mb": level, "growth_mb": grown, "resident_mb": noted}
    options.output.write_text(json.dumps(record) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
