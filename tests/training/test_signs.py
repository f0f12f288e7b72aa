from __future__ import annotations

import pytest
import torch
from torch import nn

from jetbench.training.signs import Start, Tail


def followed(losses: list[float]) -> dict[str, float]:
    tail = Tail(len(losses))
    for step, loss in enumerate(losses):
        tail.add(step, torch.tensor(loss, dtype=torch.float64))
    return tail.signs(len(losses))


def test_the_loss_of_the_last_tenth_alone_counts() -> None:
    flat, falling = [5.0] * 90 + [1.0] * 10, [1.0] * 90 + [1.0 - 0.02 * k for k in range(10)]
    assert followed(flat) == {"loss_change": 0.0, "loss_change_error": 0.0}
    assert followed(falling)["loss_change"] == pytest.approx(-0.18 / 0.91)


def test_many_steps_are_averaged_to_ten_levels() -> None:
    """Two losses in turn, with a level of an even number of steps each, show no scatter."""
    assert followed([1.0, 3.0] * 100) == {"loss_change": pytest.approx(0.0), "loss_change_error": pytest.approx(0.0)}


def test_a_training_that_is_short_or_ends_early_says_nothing_of_its_loss() -> None:
    assert followed([1.0] * 49) == {}
    assert followed([0.0] * 100) == {}
    assert Tail(100).signs(99) == {}


def test_the_change_of_an_encoder_is_relative_to_where_it_started() -> None:
    encoder = nn.Linear(2, 1)
    encoder.load_state_dict({"weight": torch.tensor([[3.0, 0.0]]), "bias": torch.tensor([4.0])})
    start = Start(encoder)
    assert start.signs(encoder) == {"encoder_change": 0.0}
    encoder.load_state_dict({"weight": torch.tensor([[3.0, 0.5]]), "bias": torch.tensor([4.0])})
    assert start.signs(encoder) == {"encoder_change": pytest.approx(0.1)}
