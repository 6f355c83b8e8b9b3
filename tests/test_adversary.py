"""The second reading of adversarial training: how far it moves embeddings, where to, and when."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from training.adversary import Adversary

DISTANCE = 0.6


class Reader(nn.Module):
    """Reads two tables of ids through one table of embeddings, as the model reads words and markers."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.words = nn.Embedding(20, 8)
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        self.read: list[Tensor] = []

    def forward(self, text: Tensor, markers: Tensor) -> Tensor:
        self.read = [self.words(text), self.words(markers)]
        answers: Tensor = self.layers(torch.cat(self.read, dim=1)).mean(dim=(1, 2))
        return answers


@pytest.fixture
def reader() -> Reader:
    return Reader()


TEXT, MARKERS = torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([[18, 19], [18, 19]])


def loss_of(reader: Reader, weights: Tensor) -> Tensor:
    loss: Tensor = (weights * (reader(TEXT, MARKERS) - 1) ** 2).sum()
    return loss


def test_each_row_of_each_reading_moves_the_distance_toward_a_higher_loss(reader: Reader) -> None:
    adversary = Adversary(reader.words, DISTANCE)
    weights = torch.tensor([1.0, 100.0])  # a row that weighs more is moved no further
    loss = loss_of(reader, weights)
    first = reader.read
    loss.backward()
    with adversary.moved():
        moved_loss = loss_of(reader, weights)
    for before, after in zip(first, reader.read, strict=True):
        step = (after - before).flatten(1)
        torch.testing.assert_close(step.norm(dim=1), torch.full((2,), DISTANCE))
        along = torch.nn.functional.cosine_similarity(step, before.grad.flatten(1))  # type: ignore[union-attr]
        torch.testing.assert_close(along, torch.ones(2))
    assert moved_loss > loss


def test_row_without_a_loss_stays_where_it_is(reader: Reader) -> None:
    adversary = Adversary(reader.words, DISTANCE)
    loss_of(reader, torch.tensor([1.0, 0.0])).backward()
    first = reader.read
    with adversary.moved():
        loss_of(reader, torch.tensor([1.0, 0.0]))
    assert torch.equal(reader.read[0][1], first[0][1])
    assert not torch.equal(reader.read[0][0], first[0][0])


def test_only_the_reading_within_is_moved_and_each_batch_by_its_own_gradient(reader: Reader) -> None:
    plain = [t.detach().clone() for t in (reader(TEXT, MARKERS), *reader.read)]
    adversary = Adversary(reader.words, DISTANCE)
    for _ in range(2):
        loss_of(reader, torch.ones(2)).backward()
        for now, before in zip(reader.read, plain[1:], strict=True):
            assert torch.equal(now, before)
        with adversary.moved():
            loss_of(reader, torch.ones(2)).backward()
    assert torch.equal(reader(TEXT, MARKERS), plain[0])


def test_model_that_is_only_asked_reads_unmoved(reader: Reader) -> None:
    plain = reader(TEXT, MARKERS)
    adversary = Adversary(reader.words, DISTANCE)
    loss_of(reader, torch.ones(2)).backward()
    with adversary.moved():
        assert torch.equal(reader.eval()(TEXT, MARKERS), plain)
        with torch.no_grad():
            assert torch.equal(reader.train()(TEXT, MARKERS), plain)
