"""Draw what ``benchmarks.speed`` and ``benchmarks.memory`` wrote: ``python -m benchmarks.plot_speed``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_COLOURS = ("#1b6ca8", "#7fb2d6", "#c96b2c", "#8a8a8a")


def draw(speed: dict[str, Any], memory: dict[str, Any] | None, path: Path) -> None:
    """Draw pairs a second, cost over pairs, cost over length and, if there is a record, memory over a stream."""
    mpl.use("Agg")
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), layout="constrained")
    _systems(axes[0, 0], speed["systems"])
    _curve(axes[0, 1], speed["pairs_curve"], "pairs", "Cost of a sentence over its pairs")
    _curve(axes[1, 0], speed["length_curve"], "words", "Cost of a sentence over its length, int8")
    if memory is None:
        axes[1, 1].set_axis_off()
    else:
        read, resident = zip(*memory["resident_mb"], strict=True)
        axes[1, 1].plot(read, resident, color=_COLOURS[0])
        axes[1, 1].set(
            title="Memory over a stream", xlabel="sentences read", ylabel="resident MB", ylim=(0, 1.2 * max(resident))
        )
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _systems(axis: Axes, runs: list[dict[str, Any]]) -> None:
    runs = [run for run in runs if not run["system"].endswith("again")][::-1]
    rates = [run["pairs_per_second"] for run in runs]
    ours = [_COLOURS[0] if run["system"].startswith("stance") else _COLOURS[3] for run in runs]
    bars = axis.barh([run["system"] for run in runs], rates, color=ours)
    axis.bar_label(bars, [f"{rate:,.3g}" for rate in rates], padding=3)
    axis.set(title="Pairs a second", xscale="log", xlim=(min(rates) / 3, max(rates) * 5))


def _curve(axis: Axes, rows: list[dict[str, float]], over: str, title: str) -> None:
    for name, colour in zip((key for key in rows[0] if key != over), _COLOURS, strict=False):
        axis.plot([row[over] for row in rows], [row[name] for row in rows], "o-", color=colour, label=name)
    axis.set(title=title, xlabel=over, ylabel="ms a sentence", xscale="log", yscale="log")
    axis.set_xticks([row[over] for row in rows], [f"{row[over]:g}" for row in rows])
    axis.minorticks_off()
    axis.legend(frameon=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.plot_speed", description="Draw the records of the benchmarks.")
    parser.add_argument("--speed", metavar="FILE.json", type=Path, default=Path("runs/speed.json"))
    parser.add_argument("--memory", metavar="FILE.json", type=Path, default=Path("runs/memory.json"))
    parser.add_argument("--output", metavar="FILE.png", type=Path, default=Path("runs/speed.png"))
    options = parser.parse_args(arguments)
    speed = json.loads(options.speed.read_text(encoding="utf-8"))
    memory = json.loads(options.memory.read_text(encoding="utf-8")) if options.memory.is_file() else None
    draw(speed, memory, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
