"""The reading room: notebooks use the front door, keep their outputs, say nothing of a machine, and run."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in PATHS]
ALLOWED = {"stance", "numpy", "pandas", "matplotlib", "sklearn", "pathlib", "subprocess", "sys"}
HIDING = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
QUICK = ["01_label_an_article", "02_evaluate_on_your_excerpts"]

each_notebook = pytest.mark.parametrize("path", PATHS, ids=NAMES)


def read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def nodes(path: Path) -> Iterator[ast.AST]:
    for cell in code_cells(path):
        yield from ast.walk(ast.parse("".join(cell["source"])))


def shown(path: Path) -> Iterator[str]:
    """Give every piece of text in the outputs of a notebook."""
    for output in (output for cell in code_cells(path) for output in cell["outputs"]):
        pieces = [output.get("text", "")]
        pieces += [data for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
        yield from ("".join(piece) for piece in pieces)


def test_there_are_four() -> None:
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04"]


@each_notebook
def test_only_the_front_door_and_the_usual_packages_are_imported(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            modules = {alias.name for alias in node.names}
            assert "stance" not in {module.split(".")[0] for module in modules}
        elif isinstance(node, ast.ImportFrom):
            modules = {str(node.module)}
        else:
            continue
        assert {module.split(".")[0] for module in modules} <= ALLOWED
        assert not any(module.startswith("stance.") for module in modules)


@each_notebook
def test_nothing_is_defined(path: Path) -> None:
    assert [ast.unparse(node) for node in nodes(path) if isinstance(node, HIDING)] == []


@each_notebook
def test_outputs_are_kept_of_one_run_from_top_to_bottom(path: Path) -> None:
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
    assert {output.get("name") for output in outputs} <= {None, "stdout"}


@each_notebook
def test_outputs_hold_no_path_and_no_time_of_a_machine(path: Path) -> None:
    notebook = read(path)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"])
    for text in shown(path):
        assert not re.search(r"(?<![\w.])/(?!td|tr|th|p\b)[\w.-]+/[\w.-]+/", text)
        assert not re.search(r"\b\d{1,2}:\d{2}:\d{2}\b|[A-Z]:\\|object at 0x", text)


@each_notebook
def test_no_measured_figure_is_typed_into_the_text(path: Path) -> None:
    text = "".join(line for cell in read(path)["cells"] if cell["cell_type"] == "markdown" for line in cell["source"])
    assert text.startswith(f"# {int(path.stem[:2])}. ")
    assert re.findall(r"\d\.\d\d", text) == []


def run(name: str, folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "notebooks/execute.py", f"notebooks/{name}.ipynb", "--into", str(folder), *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return read(folder / f"{name}.ipynb")


@pytest.mark.parametrize("name", QUICK)
def test_quick_notebook_runs(name: str, tmp_path: Path) -> None:
    assert all(cell["execution_count"] for cell in run(name, tmp_path)["cells"] if cell["cell_type"] == "code")


@pytest.mark.slow
def test_training_notebook_runs(tmp_path: Path) -> None:
    name = "03_train_on_your_excerpts"
    before = (ROOT / "notebooks" / f"{name}.ipynb").read_bytes()
    sources = ["".join(cell["source"]) for cell in run(name, tmp_path, "--set", "epochs = 1")["cells"]]
    assert "epochs = 8" in sources
    assert (ROOT / "notebooks" / f"{name}.ipynb").read_bytes() == before


@pytest.mark.slow
def test_comparing_notebook_runs(tmp_path: Path) -> None:
    run("04_compare_systems", tmp_path)
