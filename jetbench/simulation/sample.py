"""One chunk of hadronic jets: events are made until enough of their jets pass the cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import jetbench
from jetbench.errors import SimulationError
from jetbench.jets import Channel, Jets, Meta, Provenance, concatenate
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.generator import generator_version, start, take_events
from jetbench.simulation.hadronic import HadronicRecipe
from jetbench.simulation.selection import Accepted, accept

__all__ = ["Sample", "make_meta", "make_sample", "simulate_chunk"]

BATCH_MIN, BATCH_MAX = 20, 250  # events between two looks at the number of accepted jets
DETECTOR = {
    "atlas": "fast energy flow after Delphes' early ATLAS card",
    "cms": "fast energy flow after Delphes' CMS card",
    "none": "none (particle level)",
}
USUAL_YIELD = 0.28  # accepted jets per event, to begin with
PATIENCE = 400  # batches without enough jets before a chunk gives up


@dataclass(frozen=True)
class Sample:
    """The jets of a chunk; the pT-hat (n,) [GeV] of their events; how many events the detector saw for them."""

    jets: Jets
    pt_hat: np.ndarray
    events: int


def make_meta(recipe: HadronicRecipe) -> Meta:
    """Tell what all jets of a recipe share: three channels of pT [GeV], the classes, the jet radius, how they were made."""
    return Meta(
        channels=tuple(Channel(name=name, unit="GeV", combine="sum", role="pt") for name in ("charged", "photon", "neutral")),
        class_names=recipe.class_names,
        extent=recipe.radius,
        provenance=Provenance(
            source=recipe.name,
            generator="Pythia",
            version=generator_version(),
            detector=DETECTOR[recipe.detector],
            seed=recipe.seed,
            code=jetbench.__version__,
            remarks=recipe.remarks,
        ),
    )


def simulate_chunk(chunk: Chunk[HadronicRecipe], progress: Callable[[int], None]) -> Jets:
    """Simulate the jets of one chunk, as `make_sample` does."""
    return make_sample(chunk, progress).jets


def make_sample(chunk: Chunk[HadronicRecipe], progress: Callable[[int], None] = lambda jets: None) -> Sample:
    """Simulate one chunk; the same chunk always gives the same jets. `progress` hears of the jets accepted so far.

    Raises `SimulationError` where the generator does not start or next to no event passes the cuts.
    """
    recipe = chunk.recipe
    generator = start(recipe, chunk.label, chunk.seed)
    rng = chunk.rng("detector")
    parts: list[tuple[Jets, np.ndarray]] = []
    found = events = 0
    for _ in range(PATIENCE + chunk.jets):
        expected = (found + 1) / (events + 1 / USUAL_YIELD)
        wanted = int(1.1 * (chunk.jets - found) / expected)
        batch = take_events(generator, min(max(wanted, BATCH_MIN), BATCH_MAX))
        accepted = accept(batch, recipe, chunk.label, rng)
        parts.append((_as_jets(accepted, chunk, events), accepted.pt_hat))
        events += len(batch)
        found += len(accepted.pt)
        progress(min(found, chunk.jets))
        if found >= chunk.jets:
            jets = concatenate([part for part, _ in parts])[: chunk.jets]
            return Sample(jets, np.concatenate([pt_hat for _, pt_hat in parts])[: chunk.jets], events)
    raise SimulationError(f"only {found} of {chunk.jets} jets passed the cuts in {events} events; widen the pT or eta window")


def _as_jets(accepted: Accepted, chunk: Chunk[HadronicRecipe], first_event: int) -> Jets:
    single = {name: getattr(accepted, name).astype(np.float32) for name in ("mass", "gen_pt", "gen_mass", "gen_sdmass")}
    return Jets(
        meta=make_meta(chunk.recipe),
        offsets=accepted.offsets.astype(np.int64),
        eta=accepted.deposit_eta.astype(np.float32),
        phi=accepted.deposit_phi.astype(np.float32),
        values=accepted.values.astype(np.float32),
        jet_eta=accepted.eta.astype(np.float32),
        jet_phi=accepted.phi.astype(np.float32),
        jet_pt=accepted.pt.astype(np.float32),
        event=chunk.event_ids(first_event + accepted.event),
        targets={"label": np.full(len(accepted.pt), chunk.label, np.int32), **single},
    )
