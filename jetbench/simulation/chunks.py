"""The plan of a dataset in chunks, each made from its own seed alone and kept in its own file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import jetbench
from jetbench.errors import DataFileError, SimulationError
from jetbench.jets import Channel, Jets, Meta, Provenance, concatenate, open_jets, save_jets
from jetbench.seeds import derive, numpy_rng
from jetbench.simulation.generator import MAX_SEED, generator_version, start, take_events
from jetbench.simulation.recipe import QCD, TOP, TopVsQcd
from jetbench.simulation.selection import Accepted, accept
from jetbench.values import Value

__all__ = ["CLASS_NAMES", "Chunk", "Sample", "assemble", "make_chunk", "meta_of", "plan", "read_chunk"]

log = logging.getLogger(__name__)

CLASS_NAMES = ("qcd", "top")
CHUNK_JETS = 500  # seconds of work: long against the generator's start, short against an interrupt
SPLIT_JETS = 250  # more jets of a class than these make two chunks, which keep two workers busy to the end
BATCH_MIN, BATCH_MAX = 20, 250  # events between two looks at the number of accepted jets
USUAL_YIELD = 0.28  # accepted jets per event, to begin with
PATIENCE = 400  # batches without enough jets before a chunk gives up
EVENT_BITS, CHUNK_BITS = 24, 20


class Chunk(Value):
    """`jets` accepted jets of one class from one seed; `index` counts over both classes of the recipe."""

    recipe: TopVsQcd
    index: int
    label: int
    jets: int

    @property
    def seed(self) -> int:
        """Pythia's seed, 1 to 900 000 000: derived from the recipe, and different for every chunk of it."""
        return 1 + (derive("simulation", self.recipe.digest()) + self.index) % MAX_SEED

    def file(self, folder: Path) -> Path:
        return folder / f"{self.index:05d}-{CLASS_NAMES[self.label]}-{self.digest()[:12]}.h5"


@dataclass(frozen=True)
class Sample:
    """The jets of a chunk; the pT-hat (n,) [GeV] of their events; how many events the detector saw for them."""

    jets: Jets
    pt_hat: np.ndarray
    events: int


def plan(recipe: TopVsQcd) -> tuple[Chunk, ...]:
    """The chunks of a recipe, class by class in turn, of nearly equal size; they depend on nothing but the recipe."""
    each = recipe.jets // 2
    count = max(-(-each // CHUNK_JETS), min(2, -(-each // SPLIT_JETS)))
    sizes = [each // count + (i < each % count) for i in range(count)]
    return tuple(
        Chunk(recipe=recipe, index=2 * i + label, label=label, jets=size) for i, size in enumerate(sizes) for label in (QCD, TOP)
    )


def meta_of(recipe: TopVsQcd) -> Meta:
    """Channels, classes and provenance that all chunks of a recipe share."""
    return Meta(
        channels=tuple(Channel(name=name, unit="GeV", combine="sum", role="pt") for name in ("charged", "photon", "neutral")),
        class_names=CLASS_NAMES,
        provenance=Provenance(
            source="top-vs-qcd",
            generator="Pythia",
            version=generator_version(),
            detector="fast energy flow after Delphes' CMS card" if recipe.detector else "none (particle level)",
            seed=recipe.seed,
            code=jetbench.__version__,
            remarks=(f"recipe {recipe.canonical()}", f"recipe digest {recipe.digest()}"),
        ),
    )


def make_chunk(chunk: Chunk, progress: Callable[[int], None] = lambda jets: None) -> Sample:
    """Simulate one chunk; the same chunk always gives the same jets. `progress` hears of the jets accepted so far.

    Raises `SimulationError` where the generator does not start or next to no event passes the cuts.
    """
    recipe = chunk.recipe
    generator = start(recipe, chunk.label, chunk.seed)
    rng = numpy_rng("detector", recipe.digest(), chunk.index)
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


def _as_jets(accepted: Accepted, chunk: Chunk, first_event: int) -> Jets:
    """Event ids are unique within a dataset, and carry a few bits of the recipe so that datasets rarely share one."""
    dataset = derive("event", chunk.recipe.digest()) % (1 << (63 - CHUNK_BITS - EVENT_BITS))
    event = (((dataset << CHUNK_BITS) | chunk.index) << EVENT_BITS) | (first_event + accepted.event)
    single = {name: getattr(accepted, name).astype(np.float32) for name in ("mass", "gen_pt", "gen_mass", "gen_sdmass")}
    return Jets(
        meta=meta_of(chunk.recipe),
        offsets=accepted.offsets.astype(np.int64),
        eta=accepted.deposit_eta.astype(np.float32),
        phi=accepted.deposit_phi.astype(np.float32),
        values=accepted.values.astype(np.float32),
        jet_eta=accepted.eta.astype(np.float32),
        jet_phi=accepted.phi.astype(np.float32),
        jet_pt=accepted.pt.astype(np.float32),
        event=event.astype(np.int64),
        targets={"label": np.full(len(accepted.pt), chunk.label, np.int32), **single},
    )


def read_chunk(chunk: Chunk, folder: Path) -> Jets | None:
    """The stored chunk in memory, or None where there is none or it is damaged: then it is made again."""
    path = chunk.file(folder)
    if not path.exists():
        return None
    try:
        stored = open_jets(path)
        jets = stored.read()
        if jets.meta != meta_of(chunk.recipe) or len(jets) != chunk.jets or jets.content_digest() != stored.stored_digest:
            raise DataFileError(f"{path}: not the chunk that it should be")
    except DataFileError as error:
        log.warning("a stored chunk of the simulation is made again: %s", error)
        path.unlink(missing_ok=True)
        return None
    return jets


def assemble(chunks: tuple[Chunk, ...], folder: Path, path: Path) -> str:
    """Write the final file from the stored chunks and return its digest. The classes are mixed: each stretch of the file
    holds two chunks, one of each class, in an order drawn from the recipe."""
    return save_jets(path, _mixed(chunks, folder))


def _mixed(chunks: tuple[Chunk, ...], folder: Path) -> Iterator[Jets]:
    for pair in zip(chunks[::2], chunks[1::2], strict=True):
        parts = [read_chunk(chunk, folder) for chunk in pair]
        if any(part is None for part in parts):
            raise SimulationError(f"{folder}: a finished chunk has vanished or was damaged; run the simulation again to make it")
        jets = concatenate([part for part in parts if part is not None])
        yield jets.take(numpy_rng("order", pair[0].recipe.digest(), pair[0].index).permutation(len(jets)))
