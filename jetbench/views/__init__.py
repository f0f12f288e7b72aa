"""What a model sees of a batch of jets. The tables are torch-free; the code behind a name is imported when it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from jetbench.plugins import OpenRegistry
from jetbench.registry import Entry
from jetbench.spaces import Allowed, Configured, Space
from jetbench.spec import Options, Scalar, normalised
from jetbench.views.needs import Need

if TYPE_CHECKING:
    from torch import Generator

    from jetbench.data.batch import Batch
    from jetbench.jets import Meta
    from jetbench.spec import Component

__all__ = ["AugmentationEntry", "ViewEntry", "augment", "augmentations", "views"]

PUBLISHED = "the SSL jet-image recipe: random crop of at least 80 %, resized back"
JETCLR = "Dillon et al., arXiv:2108.04253"


@dataclass(frozen=True)
class AugmentationEntry(Configured):
    """`defaults` are its strengths. `geometric`: it moves deposits by fractions of a pixel, so pixel deposits are dequantised
    before it. `framed`: its keyword `extent` is the half width of the image's frame. `needs` is what jets must have for it.
    `changes` is what of a jet is another number by it: angles that are scaled change its mass, energies also its pT."""

    table: ClassVar[str] = "augmentations"

    geometric: bool = False
    framed: bool = False
    needs: tuple[Need, ...] = ()
    changes: tuple[Literal["mass", "pt"], ...] = ()


@dataclass(frozen=True)
class ViewEntry(Configured):
    """`needs` is what jets must have for it, `option_needs` for one of its options; `settles` names the function that makes
    settled options of the jets' `Meta` and the given ones, None where there is nothing to settle. `dense`: every jet fills the
    same places of its tensors, so that the inputs of two jets can be averaged. `tabled`: its table is slow to compute, so that it
    is computed once for a dataset, over all workers, and kept in the cache. `reads` says which channels it looks at, or that it
    looks at the classes; its option `channels`, where it has one, narrows that. `like` names the view whose options in a suite
    are also its own."""

    table: ClassVar[str] = "views"

    needs: tuple[Need, ...] = ()
    option_needs: tuple[tuple[str, tuple[Need, ...]], ...] = ()
    settles: str | None = None
    tabled: bool = False
    reads: Literal["all", "pt", "classes", "nothing"] = "all"
    like: str = ""

    def settle(self, meta: Meta, given: Mapping[str, Scalar]) -> Options:
        """Return the options for jets with `meta`, as part of a run's spec. Raises `SuiteError` where they make no sense."""
        if self.settles is None:
            return normalised(given, self.defaults)
        settled: Options = Entry(self.name, self.settles, self.summary).load()(meta, **given)
        return settled


def _entry(name: str, summary: str, source: str = "", **traits: Any) -> AugmentationEntry:
    return AugmentationEntry(name, f"jetbench.views.transforms:{name}", summary, source, **traits)


SYMMETRIC: tuple[Need, ...] = ("isotropic",)
DETECTOR: tuple[Need, ...] = ("isotropic", "GeV")  # effects whose strength is set by the pT of a deposit
NOT_NEGATIVE = Allowed(least=0)


