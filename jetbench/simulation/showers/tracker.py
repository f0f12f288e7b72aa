"""The material between the beam line and the calorimeter, and what photons and electrons do in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jetbench.simulation.showers.interactions import conversion_probability, pair_fraction, photons_radiated, radiated_fraction
from jetbench.simulation.showers.particles import Particles, join, propagate

__all__ = ["LAYERS", "convert", "cross_tracker", "radiate", "thickness"]

# Radiation lengths on a straight way from the origin at |eta|: the cylinders and disks of the CMS tracker as its own fast
# simulation lists them (github.com/cms-sw/cmssw, FastSimulation/TrackerSetup/python/TrackerMaterial_cfi.py, version 2 with
# its correction factors), added up along the line. CMS, JINST 3 (2008) S08004, sec. 3.1 says the same: 0.4 X0 at eta = 0,
# about 1.8 X0 at |eta| = 1.4.
ETA = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
RADIATION_LENGTHS = (0.41, 0.48, 0.61, 0.69, 0.82, 1.00, 1.25, 1.48, 1.65, 1.71, 1.76)

# Radius [m] of the barrel's layers in the same file and the share of the material that is put there. The shares are the
# sum's means over |eta| < 1.2 in five ranges of the radius, equal within a range: pixels, their services, inner barrel and
# disks with their wall, outer barrel and disks, outer wall.
LAYERS = (
    *((radius, 0.11 / 3) for radius in (0.044, 0.073, 0.102)),
    (0.175, 0.03),
    *((radius, 0.34 / 5) for radius in (0.258, 0.341, 0.420, 0.499, 0.545)),
    *((radius, 0.39 / 6) for radius in (0.609, 0.693, 0.781, 0.869, 0.966, 1.081)),
    (1.195, 0.13),
)

SOFTEST = 0.05  # GeV: softer radiation stays with its electron; a crystal shows 0.08 GeV and more


def thickness(eta: np.ndarray) -> np.ndarray:
    """Look up the radiation lengths of the whole tracker at `eta`; piecewise linear, constant beyond |eta| = 1.4."""
    return np.interp(np.abs(eta), ETA, RADIATION_LENGTHS)


def cross_tracker(particles: Particles, eta: np.ndarray, radius: float, rng: np.random.Generator) -> Particles:
    """Follow particles from the origin to `radius` [m], outside the tracker; `eta` (events,) is that of their events."""
    total, stretch = thickness(eta), np.cosh(eta)
    for layer, share in LAYERS:
        particles = propagate(particles, layer)
        particles = radiate(particles, share * total[particles.event], stretch[particles.event], rng)
        particles = convert(particles, share * total[particles.event], rng)
    return propagate(particles, radius)


def convert(particles: Particles, matter: np.ndarray, rng: np.random.Generator) -> Particles:
    """Turn some photons in `matter` (k,) radiation lengths into an electron and a positron, which share their energy."""
    converted = (particles.charge == 0) & (rng.random(len(particles)) < conversion_probability(matter))
    photons = particles.take(converted)
    share = pair_fraction(len(photons), rng)
    electrons = replace(photons, charge=photons.charge - 1, pt=share * photons.pt)
    positrons = replace(photons, charge=photons.charge + 1, pt=(1 - share) * photons.pt)
    return join(particles.take(~converted), electrons, positrons)


def radiate(particles: Particles, matter: np.ndarray, stretch: np.ndarray, rng: np.random.Generator) -> Particles:
    """Have electrons and positrons in `matter` (k,) radiation lengths lose photons above `SOFTEST`.

    A particle's energy is pT · `stretch` (k,).
    """
    least = SOFTEST / (particles.pt * stretch)
    count = np.where(particles.charge != 0, rng.poisson(matter * photons_radiated(least)), 0)
    pt = particles.pt.copy()
    radiated = []
    for emission in range(count.max(initial=0)):
        rows = np.flatnonzero((count > emission) & (pt * stretch > SOFTEST))
        share = radiated_fraction(SOFTEST / (pt * stretch)[rows], rng)
        photons = particles.take(rows)
        radiated.append(replace(photons, charge=np.zeros_like(photons.charge), pt=share * pt[rows]))
        pt[rows] *= 1 - share
    return join(replace(particles, pt=pt), *radiated)
