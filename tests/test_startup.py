"""What a newcomer waits for: the import, and the command on the seed article. Processor time, as machines are busy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.test_contracts import HEAVY

ROOT = Path(__file__).parents[1]

IMPORT = "import time, stance; print(time.process_time())"
PREDICT = f"""
import sys, time
from stance.cli import main
code = main(["predict", "seeds/seed_article.txt", "--backend", "onnx"])
print(code, *sorted(sys.modules.keys() & {HEAVY - {"onnxruntime"}!r}), file=sys.stderr)
print(time.process_time(), file=sys.stderr)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True, cwd=ROOT
    )


def test_import_is_a_fraction_of_a_second() -> None:
    """On a quiet machine it is under 0.3 s; the bound leaves room for a busy or a slow one."""
    assert min(float(run(IMPORT).stdout) for _ in range(2)) < 1


def test_command_with_int8_loads_no_torch_and_answers_in_seconds() -> None:
    """On a quiet machine it is under 2 s, of which most is ONNX Runtime reading the graph."""
    done = run(PREDICT)
    assert "-> Iran" in done.stdout
    loaded, seconds = done.stderr.splitlines()
    assert loaded == "0"
    assert float(seconds) < 6
