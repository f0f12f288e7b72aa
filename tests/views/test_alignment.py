from __future__ import annotations

import numpy as np
import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.spec import Component, options
from jetbench.views.alignment import align
from jetbench.views.transforms import reflect, rotate
from jetbench.views.view import FittedView, fit_view


@pytest.fixture
def batch(toy_jets: Jets) -> Batch:
    return JetTensors(toy_jets).batch(torch.arange(50))


def assert_alike(one: Batch, other: Batch, tolerance: float = 0.0) -> None:
    torch.testing.assert_close(one.eta, other.eta, atol=tolerance, rtol=0)
    torch.testing.assert_close(one.phi, other.phi, atol=tolerance, rtol=0)


def slow(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One jet: the eigenvector of the larger eigenvalue becomes the eta axis, and of the four mirror images that one is taken
    which has the most pT where both coordinates are positive."""
    moments = np.array([[np.sum(pt * a * b) for a in (eta, phi)] for b in (eta, phi)])
    _, vectors = np.linalg.eigh(moments)
    along, across = vectors.T[::-1] @ np.stack([eta, phi])
    images = [(a * along, b * across) for a in (1, -1) for b in (1, -1)]
    return max(images, key=lambda image: pt[(image[0] > 0) & (image[1] > 0)].sum())


def test_against_eigenvectors_and_all_mirror_images(batch: Batch) -> None:
    found = align(batch)
    for jet in range(batch.size):
        mine = batch.jet == jet
        pt, eta, phi = (x[mine].double().numpy() for x in (batch.pt(), batch.eta, batch.phi))
        along, across = slow(pt, eta, phi)
        np.testing.assert_allclose(found.eta[mine], along, atol=2e-6)
        np.testing.assert_allclose(found.phi[mine], across, atol=2e-6)


@pytest.mark.parametrize(("eta", "phi"), [(True, False), (False, True), (True, True)])
def test_a_mirrored_jet_is_the_same_bit_for_bit(batch: Batch, eta: bool, phi: bool) -> None:
    mirrored = reflect(batch, torch.full((50,), eta), torch.full((50,), phi))
    assert_alike(align(mirrored), align(batch))


def test_a_turned_jet_is_the_same(batch: Batch) -> None:
    assert_alike(align(rotate(batch, torch.linspace(-3, 3, 50))), align(batch), 1e-6)


def test_energies_and_distances_stay(batch: Batch) -> None:
    found = align(batch)
    assert torch.equal(found.values, batch.values)
    assert (found.eta.dtype, found.phi.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(torch.hypot(found.eta, found.phi), torch.hypot(batch.eta, batch.phi), atol=1e-6, rtol=0)


def test_empty_and_single_deposits_have_a_place(batch: Batch) -> None:
    first = torch.cat([torch.tensor([True]), batch.jet[1:] != batch.jet[:-1]])
    single = align(batch.keep(first))
    assert bool((single.eta > 0).all())
    assert single.phi.abs().max() < 1e-6
    assert len(align(batch.keep(torch.zeros(len(batch.jet), dtype=torch.bool))).eta) == 0


def view_of(batch: Batch, **given: str) -> FittedView:
    return fit_view(Component(name="image", options=options({"pixels": 12, "extent": 0.8, **given})), batch)


def test_the_view_aligns_where_it_is_told_to(batch: Batch) -> None:
    """Its images are those of the aligned jets, its scaling is fitted on them, and it is stored with the weights."""
    aligned, turned = view_of(batch, align="principal"), rotate(batch, torch.linspace(-3, 3, 50))
    assert torch.equal(aligned(batch)["image"], view_of(align(batch))(align(batch))["image"])
    assert (aligned(turned)["image"] - aligned(batch)["image"]).abs().gt(1e-3).float().mean() < 1e-3
    assert (view_of(batch)(turned)["image"] - view_of(batch)(batch)["image"]).abs().gt(1e-3).float().mean() > 0.01
    assert type(aligned).model_validate_json(aligned.model_dump_json()) == aligned
