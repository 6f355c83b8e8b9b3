"""The packed forward pass on ONNX Runtime: int8 on a CPU, no torch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime

from stance.packing import PackedBatch
from stance.scoring import FloatArray

GRAPH_INPUTS = ("input_ids", "position_ids", "groups", "pair_rows", "markers", "spans")
"""Inputs of the exported graph: arrays of a ``PackedBatch``, in the order of ``StanceModel.forward``."""

GRAPH_OUTPUTS = ("logits", "relation_logits")


class OnnxForward:
    """Run packed batches through an exported graph on the CPU."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        """Return stance logits ``(n_pairs, 3)`` and relation logits ``(n_pairs, n_relations)``."""
        feed = {name: np.ascontiguousarray(getattr(batch, name)) for name in GRAPH_INPUTS}
        logits, relation_logits = self.session.run(list(GRAPH_OUTPUTS), feed)
        return logits, relation_logits


def available_cores() -> int:
    """Count the cores this process may use: ``OMP_NUM_THREADS`` where it is set, else its CPU affinity."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
