"""Losses for exact and for partly known labels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from stance.tagging import UNKNOWN_TAG

EXACT, POSITIVE, NEUTRAL, NEGATIVE = 0, 1, 2, 3
"""What is known of a pair: every stance, or only its polarity."""

UNKNOWN_RELATION = -100
"""Relation number of a pair without a PLOVER code; cross entropy passes it over."""


def stance_losses(logits: Tensor, targets: Tensor, kinds: Tensor) -> Tensor:
    """Negative log-likelihood of each pair's label, ``(n_pairs,)``.

    ``logits`` and ``targets`` are ``(n_pairs, 3)`` in ``Stance`` order, targets may be soft; ``kinds`` is
    ``(n_pairs,)``. An exact label counts all three stances. A polarity knows oppose, and whether support or cooperate
    holds: a positive one maximises ``1 - (1 - p_support)(1 - p_cooperate)``, a neutral or negative one its complement.
    """
    each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    support, cooperate = logits[:, 0], logits[:, 2]
    log_neither = functional.logsigmoid(-support) + functional.logsigmoid(-cooperate)
    # Either is "cooperate, or support without it": a sum, so that no logit is so low that its gradient rounds to 0.
    log_either = torch.logaddexp(
        functional.logsigmoid(cooperate), functional.logsigmoid(support) + functional.logsigmoid(-cooperate)
    )
    either = torch.where(kinds == POSITIVE, -log_either, -log_neither)
    return torch.where(kinds == EXACT, each.sum(dim=1), each[:, 1] + either)


def tag_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Mean cross entropy over the pieces whose tag is known, of logits ``(n_rows, length, 3)``; 0 where none is."""
    total = functional.cross_entropy(logits.flatten(0, 1), tags.flatten(), ignore_index=UNKNOWN_TAG, reduction="sum")
    return total / (tags != UNKNOWN_TAG).sum().clamp(min=1)


def relation_loss(logits: Tensor, relations: Tensor) -> Tensor:
    """Mean cross entropy over the pairs whose PLOVER code is known; 0 where none is."""
    total = functional.cross_entropy(logits, relations, ignore_index=UNKNOWN_RELATION, reduction="sum")
    known = (relations != UNKNOWN_RELATION).sum().clamp(min=1)
    return total / known
