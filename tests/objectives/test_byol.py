from __future__ import annotations

import math

import pytest
import torch
from objectives.line import on_a_line

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network
from jetbench.objectives.byol import BYOL, regression_loss
from jetbench.seeds import torch_rng
from jetbench.views.inputs import Inputs


def build(**given: object) -> tuple[Network, BYOL]:
    network, byol = on_a_line("byol", **{"projection": 3, **given})
    assert isinstance(byol, BYOL)
    return network, byol


def inputs_of(byol: BYOL, jets: Jets) -> tuple[Inputs, ...]:
    return byol.views(JetTensors(jets).batch(torch.arange(6)), torch_rng("v"))


def slow_regression(prediction: torch.Tensor, target: torch.Tensor) -> float:
    """The squared distance of the normalised rows, number by number."""
    total = 0.0
    for one, other in zip(prediction.double().tolist(), target.double().tolist(), strict=True):
        long, wide = (math.sqrt(sum(x * x for x in row)) for row in (one, other))
        total += sum((x / long - y / wide) ** 2 for x, y in zip(one, other, strict=True))
    return total / len(prediction)


def test_the_regression_agrees_with_its_definition() -> None:
    one, other = (torch.randn(7, 5, generator=torch_rng(name)) for name in ("a", "b"))
    assert float(regression_loss(one, other)) == pytest.approx(slow_regression(one, other), rel=1e-5)
    assert float(regression_loss(one, 3 * one)) == pytest.approx(0, abs=1e-6)
    assert float(regression_loss(one, -one)) == pytest.approx(4)


def test_the_loss_is_that_of_both_directions(toy_jets: Jets) -> None:
    """Each view is predicted from the other; the teacher has no gradient."""
    network, byol = build()
    first, second = inputs = inputs_of(byol, toy_jets)
    online = [byol.predictor(byol.projection(network.encoder(seen))) for seen in (first, second)]
    target = [byol.teacher_projection(byol.teacher(seen)) for seen in (first, second)]
    slow = slow_regression(online[0], target[1]) + slow_regression(online[1], target[0])
    loss = byol(network, inputs)["loss"]
    assert float(loss.detach()) == pytest.approx(slow, rel=1e-5)
    loss.backward()
    assert all(parameter.grad is not None for parameter in byol.predictor.parameters())
    teachers = [*byol.teacher.parameters(), *byol.teacher_projection.parameters()]
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in teachers)


@pytest.mark.parametrize(("progress", "momentum"), [(0.0, 0.9), (0.5, 0.95), (1.0, 1.0)])
def test_the_teacher_follows_the_slower_the_further_the_training_is(progress: float, momentum: float) -> None:
    network, byol = build(momentum=0.9)
    before = byol.teacher.map.weight.clone(), byol.teacher_projection[0].weight.clone()
    with torch.no_grad():
        network.encoder.map.weight.add_(1.0)
        byol.projection[0].weight.add_(1.0)
    byol.after_step(network, progress)
    torch.testing.assert_close(byol.teacher.map.weight, before[0] + 1 - momentum)
    torch.testing.assert_close(byol.teacher_projection[0].weight, before[1] + 1 - momentum)


def test_the_teacher_has_the_statistics_of_its_student(toy_jets: Jets) -> None:
    network, byol = build()
    byol(network, inputs_of(byol, toy_jets))
    byol.after_step(network, 0.0)
    mean = byol.projection[1].running_mean
    assert mean.any()
    assert torch.equal(byol.teacher_projection[1].running_mean, mean)