augmentations: OpenRegistry[AugmentationEntry] = OpenRegistry(
    "augmentation",
    [
        _entry(
            "rotation",
            "rotation about the jet axis by a random angle",
            JETCLR,
            defaults=(("max_angle", math.pi),),
            allowed=(("max_angle", Allowed(least=0, most=math.pi)),),
            spaces=(("max_angle", Space(low=0.0, high=math.pi)),),
            geometric=True,
            needs=SYMMETRIC,
        ),
        _entry("flip", "mirror in eta and phi, each with probability one half", defaults=(("eta", True), ("phi", True))),
        _entry(
            "translation",
            "shift in eta and phi by less than two pixels, or by parts of the jet's extent",
            JETCLR,
            defaults=(("distance", 0.05), ("extents", 0.0)),
            allowed=(("distance", NOT_NEGATIVE), ("extents", NOT_NEGATIVE)),
            spaces=(("distance", Space(low=0.0, high=0.2)),),  # beyond, much of a jet leaves its frame
            geometric=True,
            needs=SYMMETRIC,
        ),
        _entry(
            "smearing",
            "move soft deposits, N(0, 0.1/pT)",
            JETCLR,
            defaults=(("scale", 0.1), ("softest", 0.1)),
            allowed=(("scale", NOT_NEGATIVE), ("softest", Allowed(above=0))),
            spaces=(("scale", Space(low=0.03, high=1.0, log=True)),),  # a factor of ten about JetCLR's, and a bit below it
            geometric=True,
            needs=DETECTOR,
        ),
        _entry(
            "collinear_splitting",
            "split deposits in two at the same place, until a jet has a number of them",
            f"{JETCLR}, with 50 constituents",
            defaults=(("number", 80), ("times", 2)),
            allowed=(("number", Allowed(least=1)), ("times", Allowed(least=1))),
            spaces=(("times", Space(choices=(1, 2))),),
            needs=SYMMETRIC,
        ),
        _entry(
            "drop",
            "lose soft deposits, as a detector does",
            defaults=(("pt_scale", 2.0), ("rate", 0.3)),
            allowed=(("pt_scale", Allowed(above=0)), ("rate", Allowed(least=0, most=1))),
            spaces=(("pt_scale", Space(low=0.5, high=20.0, log=True)), ("rate", Space(low=0.0, high=0.8))),
            needs=DETECTOR,
            changes=("mass", "pt"),
        ),
        _entry(
            "energy_scale",
            "scale the energies of a jet, as the brightness of its image, and of its deposits",
            defaults=(("resolution", 0.0), ("sigma", 0.02)),
            allowed=(("resolution", NOT_NEGATIVE), ("sigma", NOT_NEGATIVE)),
            spaces=(("resolution", Space(low=0.0, high=0.5)), ("sigma", Space(low=0.0, high=0.3))),  # published: 0.2 of a jet
            needs=SYMMETRIC,
            changes=("mass", "pt"),
        ),
        _entry(
            "crop_zoom",
            "crop at least 80 % of the area and zoom to the full frame",
            PUBLISHED,
            defaults=(("area", 0.8),),
            allowed=(("area", Allowed(above=0, most=1)),),
            spaces=(("area", Space(low=0.5, high=1.0)),),
            geometric=True,
            framed=True,
            needs=SYMMETRIC,
            changes=("mass",),
        ),
    ],
)


CHANNELS = Allowed(choices=("all", "pt"))
FRAME: Options = (("align", None), ("channels", "all"), ("extent", None), ("pixels", 32), ("rebin", 1))
FRAME_ALLOWED = (
    ("align", Allowed(choices=("principal",))),
    ("channels", CHANNELS),
    ("extent", Allowed(above=0)),
    ("pixels", Allowed(least=4, most=256)),
    ("rebin", Allowed(least=1)),
)
ALIGNABLE: tuple[tuple[str, tuple[Need, ...]], ...] = (("align", ("pt", "isotropic", "exact")),)

views: OpenRegistry[ViewEntry] = OpenRegistry(
    "view",
    [
        ViewEntry(
            "image",
            "jetbench.views.image:ImageView",
            "pixels of a frame around the jet axis, one image per channel",
            defaults=FRAME,
            allowed=FRAME_ALLOWED,
            spaces=(("pixels", Space(choices=(16, 24, 32))),),
            option_needs=ALIGNABLE,
            settles="jetbench.views.frame:frame_options",
        ),
        ViewEntry(
            "constituents",
            "jetbench.views.constituents:ConstituentsView",
            "the hardest deposits of a jet in falling order of pT, with a mask",
            needs=("pt",),
            defaults=(("channels", "all"), ("features", "all"), ("number", 80)),
            allowed=(("channels", CHANNELS), ("features", Allowed(choices=("all", "jetnet"))), ("number", Allowed(least=1))),
            spaces=(("number", Space(low=20, high=120)),),
        ),
        ViewEntry(
            "observables",
            "jetbench.views.observables:Observables",
            "a table of jet-substructure observables",
            needs=("GeV",),
            tabled=True,
            reads="pt",
        ),
        ViewEntry(
            "shower-shapes",
            "jetbench.views.shower_shapes:ShowerShapes",
            "a table of the shower shapes by which crystals of energy and time tell electrons from photons",
            "CMS, arXiv:1502.02702, arXiv:2012.06888",
            needs=("crystals",),
            tabled=True,
        ),
        ViewEntry(
            "pixels-mass",
            "jetbench.views.pixels_mass:PixelsMass",
            "the invariant mass of the pixels of the image view, whose options it shares",
            needs=("GeV",),
            defaults=FRAME,
            allowed=FRAME_ALLOWED,
            option_needs=ALIGNABLE,
            settles="jetbench.views.frame:mass_frame_options",
            reads="pt",
            like="image",
        ),
        ViewEntry(
            "label",
            "jetbench.views.label:Label",
            "the true class of a jet, for a floor: no other model is shown it",
            reads="classes",
        ),
        ViewEntry(
            "nothing",
            "jetbench.views.observables:Nothing",
            "a table without columns: the labels are all there is",
            reads="nothing",
        ),
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
