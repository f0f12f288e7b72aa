from __future__ import annotations

import numpy as np

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models.network import build_network
from jetbench.spec import Component, options
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.flops import forward_flops


def test_the_operations_of_deep_sets_are_two_per_weight_and_constituent(toy_jets: Jets) -> None:
    """Layers 7-8-16 for each of 10 constituents and 16-4 and 4-2 for the jet, as many inputs as the view has."""
    view = Component(name="constituents", options=options({"number": 10}))
    tensors, rows = JetTensors(toy_jets), np.arange(50)
    fitted = fit_preprocessing(view, tensors, rows).fitted
    model = Component(name="deep-sets", options=options({"particle": "8-16", "jet": "4"}))
    network = build_network(model, fitted.shapes, outputs=2, seed=0)
    network.train()
    inputs = fitted.shapes["constituents"][1]
    expected = 2 * (10 * (inputs * 8 + 8 * 16) + 16 * 4 + 4 * 2)
    assert forward_flops(network, fitted, tensors, rows) == expected
    assert network.training
