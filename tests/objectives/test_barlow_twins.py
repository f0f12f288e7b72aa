from __future__ import annotations

import math

import pytest
import torch

from jetbench.objectives.barlow_twins import BarlowTwins, cross_correlation, off_diagonal
from jetbench.seeds import torch_rng


def normal(*shape: int, name: str) -> torch.Tensor:
    return torch.randn(*shape, generator=torch_rng(name))


def slow_correlation(first: torch.Tensor, second: torch.Tensor) -> list[list[float]]:
    """The definition, number by number, in double precision; 1e-5 stands beside each variance."""

    def scaled(z: torch.Tensor, dimension: int) -> list[float]:
        column = [float(x) for x in z[:, dimension].double()]
        mean = sum(column) / len(column)
        variance = sum((x - mean) ** 2 for x in column) / len(column)
        return [(x - mean) / math.sqrt(variance + 1e-5) for x in column]

    n, d = first.shape
    one, other = ([scaled(z, j) for j in range(d)] for z in (first, second))
    return [[sum(one[i][b] * other[j][b] for b in range(n)) / n for j in range(d)] for i in range(d)]


def test_the_correlation_agrees_with_its_definition() -> None:
    first, second = normal(9, 4, name="a") * 3 + 1, normal(9, 4, name="b")
    torch.testing.assert_close(cross_correlation(first, second), torch.tensor(slow_correlation(first, second)))


def test_views_that_agree_and_whose_dimensions_are_independent_have_the_identity() -> None:
    z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    torch.testing.assert_close(cross_correlation(z, z), torch.eye(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(cross_correlation(z, -z), -torch.eye(2), atol=1e-4, rtol=0)


def test_what_does_not_vary_has_no_correlation() -> None:
    assert not cross_correlation(torch.ones(6, 3), torch.ones(6, 3)).any()


def test_the_correlation_is_fp32_under_autocast() -> None:
    first, second = normal(32, 16, name="a"), normal(32, 16, name="b")
    plain = cross_correlation(first, second)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(cross_correlation(first, second), plain)


class Given(torch.nn.Module):
    """Stands in for encoder and projection: what goes in comes out."""

    features = 2


@pytest.mark.parametrize("redundancy", [0.0, 0.005, 1.0])
def test_the_loss_weighs_what_is_redundant(redundancy: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both dimensions are one and the same: the diagonal is one, and so are the two numbers beside it."""
    z = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    objective = BarlowTwins(torch.nn.ModuleDict({"encoder": Given()}), None, None, projection=2, redundancy=redundancy)
    monkeypatch.setattr(objective, "features", lambda network, inputs: (z, z))
    objective.projection = torch.nn.Identity()
    out = objective(None, ())
    assert float(out["loss"]) == pytest.approx(2 * redundancy, abs=1e-4)
    assert float(out["redundancy"]) == pytest.approx(2, abs=1e-3)


def test_the_diagonal_is_taken_out() -> None:
    assert torch.equal(off_diagonal(torch.tensor([[1.0, 2.0], [3.0, 4.0]])), torch.tensor([[0.0, 2.0], [3.0, 0.0]]))
