"""Everything that can be simulated, by name: the recipe, and the module that makes its jets. Reading it costs next to nothing.

A recipe is a value and knows no simulator. What turns it into jets is found here, so that a new simulator is a recipe, a
module and a row of this table, which is also the table of named datasets.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from jetbench.plugins import OpenRegistry
from jetbench.registry import Entry

if TYPE_CHECKING:
    from jetbench.jets import Jets, Meta
    from jetbench.simulation.chunks import Chunk
    from jetbench.simulation.recipe import SimulationRecipe

__all__ = ["Code", "Simulator", "make_meta", "simulate_chunk", "simulators"]


class Code(Protocol):
    """What the module of a simulator offers."""

    @staticmethod
    def make_meta(recipe: Any) -> Meta:
        """Tell channels, classes and provenance of every jet of a recipe; the remarks are `recipe.remarks`."""

    @staticmethod
    def simulate_chunk(chunk: Chunk[Any], progress: Callable[[int], None]) -> Jets:
        """Simulate one chunk; the same chunk always gives the same jets, with the ids of `chunk.event_ids`.

        `progress` hears of the number of jets so far. Raises `SimulationError` where that fails.
        """


@dataclass(frozen=True)
class Simulator(Entry):
    """A kind of simulated dataset: `target` is the class of its recipe, `module` names the module that makes its jets, `targets`
    are the columns of truth that these have. `tuned_on` is where the jets are from on which its default detector was chosen, as
    their own `Provenance` names their source: a test on these is not blind."""

    table: ClassVar[str] = "datasets"

    module: str = ""
    targets: tuple[str, ...] = ()
    tuned_on: str = ""

    def code(self) -> Code:
        """Import the module, with the generator's libraries still left out."""
        return cast(Code, importlib.import_module(self.module))


HADRONIC = "jetbench.simulation.sample"
MASSES = ("label", "mass", "gen_pt", "gen_mass", "gen_sdmass")

simulators: OpenRegistry[Simulator] = OpenRegistry(
    "dataset",
    [
        Simulator(
            "top-vs-qcd",
            "jetbench.simulation.top_vs_qcd:TopVsQcd",
            "simulated top and QCD jets, 550 < pT < 650 GeV, anti-kT 0.8, with a fast detector",
            "the Top Tagging reference set's recipe (Kasieczka et al., arXiv:1902.09914), by Pythia 8 and FastJet",
            module=HADRONIC,
            targets=MASSES,
            tuned_on="Top Quark Tagging Reference Dataset, zenodo 2603256",
        ),
        Simulator(
            "electron-vs-photon",
            "jetbench.simulation.showers.recipe:ElectronVsPhoton",
            "simulated 32x32 crystal images, energy and time, of electrons and photons of pT 50 GeV in a barrel",
            "a fast simulation by published parametrisations (Grindhammer and Peters, hep-ex/0001020) after CMS; no Geant4",
            module="jetbench.simulation.showers.sample",
            targets=("label", "gen_pt", "gen_eta", "gen_phi"),
        ),
        Simulator(
            "quark-vs-gluon",
            "jetbench.simulation.quark_vs_gluon:QuarkVsGluon",
            "simulated quark and gluon jets of Z + jet events, 500 < pT < 550 GeV, anti-kT 0.4, with a fast detector",
            "the EnergyFlow set's recipe (Komiske, Metodiev, Thaler, arXiv:1810.05165), by Pythia 8 and FastJet",
            module=HADRONIC,
            targets=MASSES,
        ),
        Simulator(
            "jetclass-mini",
            "jetbench.simulation.jetclass:JetClassMini",
            "simulated jets of six kinds (QCD, H, W, Z, top), 500 < pT < 1000 GeV, anti-kT 0.8, with a fast detector",
            "after JetClass (Qu, Li, Qian, arXiv:2202.03772), by Pythia 8 and FastJet",
            module=HADRONIC,
            targets=MASSES,
        ),
    ],
)


def make_meta(recipe: SimulationRecipe) -> Meta:
    """Tell what all jets of a recipe share, before they are made."""
    return simulators[recipe.name].code().make_meta(recipe)


def simulate_chunk(chunk: Chunk[SimulationRecipe], progress: Callable[[int], None] = lambda jets: None) -> Jets:
    """Simulate a chunk by the simulator of its recipe; `progress` hears of the number of jets so far."""
    return simulators[chunk.recipe.name].code().simulate_chunk(chunk, progress)
