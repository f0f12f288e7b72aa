"""Momenta and masses of jets, from massless deposits."""

from __future__ import annotations

import numpy as np

from jetbench.jets.container import Jets
from jetbench.jets.ragged import owners

__all__ = ["deposit_momenta", "jet_masses"]


def deposit_momenta(jets: Jets) -> tuple[np.ndarray, np.ndarray]:
    """Compute pT (deposits,) and (px, py, pz, E) (deposits, 4) of massless deposits, float64 in the unit of the pT, of jets in
    memory. The x axis has the azimuth of the jet."""
    pt = jets.pt().astype(np.float64)
    eta = jets.eta.astype(np.float64) + jets.jet_eta[owners(jets.offsets)]
    phi = jets.phi.astype(np.float64)
    return pt, np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], axis=1)


def jet_masses(jets: Jets) -> np.ndarray:
    """Compute the masses (n,) of jets in memory, float64 in the unit of the pT."""
    momenta, jet = deposit_momenta(jets)[1], owners(jets.offsets)
    px, py, pz, energy = (np.bincount(jet, column, minlength=len(jets)) for column in momenta.T)
    return np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0))
