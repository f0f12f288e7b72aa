"""Events from Pythia 8 as flat numpy columns."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.errors import SimulationError
from jetbench.simulation.hadronic import HadronicRecipe
from jetbench.simulation.veto import early_veto

if TYPE_CHECKING:
    import pythia8mc

__all__ = ["Events", "Generator", "generator_version", "start", "take_events"]


@dataclass(frozen=True)
class Events:
    """Particles of n events, flat: event i owns offsets[i]:offsets[i+1].

    id, status, mother (particles,) int; px, py, pz, energy (particles,) float64 [GeV]; pt_hat (n,) float64 [GeV].
    """

    offsets: np.ndarray
    id: np.ndarray
    status: np.ndarray
    mother: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray
    energy: np.ndarray
    pt_hat: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1


def generator_version() -> str:
    """Look up the installed Pythia's version, such as "8.317"."""
    from importlib.metadata import version

    return version("pythia8mc")


@dataclass(frozen=True)
class Generator:
    """An initialised Pythia with its early veto."""

    pythia: pythia8mc.Pythia
    hooks: Any  # kept here since Pythia holds the C++ part alone, and without the Python part every override is lost


def start(recipe: HadronicRecipe, label: int, seed: int) -> Generator:
    """Start a generator of one class; raises `SimulationError` where Pythia declines.

    Before hadronisation it drops events whose parton-level jets will not pass the cuts. No event has a weight.
    """
    import pythia8mc

    process = recipe.process(label)
    settings = (
        "Print:quiet = on",
        f"Beams:eCM = {recipe.beam_energy}",
        f"PartonLevel:MPI = {'on' if recipe.mpi else 'off'}",
        f"SpaceShower:renormMultFac = {recipe.shower_scale**2}",
        f"TimeShower:renormMultFac = {recipe.shower_scale**2}",
        f"PhaseSpace:pTHatMin = {process.pt_hat_min}",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        *process.settings,
    )
    pythia = pythia8mc.Pythia("", False)
    if not pythia.settings.isFlag("Print:quiet"):  # nor any other
        raise SimulationError(
            f"Pythia {generator_version()} does not find its data: unset PYTHIA8DATA (it is {os.environ.get('PYTHIA8DATA')!r}), "
            "or install pythia8mc anew"
        )
    for setting in settings:
        if not pythia.readString(setting):
            raise SimulationError(f"Pythia {generator_version()} does not know the setting {setting!r}; install pythia8mc>=8.317")
    hooks = early_veto(pythia, process, recipe.radius, seed)
    pythia.setUserHooksPtr(hooks)
    if not pythia.init():
        raise SimulationError(f"Pythia {generator_version()} does not start with seed {seed}; run it again with its output on")
    return Generator(pythia, hooks)


def take_events(generator: Generator, count: int) -> Events:
    """Generate the next `count` events that the early veto lets through; raises `SimulationError` where there are none."""
    import awkward as ak

    run = generator.pythia.nextBatch(count)
    if len(run) == 0 or generator.hooks.hopeless:
        raise SimulationError("next to no event can pass the cuts: the pT window may be out of reach; widen it")
    particles = run.prt

    def flat(column: Any) -> np.ndarray:
        return ak.to_numpy(ak.flatten(column, axis=1))

    counts = ak.to_numpy(ak.num(particles.id))
    return Events(
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        id=flat(particles.id),
        status=flat(particles.status),
        mother=flat(particles.mother1),
        px=flat(particles.p.px),
        py=flat(particles.p.py),
        pz=flat(particles.p.pz),
        energy=flat(particles.p.e),
        pt_hat=np.sqrt(ak.to_numpy(run.info.pT2Hat)),
    )
