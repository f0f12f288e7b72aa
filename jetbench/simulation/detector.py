"""A fast detector: stable particles in, energy-flow objects out, before any clustering.

Structure and constants follow cards of Delphes 3 (github.com/delphes/delphes; de Favereau et al., JHEP 02 (2014) 057): the ATLAS
card of its first releases (examples/delphes_card_ATLAS.tcl) and today's CMS card (cards/delphes_card_CMS.tcl). Simpler here: one
uniform grid per calorimeter up to |eta| = 5, massless objects, tracks that are never rescaled by the calorimeters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from jetbench.jets.ragged import owners, wrap_phi
from jetbench.simulation.generator import Events
from jetbench.values import Value

__all__ = ["CHARGED", "DETECTORS", "NEUTRAL", "PHOTON", "Detector", "Objects", "Particles", "reconstruct", "visible_particles"]

CHARGED, PHOTON, NEUTRAL = 0, 1, 2
NEUTRINOS = (12, 14, 16)
# charged particles that Pythia leaves undecayed or that live long enough to be seen: e, mu, pi, K, p and charged hyperons
CHARGED_IDS = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)
NEGATIVE_IDS = (11, 13, 3112, 3312, 3334)  # of these the particle is negative and the antiparticle positive


@dataclass(frozen=True)
class Particles:
    """Visible stable particles (k,), sorted by event: index of the event, |PDG id|, charge, four-momentum [GeV]."""

    event: np.ndarray
    kind: np.ndarray
    charge: np.ndarray
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

    def spread(self, eta: np.ndarray, phi: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Move centres (k,) to random places in their cells."""
        off_eta, off_phi = rng.uniform(-0.5, 0.5, (2, len(eta)))
        return eta + off_eta * self.eta_width, wrap_phi(phi + off_phi * 2 * np.pi / self.columns)

    @property
    def _rows(self) -> int:
        return 2 * int(np.ceil(ETA_MAX / self.eta_width) + 1)


ETA_MAX = 5.0  # end of the calorimeters, modules ECal and HCal of the card


class Detector(Value):
    """What a detector can see.

    `card` says whose resolutions it has; `resolution` multiplies every relative error and `loss` the tracking inefficiency, so
    that zeros make a perfect detector. Tracks end at |eta| = 2.5 (ChargedHadronTrackingEfficiency of both cards); below
    `track_pt_min` [GeV] particles count for the calorimeters only. In a cell an energy in excess of the tracks' makes an object
    where it is above the least energy [GeV] of its calorimeter and above `significance_min` standard deviations (EnergyMin,
    EnergySignificanceMin); it lies at the cell's centre, or with `spread` anywhere in the cell (SmearTowerCenter). Objects below
    `object_pt_min` [GeV] are dropped. Charged particles reach the calorimeters at another phi, and those below `curl_pt` [GeV]
    not at all: 0.15 B R of the field B [T] and the radius R [m] of ParticlePropagator. 0 is no field.
    """

    card: Literal["atlas", "cms"]
    ecal: Grid
    hcal: Grid
    spread: bool
    track_pt_min: float
    ecal_energy_min: float
    hcal_energy_min: float
    significance_min: float
    object_pt_min: float
    curl_pt: float = 0.0
    track_eta_max: float = 2.5
    loss: float = 1.0
    resolution: float = 1.0


COARSE = Grid(eta_width=0.1, columns=36)  # HCal of the ATLAS card, |eta| < 2.5

DETECTORS = {
    # "The default ATLAS card" of the Top Tagging reference set, which the jets of the set point to: today's card has an ECal of
    # 0.0174 x 1 degree and other tracks. One constant is not the card's: its significance of 1 gives too few soft constituents.
    "atlas": Detector(
        card="atlas",
        ecal=COARSE,
        hcal=COARSE,
        spread=True,
        track_pt_min=0.1,
        ecal_energy_min=0.5,
        hcal_energy_min=1.0,
        significance_min=0.0,
        object_pt_min=0.0,
        curl_pt=0.15 * 2.0 * 1.15,
    ),
    # Cells of the barrel: ECal, HCal. The cut on tracks is a usual one of analyses, that on objects was chosen so that the number
    # of constituents resembles the Top Tagging reference set's.
    "cms": Detector(
        card="cms",
        ecal=Grid(eta_width=0.0174, columns=360),
        hcal=Grid(eta_width=0.087, columns=72),
        spread=False,
        track_pt_min=0.5,
        ecal_energy_min=0.5,
        hcal_energy_min=1.0,
        significance_min=2.0,
        object_pt_min=0.5,
    ),
}


