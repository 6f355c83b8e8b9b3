"""Export a saved model to ONNX: one graph with free sizes, in 32 bit or with int8 weights.

``python -m training.export models/base`` writes ``model.int8.onnx`` beside the weights.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from stance.folder import ONNX_FILE
from stance.loading import load_scorer
from stance.model import StanceModel, TorchForward
from stance.packing import PackedBatch, PackedRow, PackingSettings, collate
from stance.runtime import GRAPH_INPUTS, GRAPH_OUTPUTS, TAG_OUTPUT
from training.command import one_line_errors

OPSET = 17


class _Graph(nn.Module):
    """The forward pass with plain tensors in and out, as the exporter wants it."""

    def __init__(self, model: StanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        output = self.model(*inputs)
        return (output.logits, output.relation_logits, *([] if output.tag_logits is None else [output.tag_logits]))


def export_onnx(folder: Path, path: Path, *, int8: bool = True) -> None:
    """Write the graph of a saved model.

    int8 means dynamic quantisation, weights per channel: activations are scaled batch by batch, so no calibration data
    is needed, and a result depends a little on what rides along (``tests/test_runtime.py`` holds how little).

    Raises:
        ModelError: the folder is no stance model.
    """
    scorer = load_scorer(folder, backend="torch", device="cpu")
    model = cast(TorchForward, scorer.forward).model
    model.encoder.set_attn_implementation("eager")
    batch = _example(scorer.packing)
    inputs = tuple(torch.from_numpy(getattr(batch, name)) for name in GRAPH_INPUTS)
    rows, length, pairs = "rows", "length", "pairs"
    axes = {name: {0: rows, 1: length} for name in GRAPH_INPUTS[:3]} | {name: {0: pairs} for name in GRAPH_INPUTS[3:]}
    axes |= {name: {0: pairs} for name in GRAPH_OUTPUTS} | {TAG_OUTPUT: {0: rows, 1: length}}
    outputs = [*GRAPH_OUTPUTS, TAG_OUTPUT] if model.config.tagger else list(GRAPH_OUTPUTS)
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / "model.onnx"
        with warnings.catch_warnings():
            # The exporter warns of negative indices, which packing never makes, and of its own deprecated parts.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Graph(model).eval(),
                inputs,
                str(plain),
                input_names=list(GRAPH_INPUTS),
                output_names=outputs,
                dynamic_axes={name: of for name, of in axes.items() if name in {*GRAPH_INPUTS, *outputs}},
                opset_version=OPSET,
                dynamo=False,
            )
        if int8:
            kept = _left_in_32_bit(plain)
            quantize_dynamic(
                str(plain), str(path), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=kept
            )
        else:
            path.write_bytes(plain.read_bytes())


def _left_in_32_bit(graph: Path) -> list[str]:
    """Name the products that 8 bit would harm most and that cost little.

    Those behind GELU, whose few large inputs one 8-bit scale cannot hold, and the tagger, whose large weights overflow
    the 16-bit sums of processors without VNNI. The heads of pairs answer alike in 8 bit and in 32.
    """
    names = [node.name for node in onnx.load(str(graph)).graph.node if node.op_type == "MatMul"]
    behind_gelu = [name for name in names if "/output/dense" in name and "attention" not in name]
    return [*behind_gelu, *(name for name in names if "/tagger/" in name)]


def _example(settings: PackingSettings) -> PackedBatch:
    """Make a small batch whose sizes all differ, so that none is mistaken for a constant."""
    spans = np.array([[0, 1, 3, 3], [-1, -1, 2, 4], [2, 2, 0, 1]])
    first = PackedRow(np.arange(5, 11), spans, np.array([0, 1, 0]), np.arange(3), truncated=False)
    second = PackedRow(np.arange(5, 9), spans[1:2], np.array([2]), np.array([3]), truncated=False)
    return collate([first, second], settings)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="saved model folder")
    parser.add_argument("--output", type=Path, help=f"file to write (default: {ONNX_FILE} in the folder)")
    parser.add_argument("--fp32", action="store_true", help="keep 32-bit weights")
    options = parser.parse_args(arguments)
    export_onnx(options.folder, options.output or options.folder / ONNX_FILE, int8=not options.fp32)
    return 0


if __name__ == "__main__":
    sys.exit(main())
