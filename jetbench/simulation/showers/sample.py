"""One chunk of electron or photon images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import jetbench
from jetbench.jets import Channel, Grid, Jets, Meta, Provenance, concatenate
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.showers.crystals import CRYSTAL
from jetbench.simulation.showers.events import BATCH, EXTENT, PT, Events, simulate_events
from jetbench.simulation.showers.readout import PIXELS
from jetbench.simulation.showers.recipe import ElectronVsPhoton

__all__ = ["make_meta", "simulate_chunk"]


def make_meta(recipe: ElectronVsPhoton) -> Meta:
    """Tell what all images share: energy [GeV] and time [ns], the classes, the grid of crystals, how they were made."""
    return Meta(
        channels=(
            Channel(name="energy", unit="GeV", combine="sum", role="energy"),
            Channel(name="time", unit="ns", combine="mean", weight="energy"),
        ),
        class_names=recipe.class_names,
        grid=Grid(rows=PIXELS, columns=PIXELS, eta_extent=EXTENT, phi_extent=EXTENT),
        extent=EXTENT,
        isotropic=False,
        provenance=Provenance(
            source=recipe.name,
            generator="single particles",
            detector="parametrised showers in a barrel of PbWO4 crystals after CMS, without Geant4",
            seed=recipe.seed,
            code=jetbench.__version__,
            remarks=recipe.remarks,
        ),
    )


def simulate_chunk(chunk: Chunk[ElectronVsPhoton], progress: Callable[[int], None]) -> Jets:
    """Simulate the images of one chunk; `progress` hears of their number so far."""
    rng = chunk.rng("showers")
    meta, parts = make_meta(chunk.recipe), []
    for first in range(0, chunk.jets, BATCH):
        events = simulate_events(chunk.label, min(BATCH, chunk.jets - first), rng)
        parts.append(_as_jets(events, meta, chunk, first))
        progress(first + len(events.eta))
    return concatenate(parts)


def _as_jets(events: Events, meta: Meta, chunk: Chunk[ElectronVsPhoton], first: int) -> Jets:
    count = len(events.eta)
    jet, row, column = np.nonzero(events.energy)
    energy = events.energy[jet, row, column]
    eta, phi = (row + 0.5) * CRYSTAL - EXTENT, (column + 0.5) * CRYSTAL - EXTENT
    return Jets(
        meta=meta,
        offsets=np.searchsorted(jet, np.arange(count + 1)),
        eta=eta.astype(np.float32),
        phi=phi.astype(np.float32),
        values=np.column_stack([energy, events.time[jet, row, column]]).astype(np.float32),
        jet_eta=events.axis_eta.astype(np.float32),
        jet_phi=events.axis_phi.astype(np.float32),
        jet_pt=np.bincount(jet, energy / np.cosh(eta + events.axis_eta[jet]), count).astype(np.float32),
        event=chunk.event_ids(first + np.arange(count)),
        targets={
            "label": np.full(count, chunk.label, np.int32),
            "gen_pt": np.full(count, PT, np.float32),
            "gen_eta": events.eta.astype(np.float32),
            "gen_phi": events.phi.astype(np.float32),
        },
    )
