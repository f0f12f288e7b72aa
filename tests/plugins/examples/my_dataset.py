"""Jets of one prong against jets of two, of forty deposits each."""

from typing import Literal

import numpy as np

from jetbench.jets import Channel, Jets, Meta, Provenance
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.simulation.simulators import Simulator


class Prongs(SimulationRecipe):
    class_names, rate = ("one", "two"), property(lambda recipe: 1e5)  # jets per second
    name: Literal["prongs"] = "prongs"
    distance: float = 0.4


def make_meta(recipe):
    origin = Provenance(source="prongs", seed=recipe.seed, remarks=recipe.remarks)
    channels = (Channel(name="pt", unit="GeV", role="pt"),)
    return Meta(channels=channels, class_names=recipe.class_names, extent=0.8, provenance=origin)


def simulate_chunk(chunk, progress):
    rng, first, zero = chunk.rng("prongs"), 40 * np.arange(chunk.jets + 1), np.zeros(chunk.jets, "f4")
    eta, phi, pt = (rng.normal(mean, spread, first[-1]).astype("f4") for mean, spread in ((0, 0.1), (0, 0.1), (9, 1)))
    eta += chunk.label * chunk.recipe.distance * rng.choice(np.float32([-0.5, 0.5]), first[-1])
    columns = (eta, phi, pt[:, None], zero, zero, np.add.reduceat(pt, first[:-1]), chunk.event_ids(np.arange(chunk.jets)))
    progress(chunk.jets)
    return Jets(make_meta(chunk.recipe), first, *columns, {"label": np.full(chunk.jets, chunk.label, "i4")})


ROW = ("prongs", f"{__name__}:Prongs", "jets of one prong against two", "normal distributions around the prongs")
JETBENCH = [Simulator(*ROW, module=__name__, targets=("label",))]
