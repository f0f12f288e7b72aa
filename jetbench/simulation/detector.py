"""A fast detector: stable particles in, energy-flow objects out, before any clustering.

Structure and constants follow the CMS card of Delphes 3 (github.com/delphes/delphes, cards/delphes_card_CMS.tcl; de Favereau
et al., JHEP 02 (2014) 057). Simpler here: no magnetic field, one uniform grid per calorimeter up to |eta| = 5, massless
objects at cell centres, tracks that are never rescaled by the calorimeters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.jets.ragged import owners
from jetbench.simulation.generator import Events
from jetbench.values import Value

__all__ = ["CHARGED", "NEUTRAL", "PHOTON", "Detector", "Objects", "Particles", "reconstruct", "visible_particles"]

CHARGED, PHOTON, NEUTRAL = 0, 1, 2
NEUTRINOS = (12, 14, 16)
# charged particles that Pythia leaves undecayed or that live long enough to be seen: e, mu, pi, K, p and charged hyperons
CHARGED_IDS = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)


@dataclass(frozen=True)
class Particles:
    """Visible stable particles (k,), sorted by event: index of the event, |PDG id|, four-momentum [GeV]."""

    event: np.ndarray
    kind: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray
    energy: np.ndarray

    @property
    def pt(self) -> np.ndarray:
        return np.hypot(self.px, self.py)

    @property
    def phi(self) -> np.ndarray:
        return np.arctan2(self.py, self.px)

    @property
    def eta(self) -> np.ndarray:
        return np.arcsinh(self.pz / np.maximum(self.pt, 1e-9))


@dataclass(frozen=True)
class Objects:
    """Massless energy-flow objects (k,), sorted by event: index of the event, eta, phi [rad], pt [GeV], and kind: `CHARGED`,
    `PHOTON` or `NEUTRAL`."""

    event: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    pt: np.ndarray
    kind: np.ndarray


class Grid(Value):
    """Cells of one calorimeter on an absolute grid: edges at multiples of `eta_width`, and `columns` cells around phi."""

    eta_width: float
    columns: int

    def cells(self, event: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
        """Number the cells (k,) in which particles of an event arrive: equal numbers are one cell of one event."""
        row = np.floor(eta / self.eta_width).astype(np.int64) + self._rows // 2
        column = np.floor(phi % (2 * np.pi) / (2 * np.pi) * self.columns).astype(np.int64) % self.columns
        return (event * self._rows + row) * self.columns + column

    def centres(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Look up event, eta and phi in (-π, π] of the centres of numbered cells (k,)."""
        row, column = cells // self.columns % self._rows, cells % self.columns
        phi = (column + 0.5) * 2 * np.pi / self.columns
        eta = (row - self._rows // 2 + 0.5) * self.eta_width
        return cells // self.columns // self._rows, eta, np.where(phi > np.pi, phi - 2 * np.pi, phi)

    @property
    def _rows(self) -> int:
        return 2 * int(np.ceil(ETA_MAX / self.eta_width) + 1)


ETA_MAX = 5.0  # end of the calorimeters, modules ECal and HCal of the card


class Detector(Value):
    """What the detector can see. `loss` multiplies the tracking inefficiency, `resolution` every relative error, so that
    zeros make a perfect detector.

    Tracks end at |eta| = 2.5 (ChargedHadronTrackingEfficiency); below `track_pt_min` [GeV] particles count for the
    calorimeters only, a usual quality cut of analyses. Cells: 0.0174 x 1 degree (ECal, barrel), 0.087 x 5 degrees (HCal,
    barrel); an energy in excess of the tracks' makes an object above 0.5 and 1 GeV and above two standard deviations
    (EnergyMin, EnergySignificanceMin). Objects below `object_pt_min` [GeV] are dropped: chosen so that the number of
    constituents resembles the Top Tagging reference set's.
    """

    track_eta_max: float = 2.5
    track_pt_min: float = 0.5
    ecal: Grid = Grid(eta_width=0.0174, columns=360)
    hcal: Grid = Grid(eta_width=0.087, columns=72)
    ecal_energy_min: float = 0.5
    hcal_energy_min: float = 1.0
    significance_min: float = 2.0
    object_pt_min: float = 0.5
    loss: float = 1.0
    resolution: float = 1.0


def visible_particles(events: Events) -> Particles:
    """Pick the stable particles of the events without the neutrinos."""
    seen = (events.status > 0) & ~np.isin(np.abs(events.id), NEUTRINOS)
    event = owners(events.offsets)
    columns = (events.px, events.py, events.pz, events.energy)
    return Particles(event[seen], np.abs(events.id[seen]), *(column[seen] for column in columns))


def reconstruct(particles: Particles, detector: Detector, rng: np.random.Generator) -> Objects:
    """Find energy-flow objects: tracks, and what the cells hold beyond them.

    A charged particle without a track is left to the cells; a muon leaves nothing there (EnergyFraction {13} is 0 in both
    calorimeters).
    """
    tracked, track_pt = _tracks(particles, detector, rng)
    eta, phi = particles.eta, particles.phi
    track_energy = np.where(tracked, track_pt * np.cosh(eta), 0.0)
    electromagnetic = np.isin(particles.kind, (11, 22))
    hadronic = ~electromagnetic & (particles.kind != 13)
    covered = np.abs(eta) < ETA_MAX

    found = [(particles.event[tracked], eta[tracked], phi[tracked], track_pt[tracked], CHARGED)]
    for mine, grid, sigma, least, kind in (
        (electromagnetic & covered, detector.ecal, _ecal_sigma, detector.ecal_energy_min, PHOTON),
        (hadronic & covered, detector.hcal, _hcal_sigma, detector.hcal_energy_min, NEUTRAL),
    ):
        cells, index = np.unique(grid.cells(particles.event[mine], eta[mine], phi[mine]), return_inverse=True)
        energy = np.bincount(index, particles.energy[mine], len(cells))
        tracks = np.bincount(index, track_energy[mine], len(cells))
        event, cell_eta, cell_phi = grid.centres(cells)
        spread = detector.resolution * sigma(energy, np.abs(cell_eta))
        excess = _log_normal(energy, spread, rng) - tracks
        keep = (excess > least) & (excess > detector.significance_min * spread)
        found.append((event[keep], cell_eta[keep], cell_phi[keep], excess[keep] / np.cosh(cell_eta[keep]), kind))
    return _merge(found, detector.object_pt_min)


def _merge(found: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]], pt_min: float) -> Objects:
    event, eta, phi, pt = (np.concatenate([part[i] for part in found]) for i in range(4))
    kind = np.concatenate([np.full(len(part[0]), part[4], np.int8) for part in found])
    keep = np.flatnonzero(pt > pt_min)
    order = keep[np.argsort(event[keep], kind="stable")]
    return Objects(event[order], eta[order], phi[order], pt[order], kind[order])


