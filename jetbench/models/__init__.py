"""Encoders and fitted models by name. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jetbench.registry import Registry
from jetbench.spaces import WIDTHS, Allowed, Configured, Space, Spaces
from jetbench.spec import Options

__all__ = ["HEAD_OPTIONS", "ModelEntry", "models"]


@dataclass(frozen=True)
class ModelEntry(Configured):
    """`view` is what the model sees; a "network" is trained by the loop, a "fitted" one by its own fit method. `pace`: jets per
    second that a network of default size trains on one core, of images those of 32×32 pixels, as forecasts assume until they have
    measured. `recipe` is that of a fitted model; one without a learning rate is not tuned. `floor`: a model that every other must
    clear, which `ranks` jets or gives all of them the same score. `tasks` are those that it can do, any where none is named.
    `signal` is the class for which the defaults of its options are made; it tells that class, the second of two, from the other,
    and another signal by options that a suite gives. `extra` is the package that it needs beside those of jetbench, and
    so the name of jetbench's extra."""

    view: str = "image"
    kind: Literal["network", "fitted"] = "network"
    pace: float = 500.0
    recipe: str = ""
    floor: bool = False
    ranks: bool = True
    tasks: tuple[str, ...] = ()
    signal: str = ""
    extra: str = ""

    @property
    def tunable(self) -> bool:
        return not self.floor


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
HEAD_ALLOWED = (("head", Allowed(choices=("linear", "mlp"))), ("head_dropout", SHARE))

models: Registry[ModelEntry] = Registry(
    "model",
    [
        ModelEntry(
            "resnet15",
            "jetbench.models.resnet15:ResNet15",
            "residual network of 15 convolutions on jet images; widths and normalisation by option",
            "Andrews et al., arXiv:1807.11916; electron/photon form of the ML4SCI end-to-end tasks (norm: batch)",
            defaults=(("dropout", 0.0), ("norm", "group"), ("stages", "16-32-64"), *HEAD),
            allowed=(("dropout", SHARE), ("norm", Allowed(choices=("group", "batch"))), ("stages", WIDTHS), *HEAD_ALLOWED),
            spaces=(
                ("dropout", DROPOUT),
                ("norm", Space(choices=("group", "batch"))),
                ("stages", Space(choices=("8-16-32", "16-32-64", "32-64-128"))),
                *HEAD_SPACES,
            ),
            pace=450.0,
        ),
        ModelEntry(
            "deep-sets",
            "jetbench.models.deep_sets:DeepSets",
            "a network of each constituent, a sum, a network of the sum: no order of constituents matters",
            "Komiske, Metodiev, Thaler, arXiv:1810.05165",
            view="constituents",
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
            "boosted-trees",
            "jetbench.models.fitted:BoostedTrees",
            "gradient-boosted trees on mass, multiplicity, width, pTD, N-subjettiness, energy correlators, soft-drop mass",
            "scikit-learn HistGradientBoostingClassifier",
            view="observables",
            kind="fitted",
            recipe="trees",
            defaults=TREES,
            allowed=TREES_ALLOWED,
            spaces=TREES_SPACES,
        ),
        ModelEntry(
            "lightgbm",
            "jetbench.models.lightgbm:LightGBM",
            "gradient-boosted trees on the same observables by LightGBM, of the extra jetbench[lightgbm]",
            "Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017",
            view="observables",
            kind="fitted",
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
            recipe="untuned",
            floor=True,
            ranks=False,
            tasks=("classification",),
        ),
    ],
)
