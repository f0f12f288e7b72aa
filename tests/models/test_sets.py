"""What all encoders of sets are made of, against slow versions, jet by jet."""

from __future__ import annotations

import pytest
import torch
from models.toy_sets import mask_of, toy_sets
from torch import nn

from jetbench.models.sets import Attention, Nearest, SetNorm, masked_mean, masked_sum, where_real


@pytest.mark.parametrize("k", [1, 4, 11, 40])
def test_the_nearest_are_those_of_a_slow_search(k: int) -> None:
    inputs = toy_sets()
    points, mask = inputs["constituents"][..., :3], mask_of(inputs)
    indices, there = Nearest(k)(points, mask)
    for jet in range(len(points)):
        real = [i for i in range(points.shape[1]) if mask[jet, i]]
        for i in range(points.shape[1]):
            others = [j for j in real if j != i]
            slow = sorted(others, key=lambda j: float((points[jet, i] - points[jet, j]).square().sum()))[:k]
            assert indices[jet, i][there[jet, i]].tolist() == (slow if mask[jet, i] else [])


def test_padding_is_no_neighbour_even_where_it_is_nearest() -> None:
    """Two constituents far from each other, and padding beside both of them."""
    points = torch.tensor([[[0.0, 0.0], [5.0, 5.0], [0.0, 0.1], [5.0, 5.1]]])
    indices, there = Nearest(2)(points, torch.tensor([[True, True, False, False]]))
    assert there[0].tolist() == [[True, False], [True, False], [False, False], [False, False]]
    assert (indices[0, 0, 0], indices[0, 1, 0]) == (1, 0)


def test_neighbours_are_found_in_full_precision() -> None:
    points = torch.tensor([[[100.0, 0.0], [100.0, 0.01], [100.0, -0.02]]])
    with torch.autocast("cpu", torch.bfloat16):
        indices, _ = Nearest(1)(points, torch.ones(1, 3, dtype=torch.bool))
    assert indices[0, :, 0].tolist() == [1, 0, 0]


def test_statistics_are_those_of_real_elements() -> None:
    norm, inputs = SetNorm(8), toy_sets()
    mask = mask_of(inputs)
    filled = torch.where(mask[..., None], inputs["constituents"], 99.0)
    found, real = where_real(norm, filled, mask), inputs["constituents"][mask]
    expected = (real - real.mean(dim=0)) / (real.var(dim=0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(found[mask], expected)
    assert not found[~mask].any()
    torch.testing.assert_close(norm.running_mean, 0.1 * real.mean(dim=0))


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_are_normalised_by_what_was_seen_before(rows: int) -> None:
    norm = SetNorm(3)
    norm(torch.randn(50, 3) * 2 + 1)
    state = {name: tensor.clone() for name, tensor in norm.state_dict().items()}
    given = torch.randn(rows, 3)
    torch.testing.assert_close(norm(given), norm.eval()(given))
    assert all(torch.equal(tensor, state[name]) for name, tensor in norm.state_dict().items())


def test_sums_and_means_by_hand() -> None:
    inputs = toy_sets()
    elements, mask = inputs["constituents"] + 1, mask_of(inputs)
    for jet, (total, mean) in enumerate(zip(masked_sum(elements, mask), masked_mean(elements, mask), strict=True)):
        real = elements[jet][mask[jet]]
        torch.testing.assert_close(total, real.sum(dim=0) / 20)
        torch.testing.assert_close(mean, real.mean(dim=0) if len(real) else torch.zeros(8))


def test_a_query_sees_what_it_may_and_no_more() -> None:
    torch.manual_seed(0)
    queries, keys, values = torch.randn(3, 2, 4, 5, 6).unbind(0)
    seen = torch.rand(2, 1, 5, 5) > 0.4
    seen |= torch.eye(5, dtype=torch.bool)
    found = Attention(0.5).eval()(queries, keys, values, seen)
    weights = (queries @ keys.transpose(2, 3) / 6**0.5).exp() * seen
    torch.testing.assert_close(found, weights / weights.sum(dim=3, keepdim=True) @ values)


def test_layers_are_given_real_rows_alone() -> None:
    class Rows(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            self.seen = rows
            return 2 * rows

    layers, inputs = Rows(), toy_sets()
    found = where_real(layers, inputs["constituents"], mask_of(inputs))
    assert torch.equal(layers.seen, inputs["constituents"][mask_of(inputs)])
    assert torch.equal(found, 2 * inputs["constituents"])
