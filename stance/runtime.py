"""The packed forward pass on ONNX Runtime: int8 on a CPU, no torch."""

from __future__ import annotations

import ctypes
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
    """Run packed batches through an exported graph on the CPU; a forked process opens the graph anew."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        self.threads = threads or available_cores()
        self._open()

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        """Return stance logits ``(n_pairs, 3)`` and relation logits ``(n_pairs, n_relations)``."""
        if self._process != os.getpid():
            # A fork copies no threads: the parent's session would wait for its pool for ever, at its end too.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.session))
            self._open()
        feed = {name: np.ascontiguousarray(getattr(batch, name)) for name in GRAPH_INPUTS}
        logits, relation_logits = self.session.run(list(GRAPH_OUTPUTS), feed)
        return logits, relation_logits

    def _open(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        self._process = os.getpid()


def available_cores() -> int:
    """Count the cores this process may use: ``OMP_NUM_THREADS`` where it is set, else its affinity and its quota."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # one number for each level of nesting
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def cpu_quota(control: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Read how many cores the control groups of this process grant it, version 1 or 2; None if they set no limit.

    ``control`` is where the groups are mounted, ``membership`` the file that names the process's own.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return None
    granted = []
    for _, controllers, name in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = control / "cpu" if controllers else control
        own = root / name.strip("/")
        # A limit of any ancestor binds; a container may see only its own root, under another name.
        granted += [_quota(folder) for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return min((cores for cores in granted if cores is not None), default=None)


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
        return int(quota) / int(period) if quota.isdigit() and int(quota) > 0 else None
    except (OSError, ValueError):  # not the folder of a group, or a format to come
        return None
