"""Channels that particles have in several formats, and what a PDG identity number says of mass, charge and kind."""

from __future__ import annotations

import numpy as np

from jetbench.jets import Channel

__all__ = ["CHARGE", "ENERGY", "KINDS", "PT", "identify"]

PT = Channel(name="pt", unit="GeV", role="pt")
ENERGY = Channel(name="energy", unit="GeV", role="energy")
CHARGE = Channel(name="charge", unit="e", combine="mean", weight="pt")

# the five kinds of the particle-flow candidates of JetClass (Qu, Li, Qian, ICML 2022, arXiv:2202.03772, table 2), one flag each
KINDS = tuple(
    Channel(name=name, unit="1", combine="mean", weight="pt")
    for name in ("charged_hadron", "neutral_hadron", "photon", "electron", "muon")
)

# PDG identity number: mass [GeV] (Particle Data Group, PTEP 2022, 083C01), charge [e], kind; the kinds as in the quark/gluon
# conversion of Particle Transformer (jet-universe/particle_transformer, utils/convert_qg_datasets.py)
PARTICLES = {
    22: (0.0, 0, "photon"),
    11: (0.000511, -1, "electron"),
    13: (0.105658, -1, "muon"),
    211: (0.139570, 1, "charged_hadron"),
    321: (0.493677, 1, "charged_hadron"),
    2212: (0.938272, 1, "charged_hadron"),
    130: (0.497611, 0, "neutral_hadron"),
    2112: (0.939565, 0, "neutral_hadron"),
}


def identify(pid: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Look up signed PDG numbers (k,): masses (k,) [GeV], the channels charge and `KINDS` by name, each (k,), and whether the
    number is known (k,). An unknown particle has no mass, no charge and none of the kinds."""
    absolute = np.abs(pid)
    mass, charge, known = np.zeros(len(pid)), np.zeros(len(pid)), np.zeros(len(pid), bool)
    kinds = {kind.name: np.zeros(len(pid)) for kind in KINDS}
    for number, (its_mass, its_charge, kind) in PARTICLES.items():
        mine = absolute == number
        mass[mine], charge[mine], known[mine] = its_mass, its_charge, True
        kinds[kind][mine] = 1.0
    return mass, {CHARGE.name: charge * np.sign(pid), **kinds}, known
