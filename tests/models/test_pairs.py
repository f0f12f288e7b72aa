from __future__ import annotations

import numpy as np
import pytest
import torch
import vector

from jetbench.models.pairs import pair_features


def test_features_of_a_pair_are_those_of_its_four_vectors() -> None:
    rng = np.random.default_rng(0)
    eta, phi = rng.normal(0, 0.4, (2, 3, 5))
    pt = rng.exponential(20.0, (3, 5)) + 0.1
    found = pair_features(*(torch.from_numpy(one) for one in (eta, phi, np.log(pt)))).numpy()
    for jet in range(3):
        for i in range(5):
            for j in set(range(5)) - {i}:
                one, other = (vector.obj(pt=pt[jet, k], eta=eta[jet, k], phi=phi[jet, k], mass=0.0) for k in (i, j))
                softer, angle = min(one.pt, other.pt), one.deltaR(other)
                expected = np.log([softer * angle, softer / (one.pt + other.pt), angle, (one + other).mass ** 2])
                np.testing.assert_allclose(found[jet, i, j], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("apart", [0.0, 1e-12, 1e-5, 2.0])
def test_near_and_far_pairs_have_finite_features_and_gradients(apart: float) -> None:
    eta = torch.tensor([[0.1, 0.1 + apart]], dtype=torch.float32, requires_grad=True)
    found = pair_features(eta, torch.zeros(1, 2), torch.tensor([[5.0, -3.0]]))
    found.sum().backward()
    assert found.isfinite().all()
    assert eta.grad is not None
    assert eta.grad.isfinite().all()


def test_the_mass_of_a_narrow_pair_keeps_its_digits_in_single_precision() -> None:
    """m² = pT pT' Δ² for small angles, where cosh Δη − cos Δφ is the difference of two numbers that are one."""
    eta, phi, log_pt = torch.tensor([[0.0, 3e-4]]), torch.tensor([[0.0, 4e-4]]), torch.tensor([[2.0, 1.0]])
    assert float(pair_features(eta, phi, log_pt)[0, 0, 1, 3]) == pytest.approx(3.0 + 2 * np.log(5e-4), rel=1e-5)
