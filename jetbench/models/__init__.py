"""Encoders and fitted models by name. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from jetbench.plugins import OpenRegistry
from jetbench.spaces import WIDTHS, Allowed, Configured, Space, Spaces
from jetbench.spec import Options
from jetbench.views import ViewEntry, views
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["HEAD", "HEAD_ALLOWED", "HEAD_OPTIONS", "HEAD_SPACES", "ModelEntry", "models"]


@dataclass(frozen=True)
class ModelEntry(Configured):
    """`view` is what the model sees, and `other_view`, where it has one, what it sees of jets that allow only that; a "network"
    is trained by the loop, a "fitted" one by its own fit method. `pace`: jets per second that a network of default size trains
    on one core, of images those of 32×32 pixels, as forecasts assume until they have measured; `narrow`: that with `stages` of
    no more than 64 channels; `halves`: its stem halves large images, as `halvings` tells. `published` is what of its options
    other than by default makes it as large as its source has it, and `wide` its pace with them. `recipe` is that of a fitted
    model, where one without a learning rate is not tuned, and of a network the one that it was published with. `floor`: a model
    that every other must clear, which `ranks` jets or gives all of them the same score. `tasks` are those that it can do, any
    where none is named. `quantity` is what it gives where that is one thing whatever the target, as a mass. `signal` is the
    class for which the defaults of its options are made; it tells that class, the second of two, from the other, and another
    signal by options that a suite gives. `sample_weight`: the `fit` of a fitted model takes weights of jets. `extra` is the
    package that it needs beside those of jetbench, and so the name of jetbench's extra."""

    table: ClassVar[str] = "models"

    view: str = "image"
    other_view: str = ""
    kind: Literal["network", "fitted"] = "network"
    pace: float = 500.0
    narrow: float | None = None
    halves: bool = False
    published: Options = ()
    wide: float | None = None
    recipe: str = ""
    floor: bool = False
    ranks: bool = True
    tasks: tuple[str, ...] = ()
    quantity: str = ""
    signal: str = ""
    sample_weight: bool = False
    extra: str = ""

    @property
    def tunable(self) -> bool:
        return not self.floor

    def view_of(self, meta: Meta) -> ViewEntry:
        """Return the view that the model has of jets with `meta`; its first one where they allow neither."""
        view, other = views[self.view], views[self.other_view] if self.other_view else None
        return other if other and unmet(meta, view.needs) and not unmet(meta, other.needs) else view


TREES: Options = (("l2", 1.0), ("max_leaf_nodes", 15), ("min_samples_leaf", 5), ("trees", 100))  # of either library
TREES_ALLOWED = (
    ("l2", Allowed(least=0)),
    ("max_leaf_nodes", Allowed(least=2)),
    ("min_samples_leaf", Allowed(least=1)),
    ("trees", Allowed(least=1)),
)
TREES_SPACES: Spaces = (
    ("l2", Space(low=0.01, high=100.0, log=True)),
    ("max_leaf_nodes", Space(low=4, high=64, log=True)),
    ("min_samples_leaf", Space(low=2, high=40, log=True)),
    ("trees", Space(low=30, high=500, log=True)),
)

HEAD: Options = (("head", "linear"), ("head_dropout", 0.3))  # of every network; 0.3 is the SSL jet-image recipe's
HEAD_OPTIONS = frozenset(name for name, _ in HEAD)
HEAD_SPACES: Spaces = (("head_dropout", Space(low=0.0, high=0.5)),)
DROPOUT = Space(low=0.0, high=0.5)
SHARE = Allowed(least=0, most=1)
HEAD_ALLOWED = (("head", Allowed(choices=("linear", "mlp", "ensemble", "deep"))), ("head_dropout", SHARE))
NORM = Allowed(choices=("group", "batch"))
NORMS = Space(choices=("group", "batch"))
RESIDUAL: Options = (("dropout", 0.1), ("norm", "group"), ("stages", "64-128-256-512"), *HEAD)
RESIDUAL_ALLOWED = (("dropout", SHARE), ("norm", NORM), ("stages", WIDTHS), *HEAD_ALLOWED)
RESIDUAL_SPACES: Spaces = (
    ("dropout", DROPOUT),
    ("norm", NORMS),
    ("stages", Space(choices=("8-16-32", "16-32-64", "32-64-128", "64-128-256-512"))),
    *HEAD_SPACES,
)
END_TO_END = "Andrews et al., arXiv:1807.11916"
SE = "squeeze and excitation: Hu et al., arXiv:1709.01507"
SSL_RECIPE = "ssl-jet-image-pretrain"


