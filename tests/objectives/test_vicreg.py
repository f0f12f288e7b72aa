from __future__ import annotations

import math

import pytest
import torch

from jetbench.objectives.vicreg import VICReg, covariance, variance
from jetbench.seeds import torch_rng


def normal(*shape: int, name: str) -> torch.Tensor:
    return torch.randn(*shape, generator=torch_rng(name))


def columns(z: torch.Tensor) -> list[list[float]]:
    """Each dimension without its mean, in double precision."""
    found = [[float(x) for x in column] for column in z.double().T]
    return [[x - sum(column) / len(column) for x in column] for column in found]


def slow_variance(z: torch.Tensor) -> float:
    short = [max(0.0, 1 - math.sqrt(sum(x * x for x in column) / (len(column) - 1) + 1e-4)) for column in columns(z)]
    return sum(short) / len(short)


def slow_covariance(z: torch.Tensor) -> float:
    found, total = columns(z), 0.0
    for i, one in enumerate(found):
        for j, other in enumerate(found):
            total += (i != j) * (sum(x * y for x, y in zip(one, other, strict=True)) / (len(z) - 1)) ** 2
    return total / len(found)


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_the_terms_agree_with_their_definitions(spread: float) -> None:
    z = spread * normal(9, 5, name="z") + 2
    assert float(variance(z)) == pytest.approx(slow_variance(z), rel=1e-4, abs=1e-6)
    assert float(covariance(z)) == pytest.approx(slow_covariance(z), rel=1e-4)


def test_the_terms_in_closed_form() -> None:
    """What does not vary is short by 1 - sqrt(ε); two dimensions that are the same have the covariance of either."""
    assert float(variance(torch.ones(4, 3))) == pytest.approx(0.99)
    twice = torch.tensor([[1.0], [-1.0]]).repeat(2, 2)  # a variance of 4/3 of four
    assert float(variance(twice)) == 0
    assert float(covariance(twice)) == pytest.approx((4 / 3) ** 2)


class Given(torch.nn.Module):
    features = 3


def test_the_loss_is_the_weighted_sum_of_the_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where autocast is on: its terms are of fp32."""
    first, second = normal(8, 3, name="a"), normal(8, 3, name="b") / 2
    network = torch.nn.ModuleDict({"encoder": Given()})
    objective = VICReg(network, None, None, projection=2, invariance=5.0, variance=3.0, covariance=2.0)
    monkeypatch.setattr(objective, "features", lambda network, inputs: (first, second))
    objective.projection = torch.nn.Identity()
    distance = sum(float(x) ** 2 for x in (first - second).double().flatten()) / first.numel()
    slow = 5 * distance + 3 * (slow_variance(first) + slow_variance(second)) / 2
    slow += 2 * (slow_covariance(first) + slow_covariance(second))
    assert float(objective(None, ())["loss"]) == pytest.approx(slow, rel=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert float(objective(None, ())["loss"]) == pytest.approx(slow, rel=1e-5)
