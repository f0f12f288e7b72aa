from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from jetbench.data.batch import JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Grid, Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.objectives.simclr import info_nce
from jetbench.objectives.supervised import Mixup, Supervised
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.tasks import build_task
from jetbench.views.image import ImageView
from jetbench.views.scaling import ChannelScaling, Scaling

GRID = Grid(rows=8, columns=8, eta_extent=0.8, phi_extent=0.8)
TASK = build_task(Component(name="classification"))


def slow_info_nce(z: torch.Tensor, temperature: float) -> float:
    """The definition, pair by pair, in double precision."""
    z = F.normalize(z.double(), dim=1)
    n = len(z)
    total = 0.0
    for i in range(n):
        similarity = [math.exp(float(z[i] @ z[j]) / temperature) for j in range(n)]
        total -= math.log(similarity[(i + n // 2) % n] / (sum(similarity) - similarity[i]))
    return total / n


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_info_nce_agrees_with_its_definition(temperature: float) -> None:
    z = torch.randn(12, 5, generator=torch_rng("z"))
    assert float(info_nce(z, temperature)) == pytest.approx(slow_info_nce(z, temperature), rel=1e-4)


def test_info_nce_is_fp32_under_autocast() -> None:
    z = torch.randn(64, 16, generator=torch_rng("z"))
    plain = info_nce(z, 0.02)
    with torch.autocast("cpu", torch.bfloat16):
        assert float(info_nce(z.bfloat16().float(), 0.02)) == float(info_nce(z.bfloat16(), 0.02))
        assert float(info_nce(z, 0.02)) == float(plain)


def test_info_nce_in_closed_form() -> None:
    """Two jets whose views agree and who are orthogonal: log(1 + 2·exp(−1/τ)); equal everything: log(2n − 1)."""
    z = torch.eye(2).repeat(2, 1)
    assert float(info_nce(z, 0.5)) == pytest.approx(math.log(1 + 2 * math.exp(-2)), rel=1e-6)
    assert float(info_nce(torch.ones(8, 3), 0.1)) == pytest.approx(math.log(7), rel=1e-6)


def test_info_nce_is_stable_at_the_lowest_temperature() -> None:
    assert math.isfinite(float(info_nce(torch.randn(64, 8) * 1e4, 0.01)))


LOG = ChannelScaling(function="log1p", x0=1.0, spread=1.0)
LOOK = Look(ImageView(frame=GRID, scaling=Scaling(channels=(LOG, LOG, LOG))), (Component(name="rotation"),))


def build(name: str) -> tuple[Network, Objective]:
    network = build_network(Component(name="resnet15"), {"image": (3, 8, 8)}, outputs=2, seed=0)
    return network, build_objective(Component(name=name), network, TASK, LOOK, seed=0)


def test_the_two_views_of_simclr_differ(toy_jets: Jets) -> None:
    _, objective = build("simclr")
    first, second = objective.views(JetTensors(toy_jets).batch(torch.arange(8)), torch_rng("v"))
    assert not torch.equal(first["image"], second["image"])


def test_the_temperature_learns_and_stays_in_its_bounds() -> None:
    _, objective = build("simclr")
    assert float(objective.log_temperature.exp().detach()) == pytest.approx(0.07)
    assert objective.log_temperature.requires_grad


@pytest.mark.parametrize("temperature", [0.0, 0.005, 2.0])
def test_a_temperature_without_a_gradient_is_refused(temperature: float) -> None:
    network, objective = build("simclr")
    with pytest.raises(SuiteError, match=r"simclr: temperature .*; it is in \[0\.01, 1\.0\]"):
        type(objective).build(network, objective.task, LOOK, 0, temperature=temperature)


def test_mixup_shares_follow_the_beta_distribution(toy_jets: Jets) -> None:
    objective = Mixup(build("mixup")[0], TASK, LOOK, alpha=0.4)
    jets = JetTensors(toy_jets).batch(torch.arange(2))  # one of each class
    shares = torch.stack([objective.views(jets, torch_rng("m", i))[0].target.max() for i in range(400)])
    # of Beta(0.4, 0.4) folded at one half, half a batch's permutations being the identity with a share of one
    assert 0.85 < float(shares.mean()) < 0.97


def test_class_weights_are_those_of_the_training_labels(toy_jets: Jets) -> None:
    """With three background jets for a top in the training, a top counts three times as much; trials see the plain loss."""
    network, _ = build("supervised")
    task = TASK.fitted(np.array([0, 0, 0, 1]), toy_jets.meta)
    inputs = Supervised(network, task, LOOK).views(JetTensors(toy_jets).batch(torch.arange(16)), torch_rng("v"))
    network.eval()
    plain, weighted = (
        Supervised(network, task, LOOK, class_weights=kind)(network, inputs)["loss"] for kind in ("none", "balanced")
    )
    (seen,) = inputs
    each = F.cross_entropy(network(seen), seen.target, reduction="none")
    assert float(plain.detach()) == pytest.approx(float(each.mean().detach()), rel=1e-5)
    weights = torch.where(seen.target[:, 1] == 1, 2.0, 2 / 3)
    assert float(weighted.detach()) == pytest.approx(float((weights * each).mean().detach()), rel=1e-5)


def test_jets_are_augmented_before_they_are_mixed(toy_jets: Jets) -> None:
    """An image of mixup is the mean of two images that the same draws have turned, each on its own."""
    jets = JetTensors(toy_jets).batch(torch.arange(16))
    objective = build_objective(Component(name="mixup"), build("mixup")[0], TASK, LOOK, seed=0)
    (mixed,), rng = objective.views(jets, torch_rng("m")), torch_rng("m")
    plain = LOOK(jets, rng)["image"]
    share = np.random.default_rng(int(torch.randint(2**62, (), generator=rng))).beta(0.2, 0.2)
    partner = torch.randperm(16, generator=rng)
    assert torch.equal(mixed["image"], share * plain + (1 - share) * plain[partner])
    labels = F.one_hot(jets.targets["label"].long(), 2).float()
    assert torch.equal(mixed.target, share * labels + (1 - share) * labels[partner])
