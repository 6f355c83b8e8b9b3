"""The packed forward pass on ONNX Runtime: int8 on a CPU, no torch."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from stance.cores import available_cores
from stance.packing import MODEL_INPUTS, PackedBatch
from stance.scoring import FloatArray

GRAPH_OUTPUTS = ("logits", "relation_logits")
TAG_OUTPUT = "tag_logits"
"""Output that only the graph of a model with a tagger has."""


class OnnxForward:
    """Run packed batches through an exported graph on the CPU; a forked process opens the graph anew."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.path = path
        self.threads = threads or available_cores()
        self._open()

    def __call__(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray]:
        """Return stance logits ``(n_pairs, 3)`` and relation logits ``(n_pairs, n_relations)``."""
        logits, relation_logits = self._run(batch, list(GRAPH_OUTPUTS))
        return logits, relation_logits

    @property
    def has_tagger(self) -> bool:
        """Whether ``read`` can be called."""
        return any(output.name == TAG_OUTPUT for output in self.session.get_outputs())

    def read(self, batch: PackedBatch) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return stance and relation logits, as a call does, and tag logits ``(n_rows, length, 3)``."""
        logits, relation_logits, tags = self._run(batch, [*GRAPH_OUTPUTS, TAG_OUTPUT])
        return logits, relation_logits, tags

    def __getstate__(self) -> dict[str, object]:
        """Leave the session out: a process that is started anew opens the graph itself."""
        return {"path": self.path, "threads": self.threads}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Open the graph in this process."""
        self.path, self.threads = state["path"], state["threads"]
        self._open()

    def _run(self, batch: PackedBatch, outputs: list[str]) -> list[FloatArray]:
        if self._process != os.getpid():
            # A fork copies no threads: the parent's session must not end here, it would wait for its pool for ever.
            # (A forked process must leave by os._exit, as those of multiprocessing do, for the same reason.)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.session))
            self._open()
        feed = {name: np.ascontiguousarray(getattr(batch, name)) for name in MODEL_INPUTS}
        found: list[FloatArray] = self.session.run(outputs, feed)
        return found

    def _open(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        self._process = os.getpid()
