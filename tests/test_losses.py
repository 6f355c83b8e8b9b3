from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.losses import EXACT, NEGATIVE, NEUTRAL, POSITIVE, UNKNOWN_RELATION, relation_loss, stance_losses

LOGITS = st.tuples(*[st.floats(-6, 6)] * 3)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def by_hand(logits: tuple[float, ...], targets: tuple[float, ...], kind: int) -> float:
    """Negative log-likelihood, straight from its definition."""
    support, oppose, cooperate = map(sigmoid, logits)
    if kind == EXACT:
        each = zip((support, oppose, cooperate), targets, strict=True)
        return -sum(y * math.log(p) + (1 - y) * math.log(1 - p) for p, y in each)
    neither = (1 - support) * (1 - cooperate)
    return {
        POSITIVE: -math.log(1 - neither) - math.log(1 - oppose),
        NEUTRAL: -math.log(neither) - math.log(1 - oppose),
        NEGATIVE: -math.log(neither) - math.log(oppose),
    }[kind]


@given(st.lists(st.tuples(LOGITS, st.tuples(*[st.floats(0, 1)] * 3), st.integers(0, 3)), min_size=1, max_size=8))
@settings(max_examples=40)
def test_loss_is_the_negative_log_likelihood_of_what_is_known(
    rows: list[tuple[tuple[float, ...], tuple[float, ...], int]],
) -> None:
    # A polarity's targets are as training.examples writes them.
    rows = [(x, y if k == EXACT else (0.0, float(k == NEGATIVE), 0.0), k) for x, y, k in rows]
    logits, targets = (torch.tensor([r[i] for r in rows], dtype=torch.float64) for i in (0, 1))
    losses = stance_losses(logits, targets, torch.tensor([k for *_, k in rows]))
    assert losses.tolist() == pytest.approx([by_hand(*row) for row in rows], rel=1e-6)


@pytest.mark.parametrize("kind", [EXACT, POSITIVE, NEUTRAL, NEGATIVE])
def test_extreme_logits_give_finite_losses_and_gradients(kind: int) -> None:
    corners = torch.cartesian_prod(*[torch.tensor([-1e4, -80.0, 0.0, 80.0, 1e4])] * 3)
    logits = corners.clone().requires_grad_()
    targets = torch.tensor([0.0, float(kind == NEGATIVE), 0.0]).expand_as(corners)
    losses = stance_losses(logits, targets, torch.full((len(corners),), kind))
    losses.sum().backward()
    assert logits.grad is not None
    assert bool(losses.isfinite().all())
    assert bool(logits.grad.isfinite().all())


def test_positive_pair_far_off_is_still_pulled_up() -> None:
    logits = torch.tensor([[-30.0, -5.0, -30.0]], requires_grad=True)
    stance_losses(logits, torch.zeros(1, 3), torch.tensor([POSITIVE])).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, [0, 2]].tolist() == pytest.approx([-0.5, -0.5])


def test_positive_leaves_it_to_the_model_which_of_the_two_it_is() -> None:
    logits = torch.tensor([[9.0, -9.0, -9.0], [-9.0, -9.0, 9.0], [9.0, -9.0, 9.0]])
    losses = stance_losses(logits, torch.zeros(3, 3), torch.tensor([POSITIVE] * 3))
    assert float(losses.max()) < 1e-3


def test_relation_loss_is_the_mean_over_known_codes() -> None:
    logits = torch.tensor([[2.0, 0.0], [5.0, 5.0], [0.0, 0.0]])
    codes = torch.tensor([0, UNKNOWN_RELATION, 1])
    expected = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    assert float(relation_loss(logits, codes)) == pytest.approx(expected)


def test_relation_loss_without_a_known_code_is_zero_and_pulls_nothing() -> None:
    logits = torch.ones(3, 15, requires_grad=True)
    loss = relation_loss(logits, torch.full((3,), UNKNOWN_RELATION))
    loss.backward()
    assert logits.grad is not None
    assert (loss.item(), logits.grad.abs().max().item()) == (0, 0)
