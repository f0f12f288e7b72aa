from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import build_network
from jetbench.objectives.base import Look, build_objective
from jetbench.objectives.simclr import info_nce
from jetbench.objectives.supcon import supervised_contrastive_loss
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.tasks import build_task
from jetbench.training.bundle import fit_preprocessing


def normal(*shape: int, name: str) -> torch.Tensor:
    return torch.randn(*shape, generator=torch_rng(name))


def slow_loss(z: torch.Tensor, labels: list[int], temperature: float) -> float:
    """The definition, pair by pair, in double precision."""
    z = F.normalize(z.double(), dim=1)
    n, total = len(z), 0.0
    for i in range(n):
        others = [a for a in range(n) if a != i]
        below = sum(math.exp(float(z[i] @ z[a]) / temperature) for a in others)
        positives = [p for p in others if labels[p] == labels[i]]
        total -= sum(math.log(math.exp(float(z[i] @ z[p]) / temperature) / below) for p in positives) / len(positives)
    return total / n


def test_the_loss_agrees_with_its_definition() -> None:
    z, labels = normal(12, 5, name="z"), [0, 1, 2, 0, 1, 0] * 2
    assert float(supervised_contrastive_loss(z, torch.tensor(labels), 0.1)) == pytest.approx(slow_loss(z, labels, 0.1), rel=1e-4)


def test_where_each_jet_is_a_class_of_its_own_it_is_that_of_simclr() -> None:
    z = normal(16, 5, name="z")
    labels = torch.arange(8).repeat(2)
    assert float(supervised_contrastive_loss(z, labels, 0.2)) == pytest.approx(float(info_nce(z, 0.2)), rel=1e-5)


def test_the_loss_in_closed_form() -> None:
    """Where all jets of a class are one, and the classes orthogonal, an anchor has three likes and four others."""
    z, labels = torch.eye(2).repeat(4, 1), torch.arange(2).repeat(4)
    found = float(supervised_contrastive_loss(z, labels, 0.5))
    assert found == pytest.approx(math.log(3 + 4 * math.exp(-2)), rel=1e-5)


def test_the_loss_is_fp32_under_autocast() -> None:
    z, labels = normal(64, 16, name="z"), torch.arange(4).repeat(16)
    plain = supervised_contrastive_loss(z, labels, 0.02)
    with torch.autocast("cpu", torch.bfloat16):
        assert float(supervised_contrastive_loss(z, labels, 0.02)) == float(plain)


def test_it_is_told_the_classes_of_its_batch(toy_jets: Jets) -> None:
    """With other labels of the same jets the loss is another; both views carry them."""
    jets = JetTensors(toy_jets)
    view = fit_preprocessing(Component(name="constituents"), jets, torch.arange(100).numpy()).fitted
    network = build_network(Component(name="deep-sets"), view.shapes, 2, seed=0)
    task = build_task(Component(name="classification"))
    objective = build_objective(Component(name="supcon"), network, task, Look(view), seed=0)
    batch = jets.batch(torch.arange(16))
    inputs = objective.views(batch, torch_rng("v"))
    assert all(torch.equal(seen.target[:, 0], batch.targets["label"]) for seen in inputs)
    other = tuple(seen.with_target(seen.target.roll(1) * (torch.arange(16) < 8)[:, None]) for seen in inputs)
    assert float(objective(network, inputs)["loss"].detach()) != float(objective(network, other)["loss"].detach())
