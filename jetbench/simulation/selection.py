"""From events to accepted jets: detector, clustering, cuts, truth matching, the particle-level partner."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jetbench.simulation.clustering import JetList, cluster, delta_phi, leading, nearest_jet, soft_drop_mass
from jetbench.simulation.detector import (
    CHARGED,
    CHARGED_IDS,
    NEUTRAL,
    PHOTON,
    Detector,
    Objects,
    Particles,
    reconstruct,
    visible_particles,
)
from jetbench.simulation.generator import OUTGOING, Events
from jetbench.simulation.recipe import RADIUS, TOP, TopVsQcd

__all__ = ["Accepted", "accept", "top_distance"]

PARTNER_RADIUS = 0.4  # half of the jet radius: the hardest particle-level jet this near is the same jet
PARTNER_PT = 100.0  # GeV; a partner of a jet within 550–650 GeV lies far above


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


def accept(events: Events, recipe: TopVsQcd, label: int, rng: np.random.Generator, detector: Detector | None = None) -> Accepted:
    """The leading jets of the events that pass every cut of the recipe.

    The leading jet is the hardest in pT of the whole event and is then cut on, never replaced by the next one. A jet
    without a particle-level partner (the hardest particle-level jet within ΔR < 0.4) is dropped.
    """
    particles = visible_particles(events)
    objects = reconstruct(particles, detector or Detector(), rng) if recipe.detector else _untouched(particles)
    jets = leading(
        cluster(objects.event, _massless(objects) if recipe.detector else _momentum(particles), len(events), recipe.pt_min)
    )
    jets = jets.take(np.flatnonzero((jets.pt < recipe.pt_max) & (np.abs(jets.eta) < recipe.eta_max)))
    if label == TOP:
        distance = top_distance(events, jets.event, jets.eta, jets.phi, whole=recipe.contained)
        jets = jets.take(np.flatnonzero(distance < RADIUS))
    jets, partners = _with_partners(jets, particles, len(events))
    return _collect(jets, objects, partners, soft_drop_mass(partners, _momentum(particles)), events)


def top_distance(events: Events, event: np.ndarray, eta: np.ndarray, phi: np.ndarray, *, whole: bool) -> np.ndarray:
    """How far (k,) a hadronic top of event `event` (k,) lies from the axis (eta, phi) (k,): the smaller of the two tops'.

    A top's distance is, with `whole`, that of the farthest of its three decay partons (b, and both quarks of its W, before
    they radiate), else that of the top quark at its decay.
    """
    kind, absolute = events.id, np.abs(events.id)
    owner = np.repeat(np.arange(len(events)), np.diff(events.offsets))
    parent = kind[events.mother + events.offsets[owner]]
    quark = (absolute >= 1) & (absolute <= 5) & (np.abs(events.status) == OUTGOING)
    from_top, from_w = quark & (np.abs(parent) == 6), quark & (np.abs(parent) == 24)
    result = np.full(len(event), np.inf)
    for sign in (1, -1):
        rows = np.flatnonzero((from_top & (parent == 6 * sign)) | (from_w & (parent == 24 * sign)))
        if not np.array_equal(owner[rows], np.repeat(np.arange(len(events)), 3)):
            raise AssertionError("an event's tops do not both decay to three quarks")
        if not whole:
            rows = rows[from_top[rows]]
            rows = events.mother[rows] + events.offsets[owner[rows]]
        rows = rows.reshape(len(events), -1)[event]
        parton_eta = np.arcsinh(events.pz[rows] / np.hypot(events.px[rows], events.py[rows]))
        parton_phi = np.arctan2(events.py[rows], events.px[rows])
        distance = np.hypot(parton_eta - eta[:, None], delta_phi(parton_phi, phi[:, None]))
        result = np.minimum(result, distance.max(axis=1))
    return result


def _with_partners(jets: JetList, particles: Particles, events: int) -> tuple[JetList, JetList]:
    mine = np.flatnonzero(np.isin(particles.event, jets.event))
    momentum = tuple(column[mine] for column in _momentum(particles))
    candidates = cluster(particles.event[mine], momentum, events, PARTNER_PT)
    candidates = replace(candidates, members=mine[candidates.members])
    partner = nearest_jet(candidates, jets.event, jets.eta, jets.phi, PARTNER_RADIUS)
    return jets.take(np.flatnonzero(partner >= 0)), candidates.take(partner[partner >= 0])


def _collect(jets: JetList, objects: Objects, partners: JetList, groomed: np.ndarray, events: Events) -> Accepted:
    counts, members = np.diff(jets.offsets), jets.members
    values = np.zeros((len(members), 3))
    values[np.arange(len(members)), objects.kind[members]] = objects.pt[members]
    return Accepted(
        offsets=jets.offsets,
        deposit_eta=objects.eta[members] - np.repeat(jets.eta, counts),
        deposit_phi=delta_phi(objects.phi[members], np.repeat(jets.phi, counts)),
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


def _untouched(particles: Particles) -> Objects:
    kind = np.where(np.isin(particles.kind, CHARGED_IDS), CHARGED, np.where(particles.kind == 22, PHOTON, NEUTRAL))
    return Objects(particles.event, particles.eta, particles.phi, particles.pt, kind)


def _momentum(particles: Particles) -> tuple[np.ndarray, ...]:
    return particles.px, particles.py, particles.pz, particles.energy


def _massless(objects: Objects) -> tuple[np.ndarray, ...]:
    pt = objects.pt
    return pt * np.cos(objects.phi), pt * np.sin(objects.phi), pt * np.sinh(objects.eta), pt * np.cosh(objects.eta)
