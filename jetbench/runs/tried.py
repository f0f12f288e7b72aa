"""A network of a plan before anything is simulated: built, and shown made-up jets that share what the planned ones share."""

from __future__ import annotations

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets, Meta
from jetbench.models.network import network_for, shape_fault
from jetbench.spec import RunSpec
from jetbench.tasks import build_task
from jetbench.training.bundle import fit_preprocessing

__all__ = ["network_fault", "some_jets"]

SHOWN, DEPOSITS = 12, 20  # jets, and deposits of each


def network_fault(spec: RunSpec, meta: Meta) -> str:
    """Say what is wrong with the features that the network of a run makes of jets with `meta`, or what it fails with; empty where
    nothing is."""
    tensors, rows = JetTensors(some_jets(meta, SHOWN, DEPOSITS)), np.arange(SHOWN)
    try:
        view = fit_preprocessing(spec.view, tensors, rows).fitted
        encoder = network_for(spec.model, view, build_task(spec.task).outputs(meta), spec.seed).encoder.eval()
        with torch.no_grad():
            return shape_fault(encoder(view(tensors.batch(torch.from_numpy(rows)))), SHOWN, encoder)
    except Exception as error:  # of a plug-in's code, whatever it is
        return f"{type(error).__name__}: {error}"


def some_jets(meta: Meta, jets: int, deposits: int) -> Jets:
    """Make jets without targets, of so many deposits each, around the axis. What is shown of them has the shapes that it has of
    all jets with `meta`."""
    rng, number = np.random.default_rng(0), jets * deposits
    eta, phi = rng.normal(0.0, 0.1, (2, number)).astype(np.float32)
    values = rng.exponential(1.0, (number, len(meta.channels))).astype(np.float32)
    zeros, ones = np.zeros(jets, np.float32), np.ones(jets, np.float32)
    return Jets(
        meta=meta,
        offsets=deposits * np.arange(jets + 1),
        eta=eta,
        phi=phi,
        values=values,
        jet_eta=zeros,
        jet_phi=zeros,
        jet_pt=ones,
        event=np.arange(jets),
        targets={},
    )
