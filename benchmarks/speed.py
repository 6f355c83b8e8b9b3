"""Speed of our backends beside other ways to judge the same pairs: ``python -m benchmarks.speed``.

Everything runs in one process on the same sentences; what counts is the ratios. ``--quick`` takes a minute.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers.utils import logging

from benchmarks.archive import Archive, make_archive, spread
from benchmarks.machine import PeakMemory, describe_machine, matmul_rates, resident_mb
from benchmarks.peers import (
    MINILM,
    ROBERTA_BASE,
    ROBERTA_LARGE,
    Judge,
    MarkersInText,
    Size,
    TargetClassifier,
    ZeroShotPipeline,
)
from stance.classifier import StanceClassifier
from stance.cores import available_cores
from stance.folder import locate_model
from stance.packing import IntArray, PackedBatch
from stance.scoring import FloatArray, PairScorer
from stance.tables import Cell, Table

_Job = TypeVar("_Job", bound=Hashable)

INT8, FP32 = "stance int8", "stance torch fp32"
MARKED = "markers in text, one encoding per pair"
CLASSIFIER = "target classifier, RoBERTa-base size"
SMALL_NLI, LARGE_NLI = "zero-shot NLI, MiniLM size", "zero-shot NLI, RoBERTa-large size"

PAIR_COUNTS = (1, 2, 4, 8, 16)
WORD_COUNTS = (8, 16, 32, 64, 128)

_NOTES = (
    "synthetic archive of the project's invented excerpts, 1 to 16 pairs a sentence by chance, no two sentences alike",
    "others: random weights in the size named, our tokenizer, batches of like length where they batch; slow ones are "
    "timed on some of the sentences, evenly from the shortest to the longest",
    "zero-shot NLI is transformers' pipeline, three hypotheses a pair, batches of 8",
    "int8 to torch, and the pairs of each system's curve, are timed in turn: a machine's pace changes over minutes",
    "peak memory is the whole process's while a system ran; growth is over what it held before the system was loaded",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to run: sentences of the archive, and of the parts that slower systems see, and passes over each."""

    sentences: int = 1000
    slow: int = 60
    slowest: int = 8
    curve: int = 300
    repeats: int = 3
    base: Size = ROBERTA_BASE
    large: Size = ROBERTA_LARGE
    small: Size = MINILM
    matmul_seconds: float = 1.0


QUICK = Plan(sentences=60, slow=6, slowest=1, curve=24, repeats=1, matmul_seconds=0.2)


@dataclass(frozen=True, slots=True)
class Run:
    """One system on one archive: the quickest of several passes."""

    system: str
    sentences: int
    pairs: int
    seconds: float
    peak_mb: float = 0.0
    growth_mb: float = 0.0
    sentences_per_second: float = field(init=False)
    pairs_per_second: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sentences_per_second", self.sentences / self.seconds)
        object.__setattr__(self, "pairs_per_second", self.pairs / self.seconds)


class Watched:
    """Wrap a scorer's forward pass: seconds inside it, and the columns and products of the encoder that ran there."""

    def __init__(self, scorer: PairScorer, config: dict[str, Any]) -> None:
        self.forward, self.config = scorer.forward, config
        self.seconds = 0.0
        self.operations = 0.0
        scorer.forward = self

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        """Run the pass and count."""
        start = time.perf_counter()
        answer = self.forward(batch)
        self.seconds += time.perf_counter() - start
        self.operations += encoder_operations(batch, self.config)
        return answer


def encoder_operations(batch: PackedBatch, config: dict[str, Any]) -> float:
    """Count multiplications and additions of the encoder's matrix products, padding left out.

    ``config`` is that of the stance model: its first ``text_layers`` layers see no markers.
    """
    encoder = config["encoder"]
    hidden, inner = encoder["hidden_size"], encoder["intermediate_size"]

    def products(columns: IntArray) -> int:
        lengths = (columns >= 0).sum(axis=1)
        weights = 4 * hidden * hidden + 2 * hidden * inner
        return int(weights * lengths.sum() + 2 * hidden * (lengths**2).sum())

    alone = config.get("text_layers", 0)  # transformers leaves out what is as by default
    text = products(batch.groups[:, : batch.input_ids.shape[1]])
    return float(2 * (alone * text + (encoder["num_hidden_layers"] - alone) * products(batch.groups)))


