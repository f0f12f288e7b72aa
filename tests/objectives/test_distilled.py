from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.objectives.distilled import PROBABILITIES, softened
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.testing.training import taught
from jetbench.views.view import fit_view

TASK, BINARY = (build_task(Component(name="classification", options=options(given))) for given in ({}, {"loss": "bce"}))
NOTHING = nn.Module()


def distilled(temperature: float, binary: bool = False) -> Objective:
    component = Component(name="distilled", options=options({"temperature": temperature}))
    return build_objective(component, NOTHING, BINARY if binary else TASK, NOTHING, seed=0)


def drawn(*shape: int) -> torch.Tensor:
    return 3 * torch.randn(shape, generator=torch_rng("logits"), dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 20.0])
def test_softened_probabilities_are_those_of_the_logits_over_the_temperature(temperature: float) -> None:
    logits = drawn(50, 4)
    torch.testing.assert_close(softened(logits.softmax(1), temperature), (logits / temperature).softmax(1))
    certain = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert torch.equal(softened(certain, temperature), certain)  # what has no probability gets none, and nothing is infinite


def test_of_a_certain_teacher_at_temperature_one_it_is_the_cross_entropy() -> None:
    outputs, labels = drawn(50, 4), torch.arange(50) % 4
    assert float(distilled(1.0).loss(outputs, F.one_hot(labels, 4).double())) == pytest.approx(
        float(F.cross_entropy(outputs, labels)), rel=1e-12
    )


@pytest.mark.parametrize("temperature", [1.0, 2.0, 20.0])
def test_the_gradient_is_that_of_the_paper_and_is_zero_where_the_student_is_the_teacher(temperature: float) -> None:
    """T²/n · (q − p)/T for each logit, equation 2 of arXiv:1503.02531 times T², in the mean over n jets."""
    teacher, outputs = drawn(50, 4), drawn(50, 4).flip(0).requires_grad_()
    objective = distilled(temperature)
    (found,) = torch.autograd.grad(objective.loss(outputs, teacher.softmax(1)), outputs)
    p, q = ((logits / temperature).softmax(1) for logits in (teacher, outputs))
    torch.testing.assert_close(found, temperature * (q - p) / 50)
    same = teacher.clone().requires_grad_()
    (gone,) = torch.autograd.grad(objective.loss(same, teacher.softmax(1)), same)
    torch.testing.assert_close(gone, torch.zeros_like(gone), rtol=0, atol=1e-14)


def test_the_gradient_nears_that_of_the_logits_where_the_temperature_is_high() -> None:
    """Equation 4 of the paper: (z − v)/N for logits of mean zero, times 1/n in the mean over n jets."""
    teacher, outputs = (logits - logits.mean(dim=1, keepdim=True) for logits in (drawn(50, 4), drawn(50, 4).flip(0)))
    outputs.requires_grad_()
    (found,) = torch.autograd.grad(distilled(1e5).loss(outputs, teacher.softmax(1)), outputs)
    torch.testing.assert_close(found, (outputs - teacher).detach() / 4 / 50, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_one_output_for_two_classes_is_taught_as_two_are(temperature: float) -> None:
    logit, teacher = drawn(50, 1), drawn(50, 2).flip(0).softmax(1)
    both = torch.cat([torch.zeros_like(logit), logit], dim=1)
    one = distilled(temperature, binary=True).loss(logit, teacher)
    torch.testing.assert_close(one, distilled(temperature).loss(both, teacher))


@pytest.fixture
def ground(toy_jets: Jets) -> tuple[JetTensors, Callable[[], tuple[Network, Objective]]]:
    tensors = taught(toy_jets)
    view = fit_view(Component(name="constituents", options=options({"number": 30})), tensors.batch(torch.arange(100)))

    def build() -> tuple[Network, Objective]:
        network = build_network(Component(name="deep-sets"), view.shapes, 2, seed=0)
        return network, build_objective(Component(name="distilled"), network, TASK, Look(view), seed=0)

    return tensors, build


def test_each_jet_is_shown_with_the_probabilities_of_its_own_row(
    ground: tuple[JetTensors, Callable[[], tuple[Network, Objective]]],
) -> None:
    tensors, build = ground
    rows = torch.tensor([7, 300, 2])
    network, objective = build()
    (seen,) = objective.views(tensors.batch(rows), torch_rng("v"))
    torch.testing.assert_close(seen.target, tensors.targets[PROBABILITIES][[7, 300, 2]])
    assert seen.target[1].tolist() == pytest.approx([0.6 + 0.35 * 300 / 399, 0.4 - 0.35 * 300 / 399])
    out = objective(network, (seen,))
    assert set(out) == {"loss", "accuracy"}  # of the likeliest class
    assert float(out["accuracy"]) == float((network(seen).argmax(1) == seen.target.argmax(1)).float().mean())


def test_labels_are_never_looked_at(ground: tuple[JetTensors, Callable[[], tuple[Network, Objective]]]) -> None:
    tensors, build = ground
    network, objective = build()
    batch = tensors.batch(torch.arange(16))
    blind = batch.replace(targets={name: column for name, column in batch.targets.items() if name != "label"})
    losses = [objective(network, objective.views(one, torch_rng("v")))["loss"] for one in (batch, blind)]
    assert torch.equal(*losses)
