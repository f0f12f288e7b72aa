"""Channels that particles have in several formats, and what a PDG identity number says of mass, charge and kind."""

from __future__ import annotations

from typing import Any

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


def identify(pid: Any) -> tuple[Any, dict[str, Any], Any]:
    """Look up signed PDG numbers, in an array of numpy or awkward: masses [GeV], the channels charge and `KINDS` by name, and
    whether the number is known, each of the same form. An unknown particle has no mass, no charge and none of the kinds."""
    mine = {number: np.abs(pid) == number for number in PARTICLES}
    mass = sum(mine[number] * mass for number, (mass, _, _) in PARTICLES.items())
    charge = sum(mine[number] * charge for number, (_, charge, _) in PARTICLES.items()) * np.sign(pid)
    kinds = {k.name: sum(mine[number] for number, (_, _, kind) in PARTICLES.items() if kind == k.name) > 0 for k in KINDS}
    return mass, {CHARGE.name: charge, **kinds}, sum(mine.values()) > 0
