"""Run the notebooks: ``python notebooks/execute.py`` in place, outputs kept; with ``--into DIR`` beside them.

``--set epochs=1`` replaces a line of the cell tagged "parameters". Outputs keep no times and no versions.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot  # noqa: F401  # its first import may report that it builds a font cache: not in a notebook
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def execute(path: Path, output: Path, parameters: Sequence[str] = ()) -> None:
    """Run one notebook from top to bottom in a new kernel and write it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    asked = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    sources = [cell.source for cell in asked]
    for cell in asked:
        names = {line.partition("=")[0].strip(): line for line in parameters}
        cell.source = "\n".join(names.get(line.partition("=")[0].strip(), line) for line in cell.source.splitlines())
    NotebookClient(
        notebook, timeout=3600, kernel_name="python3", record_timing=False, resources={"metadata": {"path": HERE}}
    ).execute()
    for cell, source in zip(asked, sources, strict=True):
        cell.source = source
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, output)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python notebooks/execute.py", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    parser.add_argument("--into", type=Path, help="folder to write to instead of in place")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="replace a parameter")
    options = parser.parse_args(arguments)
    # A progress bar that tqdm cannot draw without ipywidgets, and that nothing here draws, is no news in a notebook.
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"
    for path in options.notebooks or sorted(HERE.glob("*.ipynb")):
        print(path.name, flush=True)
        execute(path, path if options.into is None else options.into / path.name, options.set)


if __name__ == "__main__":
    main()