def _tracks(particles: Particles, detector: Detector, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Decide which particles (k,) have a track, and measure its pT (k,) [GeV]."""
    pt, eta = particles.pt, np.abs(particles.eta)
    charged = np.isin(particles.kind, CHARGED_IDS)
    efficiency = 1.0 - detector.loss * (1.0 - _tracking_efficiency(particles.kind, pt, eta))
    reached = (eta < detector.track_eta_max) & (pt > detector.track_pt_min)
    tracked = charged & reached & (rng.random(len(pt)) < efficiency)
    return tracked, _log_normal(pt, detector.resolution * pt * _track_resolution(particles.kind, pt, eta), rng)


def _tracking_efficiency(kind: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Modules ChargedHadron-, Electron- and MuonTrackingEfficiency: below and above 1 GeV (electrons also 100 GeV), |eta|
    below and above 1.5."""
    steps = (pt > 1.0).astype(int) + ((pt > 100.0) & (kind == 11))
    species = np.where(kind == 11, 1, np.where(kind == 13, 2, 0))
    barrel = np.array([[0.70, 0.95, 0.95], [0.73, 0.95, 0.99], [0.75, 0.99, 0.99]])
    endcap = np.array([[0.60, 0.85, 0.85], [0.50, 0.83, 0.90], [0.70, 0.98, 0.98]])
    return np.where(eta <= 1.5, barrel[species, steps], endcap[species, steps])


def _track_resolution(kind: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Relative error: modules ChargedHadron-, Electron- and MuonMomentumSmearing, constant and pT terms in |eta| of 0–0.5,
    0.5–1.5 and 1.5–2.5 (hadrons and electrons after CMS, arXiv:1405.6569)."""
    species = np.where(kind == 11, 1, np.where(kind == 13, 2, 0))
    region = (eta > 0.5).astype(int) + (eta > 1.5)
    constant = np.array([[0.010, 0.015, 0.025], [0.03, 0.05, 0.15], [0.010, 0.015, 0.025]])
    slope = np.array([[1.5e-4, 2.5e-4, 5.5e-4], [1.3e-3, 1.7e-3, 3.1e-3], [1.0e-4, 1.5e-4, 3.5e-4]])
    return np.hypot(constant[species, region], slope[species, region] * pt)


def _ecal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module ECal: constant 0.8 %, stochastic 11 %, noise 0.4 GeV, with the rise along |eta| of arXiv:1306.2016 and
    arXiv:1502.02701 up to 2.5; beyond, 10.7 % and 208 %."""
    shape = np.where(eta <= 1.5, 1 + 0.64 * eta**2, 2.16 + 5.6 * (eta - 2) ** 2)
    inner = shape * np.sqrt((0.008 * energy) ** 2 + 0.11**2 * energy + 0.40**2)
    return np.where(eta <= 2.5, inner, np.sqrt((0.107 * energy) ** 2 + 2.08**2 * energy))


def _hcal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module HCal: constant 5 %, stochastic 150 % up to |eta| = 3; beyond, 13 % and 270 %."""
    inner = np.sqrt((0.050 * energy) ** 2 + 1.50**2 * energy)
    return np.where(eta <= 3.0, inner, np.sqrt((0.130 * energy) ** 2 + 2.70**2 * energy))


def _log_normal(mean: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw positive numbers of the given mean and standard deviation, as Delphes smears."""
    width = np.sqrt(np.log1p((sigma / np.maximum(mean, 1e-9)) ** 2))
    return mean * np.exp(width * rng.standard_normal(len(mean)) - width**2 / 2)
