"""What a model sees of a batch of jets. The tables are torch-free; the code behind a name is imported when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Generator

    from jetbench.data.batch import Batch
    from jetbench.spec import Component

__all__ = ["AugmentationEntry", "augment", "augmentations", "views"]

PUBLISHED = "the SSL jet-image recipe: random crop of at least 80 %, resized back"
JETCLR = "Dillon et al., arXiv:2108.04253"


@dataclass(frozen=True)
class AugmentationEntry(Entry):
    """`geometric`: it moves deposits by fractions of a pixel, so pixel deposits are dequantised before it."""

    geometric: bool = False


def _entry(name: str, summary: str, source: str = "", geometric: bool = True) -> AugmentationEntry:
    return AugmentationEntry(name, f"jetbench.views.transforms:{name}", summary, source, geometric=geometric)


augmentations: Registry[AugmentationEntry] = Registry(
    "augmentation",
    [
        _entry("rotation", "rotation about the jet axis by a random angle", JETCLR),
        _entry("flip", "mirror in eta and phi, each with probability one half", geometric=False),
        _entry("translation", "shift in eta and phi by less than two pixels", JETCLR),
        _entry("smearing", "move soft deposits, N(0, 0.1/pT)", JETCLR),
        _entry("drop", "lose soft deposits, as a detector does", geometric=False),
        _entry("energy_scale", "scale the energies of a jet and of its deposits", geometric=False),
        _entry("crop_zoom", "crop at least 80 % of the area and zoom to the full frame", PUBLISHED),
    ],
)


views: Registry[Entry] = Registry(
    "view",
    [
        Entry("image", "jetbench.views.image:render", "pixels of a square frame around the jet axis, one image per channel"),
        Entry("observables", "jetbench.views.observables:observables", "a table of jet-substructure figures"),
    ],
)


def augment(batch: Batch, steps: tuple[Component, ...], rng: Generator) -> Batch:
    """Apply the named augmentations in order; pixel deposits are dequantised once, before the first geometric one."""
    from jetbench.views.transforms import dequantise

    exact = batch.meta.grid is None
    for step in steps:
        entry = augmentations[step.name]
        if entry.geometric and not exact:
            batch, exact = dequantise(batch, rng), True
        batch = entry.load()(batch, rng, **step.keywords())
    return batch