def _residual(name: str, code: str, summary: str, source: str, pace: float, narrow: float, revision: int = 1) -> ModelEntry:
    """A residual network with the options of ResNet-15."""
    return ModelEntry(
        name,
        f"jetbench.models.resnet:{code}",
        summary,
        source,
        revision=revision,
        defaults=RESIDUAL,
        allowed=RESIDUAL_ALLOWED,
        spaces=RESIDUAL_SPACES,
        pace=pace,
        narrow=narrow,
        halves=True,
        recipe=SSL_RECIPE,
    )


models: OpenRegistry[ModelEntry] = OpenRegistry(
    "model",
    [
        _residual(
            "resnet15",
            "ResNet15",
            "residual network of 15 convolutions on jet images that grows to 512 features, with group normalisation and dropout",
            f"{END_TO_END}; widths, normalisation and dropout of the SSL jet-image recipe",
            pace=40.0,
            narrow=450.0,
            revision=2,
        ),
        ModelEntry(
            "resnet15-bn",
            "jetbench.models.resnet:ResNet15Batch",
            "the electron/photon ResNet-15: 16-32-64 channels with batch normalisation, whose published weights can be imported",
            f"{END_TO_END}; electron/photon form of the ML4SCI end-to-end tasks",
            defaults=HEAD,
            allowed=HEAD_ALLOWED,
            spaces=HEAD_SPACES,
            pace=450.0,
            recipe="electron-photon",
        ),
        ModelEntry(
            "resnet15-e2e",
            "jetbench.models.resnet:ResNet15EndToEnd",
            "the original of the CMS end-to-end studies: a 7×7 stem, 16 and 32 channels, no normalisation, global max-pooling",
            END_TO_END,
            defaults=HEAD,
            allowed=HEAD_ALLOWED,
            spaces=HEAD_SPACES,
            pace=900.0,
        ),
        _residual(
            "se-resnet15",
            "SEResNet15",
            "ResNet-15 whose blocks weigh their channels by squeeze and excitation",
            f"{END_TO_END}; {SE}",
            pace=40.0,
            narrow=410.0,
        ),
        _residual(
            "resnet27",
            "ResNet27",
            "ResNet-15 with four blocks in each stage instead of two: a deeper encoder of the same blocks",
            "after He et al., arXiv:1512.03385",
            pace=20.0,
            narrow=245.0,
        ),
        ModelEntry(
            "se-vgg",
            "jetbench.models.se_vgg:SEVGG",
            "plain 3×3 convolutions with squeeze and excitation, and an ensemble of heads",
            f"Simonyan and Zisserman, arXiv:1409.1556; {SE}",
            defaults=(("head", "ensemble"), ("head_dropout", 0.3), ("norm", "batch"), ("stages", "64-128-256-512-512")),
            allowed=(*HEAD_ALLOWED, ("norm", NORM), ("stages", WIDTHS)),
            spaces=(
                *HEAD_SPACES,
                ("norm", NORMS),
                ("stages", Space(choices=("16-32-64", "32-64-128-256", "64-128-256-512-512"))),
            ),
            pace=60.0,
            narrow=750.0,
            recipe="se-vgg",
        ),
        ModelEntry(
            "deep-sets",
            "jetbench.models.deep_sets:DeepSets",
            "a network of each constituent, a sum, a network of the sum: no order of constituents matters",
            "Komiske, Metodiev, Thaler, arXiv:1810.05165",
            view="constituents",
            revision=2,
            defaults=(("jet", "64-64"), ("particle", "64-64-128"), *HEAD),
            allowed=(("jet", WIDTHS), ("particle", WIDTHS), *HEAD_ALLOWED),
            spaces=(
                ("jet", Space(choices=("32-32", "64-64", "128-128"))),
                ("particle", Space(choices=("32-32-64", "64-64-128", "100-100-256"))),
                *HEAD_SPACES,
            ),
            pace=4500.0,
        ),
        ModelEntry(
            "particle-transformer",
            "jetbench.models.particle_transformer:ParticleTransformer",
            "each constituent attends to all others of its jet, with or without pairwise features, and their sum is the jet",
            "JetCLR: Dillon et al., arXiv:2108.04253; pairwise features: Qu, Li, Qian, arXiv:2202.03772",
            view="constituents",
            defaults=(
                ("dropout", 0.1),
                ("feedforward", 128),
                ("heads", 4),
                ("layers", 2),
                ("pairwise", False),
                ("width", 64),
                *HEAD,
            ),
            allowed=(
                ("dropout", SHARE),
                *((name, Allowed(least=1)) for name in ("feedforward", "heads", "layers", "width")),
                *HEAD_ALLOWED,
            ),
            spaces=(
                ("dropout", DROPOUT),
                ("feedforward", Space(choices=(64, 128, 256))),
                ("heads", Space(choices=(2, 4, 8))),
                ("layers", Space(low=1, high=4)),
                ("width", Space(choices=(32, 64, 128))),
                *HEAD_SPACES,
            ),
            published=(("feedforward", 1000), ("layers", 4), ("width", 1000)),
            pace=420.0,
            wide=8.0,
        ),
        ModelEntry(
            "particlenet",
            "jetbench.models.particlenet:ParticleNet",
            "convolutions over the nearest neighbours of each constituent, among its features from the second on",
            "Qu and Gouskos, arXiv:1902.08570; weights that can be imported: Kansal et al., arXiv:2106.11535",
            view="constituents",
            defaults=(
                ("blocks", "32-64"),
                ("connected", 128),
                ("dropout", 0.1),
                ("neighbours", 7),
                ("shortcut", "sum"),
                *HEAD,
            ),
            allowed=(
                ("blocks", WIDTHS),
                ("connected", Allowed(least=1)),
                ("dropout", SHARE),
                ("neighbours", Allowed(least=1)),
                ("shortcut", Allowed(choices=("sum", "concatenate"))),
                *HEAD_ALLOWED,
            ),
            spaces=(
                ("blocks", Space(choices=("16-32", "32-64", "64-128"))),
                ("connected", Space(choices=(64, 128, 256))),
                ("dropout", DROPOUT),
                ("neighbours", Space(low=4, high=16)),
                *HEAD_SPACES,
            ),
            published=(("blocks", "64-128-256"), ("connected", 256), ("neighbours", 16)),
            pace=650.0,
            wide=40.0,
        ),
        ModelEntry(
            "boosted-trees",
            "jetbench.models.fitted:BoostedTrees",
            "gradient-boosted trees on substructure observables of jets with a pT, and on shower shapes of crystals",
            "scikit-learn HistGradientBoostingClassifier",
            view="observables",
            other_view="shower-shapes",
            kind="fitted",
            sample_weight=True,
            recipe="trees",
            defaults=TREES,
            allowed=TREES_ALLOWED,
            spaces=TREES_SPACES,
        ),
        ModelEntry(
            "lightgbm",
            "jetbench.models.lightgbm:LightGBM",
            "gradient-boosted trees on the same tables by LightGBM, of the extra jetbench[lightgbm]",
            "Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017",
            view="observables",
            other_view="shower-shapes",
            kind="fitted",
            sample_weight=True,
            recipe="trees",
            defaults=TREES,
            allowed=TREES_ALLOWED,
            spaces=TREES_SPACES,
            extra="lightgbm",
        ),
        ModelEntry(
            "mass-likelihood",
            "jetbench.models.floors:MassLikelihood",
            "the likelihood ratio in the jet mass by kernel densities: the floor that every tagger must clear",
            "bandwidth: Silverman, Density Estimation for Statistics and Data Analysis (1986), equation 3.28",
            view="observables",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            tasks=("classification",),
        ),
        ModelEntry(
            "mass-distance",
            "jetbench.models.floors:MassDistance",
            "how near the jet mass is to that of the signal, by default a top: a floor that needs no label",
            "mass of the top quark [GeV]: Particle Data Group, direct measurements",
            defaults=(("mass", 172.5),),
            allowed=(("mass", Allowed(above=0)),),
            view="observables",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            tasks=("classification",),
            signal="top",
        ),
        ModelEntry(
            "class-prior",
            "jetbench.models.floors:ClassPrior",
            "the shares of the classes among the labels, the same for every jet",
            view="nothing",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            ranks=False,
            tasks=("classification",),
        ),
        ModelEntry(
            "class-mean",
            "jetbench.models.floors:ClassMean",
            "the mean target of the jet's true class: a floor that looks at the label of every jet, which no arm is shown",
            view="label",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            tasks=("regression",),
        ),
        ModelEntry(
            "analytic-mass",
            "jetbench.models.floors:AnalyticMass",
            "the invariant mass of the pixels that the image models see: a floor for masses that needs no label",
            "massless four-vectors at the centres of the pixels, of their pT",
            view="pixels-mass",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            tasks=("regression",),
            quantity="mass",
        ),
        ModelEntry(
            "groomed-mass",
            "jetbench.models.floors:GroomedMass",
            "the soft-drop mass of the jet's deposits, nothing fitted: the floor for masses before the detector that are groomed",
            "soft drop: Larkoski, Marzani, Soyez, Thaler, arXiv:1402.2657",
            view="observables",
            kind="fitted",
            sample_weight=True,
            recipe="untuned",
            floor=True,
            tasks=("regression",),
            quantity="mass",
        ),
    ],
)