def visible_particles(events: Events) -> Particles:
    """Pick the stable particles of the events without the neutrinos."""
    seen = (events.status > 0) & ~np.isin(np.abs(events.id), NEUTRINOS)
    event = owners(events.offsets)
    columns = (events.px, events.py, events.pz, events.energy)
    kind = np.abs(events.id[seen])
    charge = np.sign(events.id[seen]) * np.isin(kind, CHARGED_IDS) * np.where(np.isin(kind, NEGATIVE_IDS), -1, 1)
    return Particles(event[seen], kind, charge, *(column[seen] for column in columns))


def reconstruct(particles: Particles, detector: Detector, rng: np.random.Generator) -> Objects:
    """Find energy-flow objects: tracks, and what the cells hold beyond them.

    A charged particle without a track is left to the cells; a muon leaves nothing there (EnergyFraction {13} is 0 in both
    calorimeters).
    """
    tracked, track_pt = _tracks(particles, detector, rng)
    eta, phi, at_cells = particles.eta, particles.phi, _phi_at_cells(particles, detector)
    track_energy = np.where(tracked, track_pt * np.cosh(eta), 0.0)
    electromagnetic = np.isin(particles.kind, (11, 22))
    hadronic = ~electromagnetic & (particles.kind != 13)
    covered = (np.abs(eta) < ETA_MAX) & np.isfinite(at_cells)

    found = [(particles.event[tracked], eta[tracked], phi[tracked], track_pt[tracked], CHARGED)]
    for mine, grid, sigma, least, kind in (
        (electromagnetic & covered, detector.ecal, ECAL_SIGMA[detector.card], detector.ecal_energy_min, PHOTON),
        (hadronic & covered, detector.hcal, HCAL_SIGMA[detector.card], detector.hcal_energy_min, NEUTRAL),
    ):
        cells, index = np.unique(grid.cells(particles.event[mine], eta[mine], at_cells[mine]), return_inverse=True)
        energy = np.bincount(index, particles.energy[mine], len(cells))
        tracks = np.bincount(index, track_energy[mine], len(cells))
        event, cell_eta, cell_phi = grid.centres(cells)
        error = detector.resolution * sigma(energy, np.abs(cell_eta))
        excess = _log_normal(energy, error, rng) - tracks
        if detector.spread:
            cell_eta, cell_phi = grid.spread(cell_eta, cell_phi, rng)
        keep = (excess > least) & (excess > detector.significance_min * error)
        found.append((event[keep], cell_eta[keep], cell_phi[keep], excess[keep] / np.cosh(cell_eta[keep]), kind))
    return _merge(found, detector.object_pt_min)


def _phi_at_cells(particles: Particles, detector: Detector) -> np.ndarray:
    """The phi (k,) at which particles from the origin enter the barrel's calorimeters, NaN for those that curl up before."""
    if not detector.curl_pt:
        return particles.phi
    with np.errstate(invalid="ignore"):
        return particles.phi - np.arcsin(particles.charge * detector.curl_pt / np.maximum(particles.pt, 1e-9))


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
    error = detector.resolution * pt * TRACK_ERROR[detector.card](particles.kind, pt, eta)
    return tracked, _log_normal(pt, error, rng)


