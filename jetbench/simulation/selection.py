"""From events to accepted jets: detector, clustering, cuts, truth matching, the particle-level partner."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jetbench.jets.ragged import owners, wrap_phi
from jetbench.simulation.clustering import JetList, cluster, leading, nearest_jet, soft_drop_mass
from jetbench.simulation.detector import (
    CHARGED,
    CHARGED_IDS,
    DETECTORS,
    NEUTRAL,
    PHOTON,
    Objects,
    Particles,
    reconstruct,
    visible_particles,
)
from jetbench.simulation.generator import Events
from jetbench.simulation.hadronic import HadronicRecipe
from jetbench.simulation.truth import match_distance

__all__ = ["Accepted", "accept"]

PARTNER_RADIUS = 0.5  # of the jet radius: the hardest particle-level jet this near is the same jet
PARTNER_PT = 0.2  # of pt_min; a jet's partner lies far above


@dataclass(frozen=True)
class Accepted:
    """m accepted jets, flat, in the order of their events: jet i owns the deposits offsets[i]:offsets[i+1].

    deposit_eta, deposit_phi (k,) relative to the axis; values (k, 3) pT [GeV] as charged, photon, neutral; event (m,) index
    within the batch; the other columns (m,), [GeV] and radians.
    """

    offsets: np.ndarray
    deposit_eta: np.ndarray
    deposit_phi: np.ndarray
    values: np.ndarray
    event: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    pt: np.ndarray
    mass: np.ndarray
    gen_pt: np.ndarray
    gen_mass: np.ndarray
    gen_sdmass: np.ndarray
    pt_hat: np.ndarray


def accept(events: Events, recipe: HadronicRecipe, label: int, rng: np.random.Generator) -> Accepted:
    """Select the leading jets of the events that pass every cut of the recipe.

    The leading jet is the hardest in pT of the whole event and is then cut on, never replaced by the next one. A jet
    without a particle-level partner (the hardest particle-level jet within half of its radius) is dropped.
    """
    particles = visible_particles(events)
    seen = recipe.detector != "none"
    objects = _calibrated(reconstruct(particles, DETECTORS[recipe.detector], rng), recipe) if seen else _untouched(particles)
    momentum = _massless(objects) if seen else _momentum(particles)
    jets = leading(cluster(objects.event, momentum, len(events), recipe.pt_min, recipe.radius))
    jets = jets.take(np.flatnonzero((jets.pt < recipe.pt_max) & recipe.central(jets.eta, jets.rapidity)))
    if match := recipe.process(label).match:
        distance = match_distance(events, match, jets.event, jets.eta, jets.phi)
        jets = jets.take(np.flatnonzero(distance < match.radius))
    jets, partners = _with_partners(jets, particles, len(events), recipe)
    return _collect(jets, objects, partners, soft_drop_mass(partners, _momentum(particles)), events)


def _with_partners(jets: JetList, particles: Particles, events: int, recipe: HadronicRecipe) -> tuple[JetList, JetList]:
    mine = np.flatnonzero(np.isin(particles.event, jets.event))
    momentum = tuple(column[mine] for column in _momentum(particles))
    candidates = cluster(particles.event[mine], momentum, events, PARTNER_PT * recipe.pt_min, recipe.radius)
    candidates = replace(candidates, members=mine[candidates.members])
    partner = nearest_jet(candidates, jets.event, jets.eta, jets.phi, PARTNER_RADIUS * recipe.radius)
    return jets.take(np.flatnonzero(partner >= 0)), candidates.take(partner[partner >= 0])


def _collect(jets: JetList, objects: Objects, partners: JetList, groomed: np.ndarray, events: Events) -> Accepted:
    jet, members = owners(jets.offsets), jets.members
    values = np.zeros((len(members), 3))
    values[np.arange(len(members)), objects.kind[members]] = objects.pt[members]
    return Accepted(
        offsets=jets.offsets,
        deposit_eta=objects.eta[members] - jets.eta[jet],
        deposit_phi=wrap_phi(objects.phi[members] - jets.phi[jet]),
        values=values,
        event=jets.event,
        eta=jets.eta,
        phi=jets.phi,
        pt=jets.pt,
        mass=jets.mass,
        gen_pt=partners.pt,
        gen_mass=partners.mass,
        gen_sdmass=groomed,
        pt_hat=events.pt_hat[jets.event],
    )


def _calibrated(objects: Objects, recipe: HadronicRecipe) -> Objects:
    return replace(objects, pt=recipe.energy_scale * objects.pt)


def _untouched(particles: Particles) -> Objects:
    kind = np.where(np.isin(particles.kind, CHARGED_IDS), CHARGED, np.where(particles.kind == 22, PHOTON, NEUTRAL))
    return Objects(particles.event, particles.eta, particles.phi, particles.pt, kind)


def _momentum(particles: Particles) -> tuple[np.ndarray, ...]:
    return particles.px, particles.py, particles.pz, particles.energy


def _massless(objects: Objects) -> tuple[np.ndarray, ...]:
    pt = objects.pt
    return pt * np.cos(objects.phi), pt * np.sin(objects.phi), pt * np.sinh(objects.eta), pt * np.cosh(objects.eta)
