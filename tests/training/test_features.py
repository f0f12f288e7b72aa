"""What the diagnostics of collapse say of features whose state is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from jetbench.data.batch import JetTensors
from jetbench.errors import DivergenceError
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives.base import Look
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.features import alignment, diagnoser, effective_rank, standard_deviation, uniformity

FLIP = (Component(name="flip"), Component(name="drop"))


def normal(*shape: int, name: str = "z") -> torch.Tensor:
    return torch.randn(*shape, generator=torch_rng(name))


def test_features_in_all_directions_have_the_standard_deviation_one() -> None:
    assert standard_deviation(normal(4000, 32)) == pytest.approx(1, abs=0.02)
    assert standard_deviation(torch.ones(10, 4)) == 0
    assert standard_deviation(torch.zeros(10, 4)) == 0


def test_the_standard_deviation_says_how_alike_two_jets_are() -> None:
    """Where every dimension varies as much, its square is one minus the mean cosine between different jets."""
    signs = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    features = torch.cat([signs, -signs])
    z = F.normalize(features, dim=1)
    cosine = ((z @ z.T).sum() - 8) / 56
    assert standard_deviation(features) ** 2 == pytest.approx(1 - float(cosine), rel=1e-5)


def slow_rank(features: torch.Tensor) -> float:
    """From the eigenvalues of the Gram matrix, number by number."""
    values = [math.sqrt(max(0.0, float(v))) for v in np.linalg.eigvalsh((features.double().T @ features.double()).numpy())]
    shares = [value / sum(values) for value in values if value > 1e-12]
    return math.exp(-sum(share * math.log(share) for share in shares))


def test_the_effective_rank_agrees_with_its_definition() -> None:
    features = normal(40, 6) * torch.arange(1, 7) + 1
    assert effective_rank(features) == pytest.approx(slow_rank(features), rel=1e-4)
    assert effective_rank(torch.eye(8)[:5]) == pytest.approx(5)
    assert effective_rank(torch.ones(9, 4)) == pytest.approx(1, abs=1e-4)
    assert effective_rank(torch.zeros(9, 4)) == 0


def test_alignment_and_uniformity_agree_with_their_definitions() -> None:
    first, second = normal(7, 3, name="a"), normal(7, 3, name="b")
    one, other = F.normalize(first, dim=1).tolist(), F.normalize(second, dim=1).tolist()

    def squared(x: list[float], y: list[float]) -> float:
        return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))

    assert alignment(first, second) == pytest.approx(sum(map(squared, one, other)) / 7, rel=1e-5)
    pairs = [math.exp(-2 * squared(one[i], one[j])) for i in range(7) for j in range(i)]
    assert uniformity(first) == pytest.approx(math.log(sum(pairs) / len(pairs)), rel=1e-5)
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0, abs=1e-6)


def built(jets: Jets, model: str = "deep-sets") -> tuple[Network, JetTensors, Look]:
    tensors = JetTensors(jets)
    name = "constituents" if model == "deep-sets" else "image"
    options = () if model == "deep-sets" else (("extent", 0.8), ("pixels", 8))
    view = fit_preprocessing(Component(name=name, options=options), tensors, np.arange(200)).fitted
    return build_network(Component(name=model), view.shapes, 2, seed=0), tensors, Look(view, FLIP)


def test_the_same_views_of_the_same_jets_are_looked_at_each_time(toy_jets: Jets) -> None:
    """Whatever the state of the generators, so that a training which goes on sees the same curve."""
    network, jets, look = built(toy_jets)
    diagnose = diagnoser(network, look, jets, np.arange(300), "fp32")
    first = diagnose()
    torch.manual_seed(5)
    assert first == diagnose() == diagnoser(network, look, jets, np.arange(300), "fp32")()
    assert set(first) == {"standard_deviation", "effective_rank", "alignment", "uniformity"}
    assert first["alignment"] > 0


def test_an_encoder_that_collapses_is_told_from_one_that_does_not(toy_jets: Jets) -> None:
    network, jets, look = built(toy_jets)
    diagnose = diagnoser(network, look, jets, np.arange(300), "fp32")
    alive = diagnose()
    with torch.no_grad():
        network.encoder.jet[-2].weight.mul_(1e-6)
        network.encoder.jet[-2].bias.fill_(1.0)
    dead = diagnose()
    assert dead["standard_deviation"] < 1e-4 < 1e-2 < alive["standard_deviation"]
    assert dead["effective_rank"] == pytest.approx(1, abs=1e-3)
    assert alive["effective_rank"] > 1.5
    assert abs(dead["uniformity"]) < 1e-6 < -alive["uniformity"]


def test_batch_normalisation_and_dropout_are_looked_at_as_in_predictions(toy_jets: Jets) -> None:
    """The statistics stay what they were, and so does the mode."""
    network, jets, look = built(toy_jets, "resnet15-bn")
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    diagnoser(network, look, jets, np.arange(64), "fp32")()
    assert network.encoder.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_features_that_are_not_finite_are_a_divergence(toy_jets: Jets) -> None:
    network, jets, look = built(toy_jets)
    diagnose = diagnoser(network, look, jets, np.arange(64), "fp32")
    with torch.no_grad():
        network.encoder.jet[-2].bias.fill_(torch.inf)
    with pytest.raises(DivergenceError, match="those of 128 of 128 views are not finite"):
        diagnose()
