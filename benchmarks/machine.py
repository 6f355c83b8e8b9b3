"""What the machine can do, measured in the run that reports it: matrix products, memory, and who it is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import psutil
import torch
from onnx import TensorProto, helper

from stance.cores import available_cores

SHAPES = ((512, 384, 1536), (512, 1536, 384), (1024, 1024, 1024))
"""Products measured, as rows, depth and columns: the encoder's own two, and a large square one."""


def matmul_rates(threads: int, seconds: float = 0.5) -> dict[str, float]:
    """Measure products of 32 and of 8 bit, each at its best shape, in 1e9 multiplications and additions a second."""
    torch.set_num_threads(threads)
    rates = {"fp32": 0.0, "int8": 0.0}
    for rows, depth, columns in SHAPES:
        operations = 2 * rows * depth * columns
        for kind, product in (("fp32", _fp32), ("int8", _int8)):
            run = product(rows, depth, columns, threads)
            rates[kind] = max(rates[kind], operations / best_seconds(run, seconds) / 1e9)
    return rates


def best_seconds(run: Callable[[], object], seconds: float) -> float:
    """Run again and again for so many seconds; the quickest counts."""
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end or best == float("inf"):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def _fp32(rows: int, depth: int, columns: int, threads: int) -> Callable[[], object]:
    left, right, out = torch.rand(rows, depth), torch.rand(depth, columns), torch.empty(rows, columns)
    return lambda: torch.mm(left, right, out=out)


def _int8(rows: int, depth: int, columns: int, threads: int) -> Callable[[], object]:
    """Multiply as the int8 graph does: unsigned activations by signed weights, summed in 32 bit."""
    weights = np.random.default_rng(0).integers(-127, 127, (depth, columns), dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "right"], ["out"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, [rows, depth])],
        [helper.make_tensor_value_info("out", TensorProto.INT32, [rows, columns])],
        [helper.make_tensor("right", TensorProto.INT8, weights.shape, weights.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    left = np.random.default_rng(1).integers(0, 255, (rows, depth), dtype=np.uint8)
    return lambda: session.run(None, {"left": left})


class PeakMemory:
    """Watch the process's resident memory from a thread of its own; ``peak`` is in MB."""

    def __enter__(self) -> PeakMemory:
        self.peak = resident_mb()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.peak = max(self.peak, resident_mb())

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, resident_mb())


def resident_mb() -> float:
    """Give the process's resident memory in MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


def describe_machine(threads: int) -> dict[str, Any]:
    """Say what ran: processor, cores, threads, load of the last minute, versions."""
    packages = ("numpy", "onnxruntime", "tokenizers", "torch", "transformers")
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123  # no file of anybody's
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
