"""Adversarial training: a second reading of every batch with its words moved to where the first reads them worst."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

SMALLEST = 1e-12
"""Keeps a row that nothing is learned from, whose gradient is 0, from a division by 0."""


class Adversary:
    """Moves embeddings of a batch along the gradient of its loss (fast gradient method; Miyato et al., 2017).

    ``distance`` is how far each row of a batch is moved, as the norm over all its columns. A table of embeddings that
    is read several times in a pass, here by words and by markers, has each reading moved that far.
    """

    def __init__(self, embeddings: nn.Module, distance: float) -> None:
        self.distance = distance
        self._readings: list[Tensor] = []
        self._moves: list[Tensor] | None = None
        embeddings.register_forward_hook(self._read)

    @contextmanager
    def moved(self) -> Iterator[None]:
        """Within it, the model reads moved what it has read since the last time, in the same order.

        Those readings have had their ``backward``: gradients say where to.
        """
        gradients = [reading.grad for reading in self._readings]
        self._moves = [_along(g, self.distance) if g is not None else torch.zeros(()) for g in gradients]
        self._readings.clear()
        try:
            yield
        finally:
            self._moves = None

    def _read(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """Keep what is read, for its gradient, or move it; a model that is only asked, not taught, is left alone."""
        if not (module.training and torch.is_grad_enabled()):
            return output
        if self._moves is not None:
            return output + self._moves.pop(0).to(output)
        output.retain_grad()
        self._readings.append(output)
        return output


def _along(gradient: Tensor, distance: float) -> Tensor:
    """Scale gradients ``(n_rows, n_columns, size)`` so that each row's has the norm ``distance``."""
    norms = gradient.flatten(1).norm(dim=1).clamp(min=SMALLEST)
    moves: Tensor = gradient * (distance / norms)[:, None, None]
    return moves
