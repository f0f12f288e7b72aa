from __future__ import annotations

import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives import UNLABELLED, objectives, passes_beside
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.views.view import fit_view

TASK = build_task(Component(name="classification"))


def build(jets: Jets, name: str, **given: object) -> tuple[Network, Objective]:
    view = fit_view(Component(name="constituents", options=options({"number": 30})), JetTensors(jets).batch(torch.arange(100)))
    network = build_network(Component(name="deep-sets"), view.shapes, 2, seed=0)
    look = Look(view, (Component(name="rotation"),))
    return network, build_objective(Component(name=name, options=options(given)), network, TASK, look, seed=0)


def batches(jets: Jets) -> tuple[Batch, Batch]:
    tensors = JetTensors(jets)
    return tensors.batch(torch.arange(16)), tensors.batch(torch.arange(16, 48)).replace(targets={})


def value(jets: Jets, name: str, **given: object) -> float:
    """The loss of a batch of labels, of one of the pool, or of both."""
    network, objective = build(jets, name, **given)
    labelled, pool = batches(jets)
    rng = torch_rng("v")
    supervised = build(jets, "supervised")[1]
    if name not in ("supervised", "labels+ssl"):
        supervised.views(labelled, rng)  # which come first
        return float(objective(network, objective.views(pool, rng))["loss"].detach())
    return float(objective(network, objective.shown(labelled, pool, rng))["loss"].detach())


@pytest.mark.parametrize("ssl", ["simclr", "moco", "masked"])
def test_the_loss_is_the_supervised_one_plus_so_many_times_that_on_the_pool(ssl: str, toy_jets: Jets) -> None:
    """Labelled jets look as they do without a pool, and heads of either are drawn as they are alone."""
    both = value(toy_jets, "labels+ssl", ssl=ssl, weight=0.3)
    assert both == pytest.approx(value(toy_jets, "supervised") + 0.3 * value(toy_jets, ssl), rel=1e-5)


def test_gradients_reach_the_head_from_the_labels_alone(toy_jets: Jets) -> None:
    network, objective = build(toy_jets, "labels+ssl", weight=0.0)
    labelled, pool = batches(toy_jets)
    objective(network, objective.shown(labelled, pool, torch_rng("v")))["loss"].backward()
    plain, supervised = build(toy_jets, "supervised")
    supervised(plain, supervised.views(labelled, torch_rng("v")))["loss"].backward()
    torch.testing.assert_close(network.head.weight.grad, plain.head.weight.grad)
    assert not any(parameter.grad.any() for parameter in objective.beside.parameters() if parameter.grad is not None)


def test_the_teacher_of_the_objective_beside_moves(toy_jets: Jets) -> None:
    network, objective = build(toy_jets, "labels+ssl", ssl="byol")
    before = objective.beside.teacher.particle[0].weight.clone()
    with torch.no_grad():
        network.encoder.particle[0].weight.add_(1)
    objective.after_step(network, 0.0)
    torch.testing.assert_close(objective.beside.teacher.particle[0].weight, before + 0.01)


def test_every_objective_that_needs_no_labels_can_stand_beside() -> None:
    assert set(UNLABELLED) == {entry.name for entry in objectives if not entry.labelled}


@pytest.mark.parametrize("name", [entry.name for entry in objectives])
def test_a_table_without_torch_knows_how_often_an_objective_looks(name: str, toy_jets: Jets) -> None:
    assert build(toy_jets, name)[1].views_per_jet == objectives[name].views


def test_passes_beside_are_those_of_the_chosen_objective() -> None:
    found = [passes_beside(Component(name="labels+ssl", options=options({"ssl": ssl}))) for ssl in ("byol", "masked")]
    assert found == [2, 1]
    assert [passes_beside(Component(name=name)) for name in ("labels+ssl", "supervised", "simclr")] == [2, 0, 0]
