"""Where the hard process's particles went: how far they lie from the axis of a jet."""

from __future__ import annotations

import numpy as np

from jetbench.jets.ragged import owner_of, owners, wrap_phi
from jetbench.simulation.generator import Events
from jetbench.simulation.hadronic import Match

__all__ = ["OUTGOING", "match_distance"]

OUTGOING = 23  # status code, without its sign, of what comes out of a hard process or a resonance's decay
TOP, W, GLUON = 6, 24, 21


def match_distance(events: Events, match: Match, event: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Measure how far (k,) what `match` asks for lies from the axes (eta, phi) (k,) of jets; infinite where there is none.

    `event` (k,) is the event of each jet, which must be the only jet of it. Of several candidates the nearest counts.
    """
    rows, candidate = _rows(events, match)
    owner = owner_of(events.offsets, rows)
    jet = np.full(len(events), -1)
    jet[event] = np.arange(len(event))
    near = jet[owner] >= 0
    rows, candidate, jet = rows[near], candidate[near], jet[owner[near]]
    particle_eta = np.arcsinh(events.pz[rows] / np.hypot(events.px[rows], events.py[rows]))
    particle_phi = np.arctan2(events.py[rows], events.px[rows])
    farthest = np.full((len(event), 2), -np.inf)
    np.maximum.at(farthest, (jet, candidate), np.hypot(particle_eta - eta[jet], wrap_phi(particle_phi - phi[jet])))
    return np.where(np.isfinite(farthest), farthest, np.inf).min(axis=1)


def _rows(events: Events, match: Match) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows (k,) of the particles that a match asks for, and the candidate (k,) of the event that each belongs to.

    Candidate 0 is a particle and 1 its antiparticle. Two decays of the same kind in one event are not told apart.
    """
    absolute = np.abs(events.id)
    outgoing = ((absolute <= 5) | (absolute == GLUON)) & (np.abs(events.status) == OUTGOING)
    mother = events.mother + events.offsets[owners(events.offsets)]
    parent = events.id[mother]
    if match.what == "parton":
        rows = np.flatnonzero(outgoing & np.isin(absolute, match.ids))
        return rows, np.zeros(len(rows), int)
    decayed = np.isin(np.abs(parent), match.ids)
    if match.what == "resonance":
        rows = np.unique(mother[outgoing & decayed])
        return rows, (events.id[rows] < 0).astype(int)
    if TOP in match.ids:
        decayed |= np.abs(parent) == W
    rows = np.flatnonzero(outgoing & decayed)
    return rows, (parent[rows] < 0).astype(int)
