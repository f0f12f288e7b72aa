from __future__ import annotations

import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import Network, build_network
from jetbench.objectives.base import Look, build_objective
from jetbench.objectives.masked import Masked, hidden_loss
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.views.view import FittedView, fit_view

TASK = build_task(Component(name="classification"))


def fitted(jets: Jets, number: int = 30) -> FittedView:
    view = Component(name="constituents", options=options({"number": number}))
    return fit_view(view, JetTensors(jets).batch(torch.arange(100)))


def build(view: FittedView, **given: float) -> tuple[Network, Masked]:
    network = build_network(Component(name="deep-sets"), view.shapes, 2, seed=0)
    objective = build_objective(Component(name="masked", options=options(given)), network, TASK, Look(view), seed=0)
    assert isinstance(objective, Masked)
    return network, objective


def test_the_loss_in_closed_form() -> None:
    prediction, content = torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([[0.0, 2.0], [3.0, 1.0]])
    assert float(hidden_loss(prediction, content)) == (1 + 0 + 9 + 4) / 4
    assert float(hidden_loss(torch.zeros(0, 2), torch.zeros(0, 2))) == 0
    with torch.autocast("cpu", torch.bfloat16):
        assert hidden_loss(prediction.bfloat16(), content).dtype == torch.float32


def test_each_hidden_place_is_decoded_from_the_features_of_its_own_jet(toy_jets: Jets) -> None:
    """The loss is that of a loop over jets and hidden places; padding has no part in it."""
    view = fitted(toy_jets)
    network, objective = build(view)
    (seen,) = objective.views(JetTensors(toy_jets).batch(torch.arange(12)), torch_rng("v"))
    network.requires_grad_(False)
    objective.requires_grad_(False)
    features, errors = network.encoder(seen), []
    for jet, place in seen["hidden"].nonzero().tolist():
        told = objective.of_features(features[jet]) + objective.of_place(seen["place"][jet, place])
        errors.append((objective.decoder(told) - seen["content"][jet, place]).square().mean())
    assert not seen["hidden"].all()
    assert float(objective(network, (seen,))["loss"]) == pytest.approx(float(sum(errors)) / len(errors), rel=1e-4)


def test_a_share_of_the_deposits_is_hidden(toy_jets: Jets) -> None:
    batch = JetTensors(toy_jets).batch(torch.arange(100))
    for share in (0.2, 0.7):
        (seen,) = build(fitted(toy_jets, number=99), hidden=share)[1].views(batch, torch_rng("v"))
        hidden = int(seen["hidden"].sum())
        assert hidden + int(seen.mask.sum()) == len(batch.jet)
        assert hidden / len(batch.jet) == pytest.approx(share, abs=0.03)


def test_a_jet_of_which_nothing_is_left_is_no_error(toy_jets: Jets) -> None:
    network, objective = build(fitted(toy_jets), hidden=0.999)
    loss = objective(network, objective.views(JetTensors(toy_jets).batch(torch.arange(8)), torch_rng("v")))["loss"]
    assert loss.isfinite()
