"""Single particles shot into the barrel, and the images that they leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.jets.ragged import wrap_phi
from jetbench.simulation.showers.crystals import CRYSTAL, FRONT, collect, first_crystal, shower
from jetbench.simulation.showers.particles import Particles
from jetbench.simulation.showers.readout import PIXELS, crop, read_out
from jetbench.simulation.showers.tracker import cross_tracker

__all__ = ["ELECTRON", "ETA_MAX", "EXTENT", "PHOTON", "PT", "Events", "shoot", "simulate_events"]

PHOTON, ELECTRON = 0, 1
PT = 50.0  # GeV, as in the field's set (SinglePhotonPt50, SingleElectronPt50)
ETA_MAX = (85 - PIXELS // 2) * CRYSTAL  # 1.2006: the image around a particle's crystal ends within the barrel's 85
EXTENT = PIXELS / 2 * CRYSTAL  # half the image's width in eta and in phi
BATCH = 50  # events at once: about 10 000 energy spots each, 100 MB


@dataclass(frozen=True)
class Events:
    """Images of events: energy [GeV] and time [ns] (n, PIXELS, PIXELS), zero where nothing was read; eta and phi [rad] (n,) of
    the image's middle, and of the particle at the origin."""

    energy: np.ndarray
    time: np.ndarray
    axis_eta: np.ndarray
    axis_phi: np.ndarray
    eta: np.ndarray
    phi: np.ndarray


def shoot(label: int, count: int, rng: np.random.Generator) -> tuple[Particles, np.ndarray]:
    """Shoot `count` photons, or electrons and positrons in equal parts, from the origin; their eta (count,) comes with them."""
    eta = rng.uniform(-ETA_MAX, ETA_MAX, count)
    phi = rng.uniform(-np.pi, np.pi, count)
    charge = rng.choice([-1, 1], count) if label == ELECTRON else np.zeros(count, np.int64)
    return Particles(0.0, np.arange(count), charge, np.full(count, PT), phi, phi, np.zeros(count)), eta


def simulate_events(label: int, count: int, rng: np.random.Generator) -> Events:
    """Simulate the images of `count` photons or electrons, at most `BATCH`."""
    particles, eta = shoot(label, count, rng)
    arrived = cross_tracker(particles, eta, FRONT, rng)
    row, column = first_crystal(eta, particles.phi)
    images = crop(read_out(collect(shower(arrived, eta, rng), row, column), rng))
    return Events(
        energy=images.energy,
        time=images.time,
        axis_eta=(row + images.row + PIXELS // 2) * CRYSTAL,
        axis_phi=wrap_phi((column + images.column + PIXELS // 2) * CRYSTAL),
        eta=eta,
        phi=particles.phi,
    )