def run_benchmark(plan: Plan, folder: Path, threads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run everything; the record that comes back is ready for JSON."""
    torch.set_num_threads(threads)
    record: dict[str, Any] = {"machine": describe_machine(threads), "plan": asdict(plan), "notes": list(_NOTES)}
    say("matrix products")
    record["matmul_gops"] = matmul_rates(threads, plan.matmul_seconds)
    archive = make_archive(plan.sentences)
    slow, slowest = spread(archive, plan.slow), spread(archive, plan.slowest)
    systems: list[tuple[str, Callable[[], Judge], Archive]] = [
        (INT8, lambda: _ours(folder, "onnx", threads), archive),
        (FP32, lambda: _ours(folder, "torch", threads), archive),
        (MARKED, lambda: MarkersInText(folder), spread(archive, 4 * plan.slow)),
        (SMALL_NLI, lambda: ZeroShotPipeline(folder, plan.small, architecture="bert"), slow),
        (CLASSIFIER, lambda: TargetClassifier(folder, plan.base), slow),
        (LARGE_NLI, lambda: ZeroShotPipeline(folder, plan.large), slowest),
        (f"{INT8}, again", lambda: _ours(folder, "onnx", threads), archive),
    ]
    record["systems"] = []
    for name, load, part in systems:
        say(name)
        record["systems"].append(asdict(measure(name, load, part, plan.repeats)))
    say("both backends in turn")
    ours = {INT8: _ours(folder, "onnx", threads), FP32: _ours(folder, "torch", threads)}
    record["backends"] = in_turn({name: (judge, archive) for name, judge in ours.items()}, plan.repeats)
    record["encoder"] = {}
    for backend, name, kind in (("onnx", INT8, "int8"), ("torch", FP32, "fp32")):
        say(f"{name}: share of the encoder, curves")
        record["encoder"][name] = encoder_share(folder, backend, threads, plan, record["matmul_gops"][kind])
    record["pairs_curve"] = pairs_curve(folder, threads, plan, say)
    say("curve over length")
    record["length_curve"] = length_curve(folder, threads, plan)
    record["ratios"] = ratios(record)
    return record


def measure(name: str, load: Callable[[], Judge], archive: Archive, repeats: int) -> Run:
    """Load a system, let it warm up on a few sentences, and time passes over an archive; the quickest counts."""
    gc.collect()
    before = resident_mb()
    with PeakMemory() as memory:
        judge = load()
        seconds = quickest(judge, archive, repeats)
    pairs = sum(map(len, archive))
    return Run(name, len(archive), pairs, seconds, round(memory.peak), round(memory.peak - before))


def quickest(judge: Judge, archive: Archive, repeats: int) -> float:
    """Time passes over an archive after a short warm-up."""
    return in_turn({"": (judge, archive)}, repeats)[""]


def in_turn(jobs: Mapping[_Job, tuple[Judge, Archive]], rounds: int) -> dict[_Job, float]:
    """Time each job once a round, after a short warm-up; the quickest pass of each counts.

    So a machine that changes its pace changes it for all, and ratios hold.
    """
    best = dict.fromkeys(jobs, float("inf"))
    listed = {key: [pair for sentence in archive for pair in sentence] for key, (_, archive) in jobs.items()}
    for judge, archive in jobs.values():
        judge(archive[0])
    for _ in range(rounds):
        for key, (judge, _) in jobs.items():
            start = time.perf_counter()
            judge(listed[key])
            best[key] = min(best[key], time.perf_counter() - start)
    return best


def encoder_share(folder: Path, backend: Any, threads: int, plan: Plan, rate: float) -> dict[str, float]:
    """Say how much of the time at 8 pairs a sentence is the encoder's, and how near it comes to the machine's rate."""
    classifier = StanceClassifier.from_pretrained(folder, backend=backend, device="cpu", threads=threads)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    archive = make_archive(plan.curve, n_pairs=8)
    classifier.predict_pairs(archive[0])
    watched = Watched(classifier.scorer, config)
    start = time.perf_counter()
    classifier.predict_pairs([pair for sentence in archive for pair in sentence])
    wall = time.perf_counter() - start
    reached = watched.operations / watched.seconds / 1e9
    return {"share_of_wall": watched.seconds / wall, "gops": reached, "share_of_matmul_rate": reached / rate}


def pairs_curve(folder: Path, threads: int, plan: Plan, say: Callable[[str], None]) -> list[dict[str, float]]:
    """Time the same sentences with 1 to 16 pairs each, in milliseconds a sentence."""
    judges: dict[str, Judge] = {
        INT8: _ours(folder, "onnx", threads),
        FP32: _ours(folder, "torch", threads),
        MARKED: MarkersInText(folder),
    }
    archives = {n: make_archive(plan.curve // 2, n_pairs=n) for n in PAIR_COUNTS}
    say("curve over pairs")
    seconds: dict[tuple[int, str], float] = {}
    for name, judge in judges.items():
        # Ours take well under a second a pass: few of them, minutes apart, would say more of the machine's pace.
        rounds = plan.repeats if name == MARKED else 4 * plan.repeats
        seconds |= in_turn({(n, name): (judge, archive) for n, archive in archives.items()}, rounds)
    return [
        {"pairs": n, **{name: 1e3 * seconds[n, name] / len(archive) for name in judges}}
        for n, archive in archives.items()
    ]


def length_curve(folder: Path, threads: int, plan: Plan) -> list[dict[str, float]]:
    """Time sentences of 8 to 128 words with 1 and with 16 pairs, in milliseconds a sentence."""
    judge = _ours(folder, "onnx", threads)
    jobs = {
        (words, n): (judge, make_archive(plan.curve // 4, n_pairs=n, n_words=words))
        for words in WORD_COUNTS
        for n in (1, 16)
    }
    seconds = in_turn(jobs, plan.repeats)
    return [
        {"words": words, **{f"{n} pairs": 1e3 * seconds[words, n] / len(jobs[words, n][1]) for n in (1, 16)}}
        for words in WORD_COUNTS
    ]


def ratios(record: dict[str, Any]) -> dict[str, float]:
    """Set our int8 backend against the others, and the dearest sentences against the cheapest."""
    rate = {run["system"]: run["pairs_per_second"] for run in record["systems"]}
    cost = {row["pairs"]: row for row in record["pairs_curve"]}
    return {
        f"int8 to {LARGE_NLI}": rate[INT8] / rate[LARGE_NLI],
        f"int8 to {SMALL_NLI}": rate[INT8] / rate[SMALL_NLI],
        f"int8 to {CLASSIFIER}": rate[INT8] / rate[CLASSIFIER],
        f"torch fp32 to {MARKED}, at 8 pairs": cost[8][MARKED] / cost[8][FP32],
        f"int8 to {MARKED}, at 8 pairs": cost[8][MARKED] / cost[8][INT8],
        "int8 to torch fp32": record["backends"][FP32] / record["backends"][INT8],
        "cost of 16 pairs to 1 pair, int8": cost[16][INT8] / cost[1][INT8],
        "int8 at the end to at the start (drift)": rate[f"{INT8}, again"] / rate[INT8],
    }


def as_tables(record: dict[str, Any]) -> list[Table]:
    """Lay a record out for the reader."""
    machine = ", ".join(f"{key} {value}" for key, value in record["machine"].items())
    systems = tuple(
        (
            run["system"],
            run["sentences"],
            f"{run['sentences_per_second']:.3g}",
            f"{run['pairs_per_second']:.4g}",
            f"{run['peak_mb']:.0f}",
            f"{run['growth_mb']:.0f}",
        )
        for run in record["systems"]
    )
    head = ("system", "sentences timed", "sentences/s", "pairs/s", "peak MB", "growth MB")
    tables = [Table(machine, head, systems, tuple(record["notes"]))]
    tables.append(Table("Ratios", ("what", "ratio"), tuple((k, f"{v:.3g}") for k, v in record["ratios"].items())))
    rate = record["matmul_gops"]
    rows: list[tuple[Cell, ...]] = [
        (name, f"{e['share_of_wall']:.0%}", f"{e['gops']:.0f}", f"{e['share_of_matmul_rate']:.0%}")
        for name, e in record["encoder"].items()
    ]
    title = f"Encoder at 8 pairs a sentence; the machine multiplies at {rate['fp32']:.0f} (fp32) and {rate['int8']:.0f}"
    title += " (int8) 1e9 operations/s"
    tables.append(Table(title, ("backend", "of wall time", "1e9 operations/s", "of the machine's rate"), tuple(rows)))
    for key, title in (("pairs_curve", "ms a sentence over pairs"), ("length_curve", "ms a sentence over words, int8")):
        curve = record[key]
        cells = tuple(tuple(f"{v:.4g}" for v in row.values()) for row in curve)
        tables.append(Table(title, tuple(curve[0]), cells))
    return tables


def _ours(folder: Path, backend: Any, threads: int) -> Judge:
    return StanceClassifier.from_pretrained(folder, backend=backend, device="cpu", threads=threads).predict_pairs


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        print(f"{step} ...", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None, plan: Plan | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.speed", description="Our speed beside others'.")
    parser.add_argument("--quick", action="store_true", help="a minute's smoke run; its figures are rough")
    parser.add_argument("--model", metavar="DIR", help="model folder (default: the shipped model)")
    parser.add_argument("--threads", type=int, default=available_cores(), help="default: the cores there are")
    parser.add_argument("--output", metavar="FILE.json", type=Path, default=Path("runs/speed.json"))
    parser.add_argument("--sentences", type=int, help="sentences of the archive")
    options = parser.parse_args(arguments)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one tokenizer thread for every system
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    plan = plan or (QUICK if options.quick else Plan())
    if options.sentences:
        plan = replace(plan, sentences=options.sentences)
    record = run_benchmark(plan, locate_model(options.model), options.threads, _progress)
    for table in as_tables(record):
        print(table.to_markdown() + "\n")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
