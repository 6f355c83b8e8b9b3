"""What is written down of a run: where it stands, and the record that its model folder keeps of it.

The record has settings, corpora, scores, history and seconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stance.errors import ConfigError
from stance.folder import TRAINING_FILE


@dataclass(slots=True)
class Progress:
    """Where a run stands; saved with every checkpoint."""

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float = -math.inf
    since_best: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Give the record that ``load_state_dict`` takes."""
        return asdict(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a saved record."""
        for key, value in state.items():
            setattr(self, key, value)


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


def joined_corpora(shown: Iterable[Mapping[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Join what several runs learned from, by corpus; of one that several saw, the run that saw most rows counts."""
    joined: dict[str, dict[str, Any]] = {}
    for corpora in shown:
        joined |= {name: part for name, part in corpora.items() if part["rows"] >= joined.get(name, part)["rows"]}
    return joined


def rounded(scores: Mapping[str, float]) -> dict[str, float]:
    """Round scores as a record keeps them."""
    return {name: round(value, 4) for name, value in scores.items()}