def _tracking_efficiency(kind: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Modules ChargedHadron-, Electron- and MuonTrackingEfficiency: below and above 1 GeV (electrons also 100 GeV), |eta|
    below and above 1.5."""
    steps = (pt > 1.0).astype(int) + ((pt > 100.0) & (kind == 11))
    species = np.where(kind == 11, 1, np.where(kind == 13, 2, 0))
    barrel = np.array([[0.70, 0.95, 0.95], [0.73, 0.95, 0.99], [0.75, 0.99, 0.99]])
    endcap = np.array([[0.60, 0.85, 0.85], [0.50, 0.83, 0.90], [0.70, 0.98, 0.98]])
    return np.where(eta <= 1.5, barrel[species, steps], endcap[species, steps])


def _atlas_track_error(kind: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Relative error of pT: modules ChargedHadron- and MuonMomentumSmearing, in steps at 1, 10 and 200 GeV (muons 1, 50 and 100)
    and |eta| = 1.5; ElectronEnergySmearing, with the step at 25 GeV."""
    outer, muon = (eta > 1.5).astype(int), (kind == 13).astype(int)
    steps = np.where(kind == 13, np.digitize(pt, (1.0, 50.0, 100.0)), np.digitize(pt, (1.0, 10.0, 200.0)))
    hadrons, muons = [[0.02, 0.01, 0.03, 0.05], [0.03, 0.02, 0.04, 0.05]], [[0.03, 0.03, 0.04, 0.07], [0.04, 0.04, 0.05, 0.10]]
    energy = pt * np.cosh(eta)
    electron = np.where(energy <= 25.0, 0.015, np.sqrt(0.005**2 + 0.05**2 / energy + (0.25 / energy) ** 2))
    return np.where(kind == 11, electron, np.array([hadrons, muons])[muon, outer, steps])


def _cms_track_error(kind: np.ndarray, pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Relative error of pT: modules ChargedHadron-, Electron- and MuonMomentumSmearing, constant and pT terms in |eta| of 0–0.5,
    0.5–1.5 and 1.5–2.5 (hadrons and electrons after CMS, arXiv:1405.6569)."""
    species = np.where(kind == 11, 1, np.where(kind == 13, 2, 0))
    region = (eta > 0.5).astype(int) + (eta > 1.5)
    constant = np.array([[0.010, 0.015, 0.025], [0.03, 0.05, 0.15], [0.010, 0.015, 0.025]])
    slope = np.array([[1.5e-4, 2.5e-4, 5.5e-4], [1.3e-3, 1.7e-3, 3.1e-3], [1.0e-4, 1.5e-4, 3.5e-4]])
    return np.hypot(constant[species, region], slope[species, region] * pt)


def _atlas_ecal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module ECal: constant 0.17 %, stochastic 10.1 % up to |eta| = 3.2; beyond, 3.5 % and 28.5 %."""
    inner = np.sqrt((0.0017 * energy) ** 2 + 0.101**2 * energy)
    return np.where(eta <= 3.2, inner, np.sqrt((0.0350 * energy) ** 2 + 0.285**2 * energy))


def _atlas_hcal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module HCal: constant 3.02 %, stochastic 52.05 %, noise 1.59 GeV up to |eta| = 1.7; 5 % and 70.6 % up to 3.2; beyond,
    9.42 % and 100 %."""
    barrel = np.sqrt((0.0302 * energy) ** 2 + 0.5205**2 * energy + 1.59**2)
    endcap = np.sqrt((0.0500 * energy) ** 2 + 0.706**2 * energy)
    forward = np.sqrt((0.0942 * energy) ** 2 + 1.00**2 * energy)
    return np.where(eta <= 1.7, barrel, np.where(eta <= 3.2, endcap, forward))


def _cms_ecal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module ECal: constant 0.8 %, stochastic 11 %, noise 0.4 GeV, with the rise along |eta| of arXiv:1306.2016 and
    arXiv:1502.02701 up to 2.5; beyond, 10.7 % and 208 %."""
    shape = np.where(eta <= 1.5, 1 + 0.64 * eta**2, 2.16 + 5.6 * (eta - 2) ** 2)
    inner = shape * np.sqrt((0.008 * energy) ** 2 + 0.11**2 * energy + 0.40**2)
    return np.where(eta <= 2.5, inner, np.sqrt((0.107 * energy) ** 2 + 2.08**2 * energy))


def _cms_hcal_sigma(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Module HCal: constant 5 %, stochastic 150 % up to |eta| = 3; beyond, 13 % and 270 %."""
    inner = np.sqrt((0.050 * energy) ** 2 + 1.50**2 * energy)
    return np.where(eta <= 3.0, inner, np.sqrt((0.130 * energy) ** 2 + 2.70**2 * energy))


TRACK_ERROR = {"atlas": _atlas_track_error, "cms": _cms_track_error}
ECAL_SIGMA = {"atlas": _atlas_ecal_sigma, "cms": _cms_ecal_sigma}
HCAL_SIGMA = {"atlas": _atlas_hcal_sigma, "cms": _cms_hcal_sigma}


def _log_normal(mean: np.ndarray, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw positive numbers of the given mean and standard deviation, as Delphes smears."""
    width = np.sqrt(np.log1p((sigma / np.maximum(mean, 1e-9)) ** 2))
    return mean * np.exp(width * rng.standard_normal(len(mean)) - width**2 / 2)
