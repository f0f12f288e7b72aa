"""Crystals of lead tungstate, and where and when the energy of showers falls into them.

Geometry and PbWO4: CMS, JINST 3 (2008) S08004, chapter 4: the barrel's front faces at 1.29 m, 0.0174 x 0.0174 in eta and phi,
85 crystals along eta on either side, 23 cm or 25.8 radiation lengths of 0.89 cm long, refractive index 2.29 at the peak of the
emission. The Molière radius, 2.2 cm there, is the 2.19 cm of CMS's fast simulation (github.com/cms-sw/cmssw,
FastSimulation/CalorimeterProperties). Crystals point to the origin here, without their tilt, and fill the barrel without gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.simulation.showers.interactions import pair_fraction
from jetbench.simulation.showers.particles import Particles
from jetbench.simulation.showers.profiles import CRITICAL_ENERGY, Spots, mean_shape, scatter_spots

__all__ = ["CRYSTAL", "FRONT", "SIDE", "Hits", "collect", "first_crystal", "shower"]

FRONT = 1.29  # m
CRYSTAL = 0.0174
LENGTH = 0.23  # m
RADIATION_LENGTH = 0.0089  # m
MOLIERE_RADIUS = 0.0219  # m
REFRACTION = 2.29
LIGHT = 0.299792458  # m/ns

SIDE = 64  # crystals along eta and phi around the particle's own direction: twice the image, whose centre may lie off it

_T, _ALPHA = mean_shape(np.log(50 / CRITICAL_ENERGY))
NOMINAL_DEPTH = float(_T * _ALPHA / (_ALPHA - 1)) * RADIATION_LENGTH  # m: centre of gravity of an electron shower of 50 GeV


@dataclass(frozen=True)
class Hits:
    """Energy [GeV] and its mean time [ns] in crystals (events, SIDE, SIDE), rows along eta and columns along phi; an empty
    crystal has the time 0, which is that of an electron's mean shower on a straight way from the origin."""

    energy: np.ndarray
    time: np.ndarray


@dataclass(frozen=True)
class Deposits:
    """Energy spots (m,) float32 in space: index of the event; energy [GeV], 0 where it is lost behind the crystals; eta, phi
    [rad]; time [ns] after the collision at which their light reaches the photodetector behind the crystal."""

    event: np.ndarray
    energy: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    time: np.ndarray


def first_crystal(eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers, along eta and phi, of the first crystals of the SIDE x SIDE windows around directions (events,)."""
    row, column = (np.floor(x / CRYSTAL).astype(np.int64) - SIDE // 2 for x in (eta, phi))
    return row, column


def shower(particles: Particles, eta: np.ndarray, rng: np.random.Generator) -> Deposits:
    """Draw what particles at the crystals' front leave in them; `eta` (events,) is that of their events."""
    energy, start, owner = _electrons(particles.pt * np.cosh(eta)[particles.event], particles.charge == 0, rng)
    return _place(scatter_spots(energy, rng), particles.take(owner), start, eta, rng)


def _electrons(energy: np.ndarray, photon: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Draw energy, start [X0] and particle of the electron showers.

    A photon makes two, from the depth where it becomes a pair. The mean depth is 9/7 radiation lengths.
    """
    photons, others = np.flatnonzero(photon), np.flatnonzero(~photon)
    share = pair_fraction(len(photons), rng)
    start = rng.exponential(9 / 7, len(photons))
    return (
        np.concatenate([energy[others], share * energy[photons], (1 - share) * energy[photons]]),
        np.concatenate([np.zeros(len(others)), start, start]),
        np.concatenate([others, photons, photons]),
    )


def _place(spots: Spots, source: Particles, start: np.ndarray, eta: np.ndarray, rng: np.random.Generator) -> Deposits:
    """Place spots around the axes of their showers; `source` and `start` are those of every shower.

    In the frame of a shower x points outwards through its front point, y along phi, z along the beam.
    """
    axis, cosh, sinh = source.psi - source.phi, np.cosh(eta)[source.event], np.sinh(eta)[source.event]
    columns = (np.cos(axis), np.sin(axis), cosh, sinh, source.length * cosh, source.length * sinh, start, source.phi)
    of = spots.shower
    cos, sin, cosh, sinh, way, height, start, phi = (column.astype(np.float32)[of] for column in columns)
    depth = (start + spots.depth) * RADIATION_LENGTH
    around = rng.random(len(of), np.float32) * (2 * np.pi)
    aside = MOLIERE_RADIUS * spots.radius
    sideways, upwards = aside * np.sin(around), aside * np.cos(around)
    outwards = (depth - upwards * sinh) / cosh
    x = FRONT + outwards * cos - sideways * sin
    y = outwards * sin + sideways * cos
    z = height + (depth * sinh + upwards) / cosh
    across = np.sqrt(x * x + y * y)
    steepness = z / across
    stretch = np.sqrt(1 + steepness * steepness)
    inside = stretch * (across - FRONT)  # m below the front face, along the crystal
    return Deposits(
        event=source.event[of],
        energy=np.where((inside < LENGTH) & (x > 0), spots.energy, 0),
        eta=np.log(steepness + stretch),
        phi=phi + np.arctan(y / x),
        time=(way + depth + (LENGTH - np.maximum(inside, 0)) * REFRACTION) / LIGHT,
    )


def collect(deposits: Deposits, first_row: np.ndarray, first_column: np.ndarray) -> Hits:
    """Sum deposits in the windows of SIDE x SIDE crystals that begin at `first_row` and `first_column` (events,)."""
    row = np.floor(deposits.eta / CRYSTAL).astype(np.int64) - first_row[deposits.event]
    column = np.floor(deposits.phi / CRYSTAL).astype(np.int64) - first_column[deposits.event]
    kept = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
    cell = ((deposits.event * SIDE + row) * SIDE + column)[kept]
    shape = (len(first_row), SIDE, SIDE)
    energy = np.bincount(cell, deposits.energy[kept], np.prod(shape)).reshape(shape)
    weighted = np.bincount(cell, (deposits.energy * deposits.time)[kept], np.prod(shape)).reshape(shape)
    centre = (first_row[:, None, None] + np.arange(SIDE)[:, None] + 0.5) * CRYSTAL
    expected = (FRONT * np.cosh(centre) + NOMINAL_DEPTH + (LENGTH - NOMINAL_DEPTH) * REFRACTION) / LIGHT
    hit = energy > 0
    return Hits(energy, np.where(hit, weighted / np.where(hit, energy, 1) - expected, 0.0))
