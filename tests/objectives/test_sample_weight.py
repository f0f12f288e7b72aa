"""Weights of jets in a supervised loss: a weight of two is the jet twice, a weight of zero no jet at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network, network_for
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.objectives.distilled import softened
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.tasks.classification import Classification
from jetbench.tasks.regression import Regression
from jetbench.tasks.task import Task
from jetbench.testing.training import taught
from jetbench.training.bundle import fit_preprocessing

VIEW = Component(name="image", options=options({"pixels": 8, "extent": 0.8}))
MODEL = Component(name="resnet15", options=options({"stages": "8-16", "dropout": 0.0}))
ROWS = torch.arange(6)
CLASSES, MASSES = Component(name="classification"), Component(name="regression", options=(("target", "mass"),))
BCE = Component(name="classification", options=(("loss", "bce"),))


class Trial:
    """A network and an objective without any chance, on some jets."""

    def __init__(self, jets: Jets, task: Component, objective: str, **given: Any) -> None:
        self.tensors: JetTensors = taught(jets)
        built = build_task(task)
        self.task: Task = built.fitted(built.target(jets), jets.meta)
        view = fit_preprocessing(VIEW, self.tensors, np.arange(100)).fitted
        self.network: Network = network_for(MODEL, view, self.task.outputs(jets.meta), 1)
        component = Component(name=objective, options=options(given))
        self.objective: Objective = build_objective(component, self.network, self.task, Look(view), 1)

    def loss(self, rows: Tensor, weight: list[float] | None = None) -> tuple[float, Tensor]:
        """The loss of a batch, and its gradient."""
        batch = self.tensors.batch(rows)
        batch = batch if weight is None else batch.replace(weight=torch.tensor(weight))
        self.network.zero_grad()
        torch.manual_seed(0)
        loss = self.objective(self.network, self.objective.views(batch, torch_rng("views")))["loss"]
        loss.backward()
        return float(loss.detach()), torch.cat([p.grad.flatten() for p in self.network.parameters() if p.grad is not None])


@pytest.mark.parametrize(
    ("task", "objective"),
    [(CLASSES, "supervised"), (BCE, "supervised"), (MASSES, "supervised"), (CLASSES, "distilled")],
    ids=["classes", "bce", "mass", "distilled"],
)
def test_a_weight_of_two_is_the_jet_twice_and_of_zero_none(toy_jets: Jets, task: Component, objective: str) -> None:
    trial = Trial(toy_jets, task, objective)
    for weights, rows in (([2.0, 1, 1, 1, 1, 1], [0, 0, 1, 2, 3, 4, 5]), ([0.0, 1, 1, 1, 0, 1], [1, 2, 3, 5])):
        unit = [6 * weight / sum(weights) for weight in weights]
        loss, gradient = trial.loss(ROWS, unit)
        expected, slope = trial.loss(torch.tensor(rows))
        assert loss == pytest.approx(expected, rel=1e-5)
        torch.testing.assert_close(gradient, slope, rtol=1e-3, atol=1e-6)
        assert loss != pytest.approx(trial.loss(ROWS)[0], rel=1e-4)


def test_equal_weights_change_nothing(toy_jets: Jets) -> None:
    trial = Trial(toy_jets, CLASSES, "supervised")
    assert trial.loss(ROWS, [1.0] * 6)[0] == pytest.approx(trial.loss(ROWS)[0], rel=1e-6)


@pytest.mark.parametrize("task", [CLASSES, BCE], ids=["classes", "bce"])
def test_the_loss_of_a_mixed_jet_has_the_weight_of_each_on_its_own_part(toy_jets: Jets, task: Component) -> None:
    trial = Trial(toy_jets, task, "mixup", alpha=1.0)
    weight = torch.tensor([2.0, 0.0, 1.0, 0.5, 1.5, 1.0])
    batch, rng = trial.tensors.batch(ROWS), torch_rng("views")
    share = np.random.default_rng(int(torch.randint(2**62, (), generator=rng))).beta(1.0, 1.0)
    partner = torch.randperm(6, generator=rng)
    (seen,) = trial.objective.views(batch.replace(weight=weight), torch_rng("views"))
    every = trial.network.every(seen)[:, 0].detach()
    outputs = every if every.shape[1] == 2 else torch.cat([torch.zeros_like(every), every], dim=1)
    labels = batch.targets["label"].long()
    alone = [F.cross_entropy(outputs, truth, reduction="none") for truth in (labels, labels[partner])]
    expected = (share * weight * alone[0] + (1 - share) * weight[partner] * alone[1]).mean()
    assert trial.loss(ROWS, weight.tolist())[0] == pytest.approx(float(expected), rel=1e-5)


def test_mixed_jets_without_any_weight_are_no_number_that_is_not_finite(toy_jets: Jets) -> None:
    loss, gradient = Trial(toy_jets, CLASSES, "mixup").loss(ROWS, [0.0] * 6)
    assert loss == 0
    assert gradient.abs().max() == 0


def test_jets_of_the_pool_have_no_weight(toy_jets: Jets) -> None:
    """Beside a label budget the loss on the pool is what it is without weights."""
    trial = Trial(toy_jets, CLASSES, "labels+ssl")
    found = []
    for weight in (None, torch.tensor([2.0, 1, 1, 1, 1, 0])):
        batch = trial.tensors.batch(ROWS).replace(weight=weight)
        shown = trial.objective.shown(batch, trial.tensors.batch(ROWS + 6), torch_rng("views"))
        found.append(trial.objective(trial.network, shown))
    assert float(found[0]["unlabelled_loss"]) == float(found[1]["unlabelled_loss"])
    assert float(found[0]["supervised_loss"]) != float(found[1]["supervised_loss"])


@pytest.mark.parametrize("task", [Classification(), Regression("mass")])
def test_a_task_that_knows_only_its_loss_weighs_jet_by_jet(task: Task) -> None:
    outputs = torch.randn(5, 2 if isinstance(task, Classification) else 1, generator=torch_rng("o"))
    encoded = softened(torch.rand(outputs.shape, generator=torch_rng("e")), 1.0)
    weight = torch.tensor([0.0, 1, 2, 0.5, 1.5])
    slow = Task.weighted_loss(task, outputs, encoded, weight)
    torch.testing.assert_close(slow, task.weighted_loss(outputs, encoded, weight))
