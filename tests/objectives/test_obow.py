from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from jetbench.data.batch import JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives.base import Look, build_objective
from jetbench.objectives.obow import OBoW, bag_loss, bag_of_words
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.views.view import fit_view

TASK = build_task(Component(name="classification"))


def normal(*shape: int, name: str) -> torch.Tensor:
    return torch.randn(*shape, generator=torch_rng(name))


def slow_bag(local: torch.Tensor, mask: torch.Tensor, words: torch.Tensor, sharpness: float) -> np.ndarray:
    """The definition, place by place, in double precision."""
    apart = [[[float((x - w).double().square().sum()) for w in words] for x in jet] for jet in local]
    there = [(i, j) for i in range(len(local)) for j in range(local.shape[1]) if mask[i, j]]
    width = sharpness * sum(min(apart[i][j]) for i, j in there) / len(there)
    bags = np.zeros((len(local), len(words)))
    for i, j in there:
        shares = np.exp([-(one - min(apart[i][j])) / width for one in apart[i][j]])
        bags[i] = np.maximum(bags[i], shares / shares.sum())
    return bags / np.maximum(bags.sum(axis=1, keepdims=True), 1e-12)


def test_a_bag_agrees_with_its_definition_whatever_the_padding() -> None:
    local, words = normal(4, 6, 3, name="l"), normal(5, 3, name="w")
    mask = torch.rand(4, 6, generator=torch_rng("m")) < 0.6
    mask[3] = False
    found = bag_of_words(local, mask, words, 0.5)
    np.testing.assert_allclose(found, slow_bag(local, mask, words, 0.5), atol=1e-5)
    assert not found[3].any()
    padded = torch.where(mask[..., None], local, 1e3)
    assert torch.equal(bag_of_words(padded, mask, words, 0.5), found)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(bag_of_words(local, mask, words, 0.5), found)


def test_a_bag_in_closed_form() -> None:
    """Places that are words, each of which is equally far from all others: the words that stand in a jet have equal shares."""
    words = torch.eye(4)
    found = bag_of_words(torch.stack([words[:2], words[[3, 3]]]), torch.ones(2, 2, dtype=torch.bool), words, 0.1)
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]))


def test_the_loss_in_closed_form() -> None:
    """Of a word that is predicted with a product of two more than all others, and of no difference."""
    bag = torch.tensor([[1.0, 0, 0]])
    found = float(bag_loss(torch.tensor([[2.0, 0]]), torch.tensor([[1.0, 0], [0, 1], [0, 1]]), bag))
    assert found == pytest.approx(math.log(1 + 2 * math.exp(-2)))
    assert float(bag_loss(torch.zeros(1, 2), torch.ones(3, 2), torch.full((1, 3), 1 / 3))) == pytest.approx(math.log(3))


def build(jets: Jets, model: str = "deep-sets", **given: float) -> tuple[Network, OBoW]:
    view = fit_view(Component(name="constituents", options=options({"number": 30})), JetTensors(jets).batch(torch.arange(100)))
    network = build_network(Component(name=model), view.shapes, 2, seed=0)
    look = Look(view, (Component(name="rotation"),))
    objective = build_objective(Component(name="obow", options=options(given)), network, TASK, look, seed=0)
    assert isinstance(objective, OBoW)
    return network, objective


@pytest.mark.parametrize("model", ["deep-sets", "particle-transformer", "particlenet"])
def test_each_jet_of_a_step_gives_a_word_and_the_oldest_go(model: str, toy_jets: Jets) -> None:
    network, objective = build(toy_jets, model, words=24)
    before, batch = objective.vocabulary.clone(), JetTensors(toy_jets).batch(torch.arange(16))
    first, second = objective.views(batch, torch_rng("v"))
    objective.eval()
    objective(network, (first, second))["loss"].backward()
    with torch.no_grad():
        local, mask = objective.teacher.local(second)
    objective.after_step(network, 0.0)
    assert torch.equal(objective.vocabulary[:8], before[16:])
    for jet, word in enumerate(objective.vocabulary[8:]):
        assert (local[jet][mask[jet]] - word).abs().amax(dim=1).min() < 1e-5


def test_the_student_learns_and_the_teacher_follows(toy_jets: Jets) -> None:
    network, objective = build(toy_jets, momentum=0.9)
    objective(network, objective.views(JetTensors(toy_jets).batch(torch.arange(16)), torch_rng("v")))["loss"].backward()
    assert all(parameter.grad is not None for parameter in network.encoder.parameters())
    assert all(parameter.grad is None for parameter in objective.teacher.parameters())
    before = objective.teacher.particle[0].weight.clone()
    with torch.no_grad():
        network.encoder.particle[0].weight.add_(1.0)
    objective.after_step(network, 0.0)
    torch.testing.assert_close(objective.teacher.particle[0].weight, before + 0.1)


def test_an_encoder_without_parts_is_named() -> None:
    network = Network(nn.Linear(2, 4), nn.Linear(4, 2))
    with pytest.raises(SuiteError, match="obow: Linear has no features of parts of a jet"):
        OBoW(network, TASK, None)
