"""The record of its training that a model folder keeps: settings, corpora, scores, history, seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stance.errors import ConfigError
from stance.folder import TRAINING_FILE


def read_record(folder: Path) -> dict[str, Any]:
    """Read the training record of a model folder.

    Raises:
        ConfigError: the folder has none, or it is damaged.
    """
    try:
        record: dict[str, Any] = json.loads((folder / TRAINING_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"expected {TRAINING_FILE} in {str(folder)!r}; got {error}; train the model anew") from None
    return record


def write_record(record: Mapping[str, Any], folder: Path) -> None:
    """Write the training record of a model folder."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / TRAINING_FILE).write_text(text + "\n", encoding="utf-8")


def rounded(scores: Mapping[str, float]) -> dict[str, float]:
    """Round scores as a record keeps them."""
    return {name: round(value, 4) for name, value in scores.items()}
