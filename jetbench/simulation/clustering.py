"""FastJet on whole batches: leading anti-kT jets, their constituents, and the soft-drop mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jetbench.jets.ragged import gather, wrap_phi

__all__ = ["JetList", "cluster", "leading", "nearest_jet", "soft_drop_mass"]

SOFT_DROP_Z = 0.1  # zcut at beta = 0 (mMDT), the usual top-tagging choice: CMS, JINST 15 (2020) P06005, sec. 4
CLUSTER_ALL = 1000.0  # a Cambridge/Aachen radius that holds any jet together


@dataclass(frozen=True)
class JetList:
    """Jets (m,) of several events: index of the event, pt, mass [GeV], eta, phi [rad]; jet i owns the input particles
    members[offsets[i]:offsets[i+1]]."""

    event: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass: np.ndarray
    offsets: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    @property
    def rapidity(self) -> np.ndarray:
        pz = self.pt * np.sinh(self.eta)
        return np.arcsinh(pz / np.hypot(self.pt, self.mass))

    def take(self, rows: np.ndarray) -> JetList:
        """Pick the jets at `rows` (k,), in that order."""
        offsets, places = gather(self.offsets, rows)
        return JetList(
            event=self.event[rows],
            pt=self.pt[rows],
            eta=self.eta[rows],
            phi=self.phi[rows],
            mass=self.mass[rows],
            offsets=offsets,
            members=self.members[places],
        )


def cluster(event: np.ndarray, momentum: tuple[np.ndarray, ...], events: int, pt_min: float, radius: float) -> JetList:
    """Find the anti-kT jets of `radius` above `pt_min` [GeV] among particles (px, py, pz, E), each (k,) [GeV].

    Particles are sorted by `event` (k,), the index of their event below `events`.
    """
    import awkward as ak
    import fastjet

    present = np.bincount(event, minlength=events)
    filled = np.flatnonzero(present)
    if not len(filled):
        empty = np.zeros(0)
        return JetList(np.zeros(0, int), empty, empty, empty, empty, np.zeros(1, int), np.zeros(0, int))
    inputs = ak.unflatten(_four_vectors(momentum), present[filled])
    sequence = fastjet.ClusterSequence(inputs, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    jets, index = sequence.inclusive_jets(pt_min), sequence.constituent_index(pt_min)
    first = (np.cumsum(present) - present)[filled]
    owner = np.repeat(np.arange(len(filled)), ak.to_numpy(ak.num(jets.px)))
    flat = [ak.to_numpy(ak.flatten(jets[name], axis=1)) for name in ("px", "py", "pz", "E")]
    lists = ak.flatten(index, axis=1)
    counts = ak.to_numpy(ak.num(lists, axis=1)) if len(owner) else np.zeros(0, int)
    members = ak.to_numpy(ak.flatten(lists, axis=1)) if len(owner) else np.zeros(0, int)
    pt, eta, phi, mass = _kinematics(*flat)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return JetList(filled[owner], pt, eta, phi, mass, offsets, members + np.repeat(first[owner], counts))


def leading(jets: JetList) -> JetList:
    """Pick the hardest jet of every event that has one."""
    order = np.lexsort((-jets.pt, jets.event))
    first = np.diff(jets.event[order], prepend=-1) > 0
    return jets.take(order[first])


def nearest_jet(jets: JetList, event: np.ndarray, eta: np.ndarray, phi: np.ndarray, radius: float) -> np.ndarray:
    """Find for each axis (k,) the row of the hardest jet of its event within `radius`, or -1."""
    order = np.lexsort((-jets.pt, jets.event))
    first = np.searchsorted(jets.event[order], event)
    last = np.searchsorted(jets.event[order], event, side="right")
    found = np.full(len(event), -1)
    for rank in range(int((last - first).max(initial=0))):
        row = order[np.minimum(first + rank, len(order) - 1)]
        close = np.hypot(jets.eta[row] - eta, wrap_phi(jets.phi[row] - phi)) < radius
        found = np.where((found < 0) & (first + rank < last) & close, row, found)
    return found


def soft_drop_mass(jets: JetList, momentum: tuple[np.ndarray, ...]) -> np.ndarray:
    """Compute the soft-drop mass (m,) [GeV] of each jet (Larkoski et al., JHEP 05 (2014) 146) with zcut 0.1 and beta 0.

    FastJet first reclusters the members by Cambridge/Aachen. At beta 0 the jet's radius (R0) does not matter.
    """
    import fastjet

    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, CLUSTER_ALL)
    columns = [column[jets.members].tolist() for column in momentum]
    masses = np.zeros(len(jets))
    for row, (first, last) in enumerate(zip(jets.offsets[:-1], jets.offsets[1:], strict=True)):
        members = [fastjet.PseudoJet(*four) for four in zip(*(column[first:last] for column in columns), strict=True)]
        sequence = fastjet.ClusterSequence(members, definition)
        masses[row] = max(_groomed(sequence.exclusive_jets(1)[0]).m(), 0.0)
    return masses


def _groomed(jet: Any) -> Any:
    """Undo the last merging of the hardest branch until both branches are hard enough."""
    import fastjet

    one, other = fastjet.PseudoJet(), fastjet.PseudoJet()
    while jet.has_parents(one, other):
        soft, hard = sorted((one, other), key=lambda branch: branch.pt())
        if soft.pt() > SOFT_DROP_Z * (soft.pt() + hard.pt()):
            break
        jet = fastjet.PseudoJet(hard)
    return jet


def _four_vectors(momentum: tuple[np.ndarray, ...]) -> Any:
    import awkward as ak

    return ak.zip(dict(zip(("px", "py", "pz", "E"), momentum, strict=True)), with_name="Momentum4D")


def _kinematics(px: np.ndarray, py: np.ndarray, pz: np.ndarray, energy: np.ndarray) -> tuple[np.ndarray, ...]:
    pt = np.hypot(px, py)
    mass = np.sqrt(np.maximum(energy**2 - pt**2 - pz**2, 0.0))
    return pt, np.arcsinh(pz / pt), np.arctan2(py, px), mass
