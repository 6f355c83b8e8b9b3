"""What a training step needs beside the model: precision, drawn batches, optimizer, rate schedule, averaged weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from stance.model import StanceModel
from stance.packing import MARKER_TOKENS, bucket_rows
from training.config import StageSettings
from training.renaming import share_weights


class Average:
    """Exponential moving average of the weights; what is evaluated and saved (Polyak and Juditsky, 1992)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        """Move the average one step toward the model; early steps move it further."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        now = {k: v.detach() for k, v in model.state_dict().items()}
        torch._foreach_lerp_([self.weights[k] for k in now], list(now.values()), 1 - decay)

    def state_dict(self) -> dict[str, Any]:
        """Give the record that ``load_state_dict`` takes."""
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a saved record."""
        self.updates, self.weights = state["updates"], dict(state["weights"])


def epoch_batches(
    datasets: Mapping[str, Dataset], stage: StageSettings, seed: int, batch_tokens: int
) -> list[list[tuple[str, int]]]:
    """Draw one epoch: each corpus at its weight, rows of like length together, batches in random order.

    The same seed gives the same batches, so that a resumed run goes on where it stopped.
    """
    random = np.random.default_rng(seed)
    weights = share_weights(stage.weights, {name: len(rows) for name, rows in datasets.items()}, stage.renamed)
    drawn: list[tuple[str, int]] = []
    sizes: list[tuple[int, int]] = []
    for name, weight in sorted(weights.items()):
        n = len(datasets[name])
        whole, part = divmod(weight, 1)
        places = np.concatenate([np.tile(np.arange(n), int(whole)), random.permutation(n)[: round(part * n)]])
        table = np.asarray(datasets[name]["size"])
        drawn += [(name, int(i)) for i in places]
        sizes += table[places].tolist()
    # Noise keeps rows of one size from always meeting the same neighbours; it never shortens, so the budget holds.
    noisy = np.asarray(sizes).reshape(-1, 2) * random.uniform(1.0, 1.2, (len(sizes), 2))
    buckets = bucket_rows(np.ceil(noisy).astype(np.int64), batch_tokens)
    return [[drawn[i] for i in buckets[b]] for b in random.permutation(len(buckets))]


def make_optimizer(model: StanceModel, stage: StageSettings, weight_decay: float) -> torch.optim.AdamW:
    """Split parameters: new layers learn faster, biases, norms and embeddings are not decayed."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        rate = stage.learning_rate * (1.0 if name.startswith("encoder.") else stage.head_rate)
        decay = weight_decay if parameter.ndim > 1 and "embeddings" not in name else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "lr": rate, "weight_decay": d} for (rate, d), p in groups.items()], fused=True
    )


def hold_words(model: StanceModel) -> None:
    """Keep every word embedding but the markers', which are the last rows, where the encoder has it."""
    weight = model.encoder.get_input_embeddings().weight
    moves = torch.zeros(len(weight), 1, device=weight.device)
    moves[-len(MARKER_TOKENS) :] = 1
    weight.register_hook(lambda gradient: gradient * moves.to(gradient.device))


def schedule(step: int, total: int, warmup: float) -> float:
    """Rise linearly over the share ``warmup`` of the steps, then fall linearly to 0."""
    rise = max(1, round(total * warmup))
    return (step + 1) / rise if step < rise else max(0.0, (total - step) / max(1, total - rise))


def choose_precision(name: str) -> str:
    """Resolve "auto": a processor that only emulates bf16 is many times slower in it than in 32 bit."""
    if name != "auto":
        return name
    has_bf16 = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else _processor_has_bf16()
    return "bf16" if has_bf16 else "no"


def _processor_has_bf16() -> bool:
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
