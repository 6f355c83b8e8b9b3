"""Export a saved model to ONNX: one graph with free sizes, in 32 bit or with int8 weights.

``python -m training.export models/base`` writes ``model.int8.onnx`` beside the weights.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from stance.excerpts import load_excerpts
from stance.folder import ONNX_FILE
from stance.loading import load_scorer
from stance.model import StanceModel, TorchForward
from stance.packing import MODEL_INPUTS, PackedBatch, PackedRow, PackingSettings, collate
from stance.runtime import GRAPH_OUTPUTS, TAG_OUTPUT
from stance.scoring import PairScorer
from training.command import one_line_errors

OPSET = 17
_INVENTED = Path(__file__).parents[1] / "seeds" / "train.jsonl"


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
    if int8:
        _smooth(model, scorer)
    batch = _example(scorer.packing)
    inputs = tuple(torch.from_numpy(getattr(batch, name)) for name in MODEL_INPUTS)
    rows, length, markers, pairs = "rows", "length", "markers", "pairs"
    axes = {name: {0: rows, 1: length} for name in ("input_ids", "position_ids")}
    axes |= {name: {0: rows, 1: markers} for name in ("marker_ids", "marker_ends")}
    axes |= {"groups": {0: rows, 1: "columns"}} | {name: {0: pairs} for name in ("pair_rows", "markers", "spans")}
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
                input_names=list(MODEL_INPUTS),
                output_names=outputs,
                dynamic_axes={name: of for name, of in axes.items() if name in {*MODEL_INPUTS, *outputs}},
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
    """Name the tagger's nodes: its large weights overflow the 16-bit sums of processors without VNNI."""
    return [node.name for node in onnx.load(str(graph)).graph.node if "/tagger/" in node.name]


class _Smoothed(nn.Module):
    """A linear layer that shrinks the channels of its input which are often large and enlarges their weights alike."""

    def __init__(self, linear: nn.Linear, largest: Tensor) -> None:
        super().__init__()
        scale = (largest / largest.median()).clamp(min=1e-3).sqrt()
        self.shrink = nn.Parameter(1 / scale)
        self.linear = nn.Linear(linear.in_features, linear.out_features)
        self.linear.weight = nn.Parameter(linear.weight * scale)
        self.linear.bias = linear.bias

    def forward(self, states: Tensor) -> Tensor:
        return cast(Tensor, self.linear(states * self.shrink))


def _smooth(model: StanceModel, scorer: PairScorer) -> None:
    """Even out what reaches the two products around GELU, where one channel is ten times as large as most.

    One 8-bit scale holds all channels then (after SmoothQuant, Xiao et al., ICML 2023, with the inputs alone deciding).
    Invented sentences show which channels are large.
    """
    places = [part for layer in model.encoder.encoder.layer for part in (layer.intermediate, layer.output)]
    largest = [torch.zeros(place.dense.in_features) for place in places]

    def look(number: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def seen(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            torch.maximum(largest[number], inputs[0].abs().flatten(0, -2).amax(dim=0), out=largest[number])

        return seen

    hooks = [place.dense.register_forward_pre_hook(look(n)) for n, place in enumerate(places)]
    scorer.logits([pair for excerpt in load_excerpts(_INVENTED)[:200] for pair in excerpt.to_pairs()[0]])
    for hook in hooks:
        hook.remove()
    for place, found in zip(places, largest, strict=True):
        place.dense = _Smoothed(place.dense, found)


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
