"""Photons, electrons and positrons on their way outwards in a solenoid's field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["FIELD", "Particles", "join", "propagate"]

FIELD = 3.8  # T; CMS, JINST 3 (2008) S08004, sec. 2
CURVATURE = 0.299792458 * FIELD  # 1/m times GeV, of a unit charge


@dataclass(frozen=True)
class Particles:
    """Particles (k,) that stand at `radius` [m] from the beam line: index of the event, charge, transverse momentum [GeV],
    azimuth of the position `phi` and of the momentum `psi` [rad], and the transverse length [m] of the way from the origin.

    Products keep the direction of what they come from, so that all particles of an event share its pseudorapidity.
    """

    radius: float
    event: np.ndarray
    charge: np.ndarray
    pt: np.ndarray
    phi: np.ndarray
    psi: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: np.ndarray) -> Particles:
        """Pick the particles at `rows`, indices or a mask."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in COLUMNS}
        return replace(self, **columns)


COLUMNS = ("event", "charge", "pt", "phi", "psi", "length")


def join(*parts: Particles) -> Particles:
    """Join the particles of several collections at one radius."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return replace(parts[0], **columns)


def propagate(particles: Particles, radius: float) -> Particles:
    """Move the particles to where they first cross `radius` [m], further out; those whose helix turns back before are lost.

    With the angle a = psi - phi between momentum and position and the signed curvature k, r sin a - k r²/2 stays constant
    along the way; the centre of the circle then gives the azimuth. Both hold for straight lines too.
    """
    curvature = -particles.charge * CURVATURE / particles.pt
    constant = particles.radius * np.sin(particles.psi - particles.phi) - curvature * particles.radius**2 / 2
    sine = (constant + curvature * radius**2 / 2) / radius
    reached = np.abs(sine) < 1
    kept, curvature, angle = particles.take(reached), curvature[reached], np.arcsin(sine[reached])
    start = kept.radius * np.exp(1j * kept.phi)
    direction = (curvature * start + 1j * np.exp(1j * kept.psi)) / (curvature * radius + 1j * np.exp(1j * angle))
    chord = np.abs(radius * direction / np.abs(direction) - start)
    phi = kept.phi + np.angle(direction * np.exp(-1j * kept.phi))  # not wrapped: continuous along the way
    half_turn = np.arcsin(np.clip(np.abs(curvature) * chord / 2, 0, 1))
    bent = half_turn > 1e-9
    length = np.where(bent, 2 * half_turn / np.where(bent, np.abs(curvature), 1), chord)
    return replace(kept, radius=radius, phi=phi, psi=phi + angle, length=kept.length + length)
