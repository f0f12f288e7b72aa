"""Encoders and fitted models by name. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jetbench.registry import Entry, Registry

__all__ = ["ModelEntry", "models"]


@dataclass(frozen=True)
class ModelEntry(Entry):
    """`view` is what the model sees; a "network" is trained by the loop, a "fitted" one by its own fit method. `options` are
    the keywords that a suite may set; `tunable` says that there is a learning rate to search. A `floor` is what every other model
    must clear; one of `chance` knows nothing of a jet."""

    view: str = "image"
    kind: Literal["network", "fitted"] = "network"
    tunable: bool = True
    options: tuple[str, ...] = ()
    floor: bool = False
    chance: bool = False


HEAD = ("head", "head_dropout")  # of every network: "linear" or "mlp", and the dropout inside the latter

models: Registry[ModelEntry] = Registry(
    "model",
    [
        ModelEntry(
            "resnet15",
            "jetbench.models.resnet15:ResNet15",
            "residual network of 15 convolutions on jet images; widths and normalisation by option",
            "Andrews et al., arXiv:1807.11916; electron/photon form of the ML4SCI end-to-end tasks",
            options=("stages", "norm", "dropout", *HEAD),
        ),
        ModelEntry(
            "boosted-trees",
            "jetbench.models.fitted:BoostedTrees",
            "gradient-boosted trees on mass, multiplicity, width, pTD, N-subjettiness, energy correlators, soft-drop mass",
            "scikit-learn HistGradientBoostingClassifier",
            view="observables",
            kind="fitted",
            options=("trees", "max_leaf_nodes", "min_samples_leaf", "l2"),
        ),
        ModelEntry(
            "mass-cut",
            "jetbench.models.fitted:MassCut",
            "a cut on the jet mass, bins of it for more than two classes: the floor that every tagger must clear",
            revision=2,
            view="observables",
            kind="fitted",
            tunable=False,
            floor=True,
        ),
        ModelEntry(
            "class-prior",
            "jetbench.models.fitted:ClassPrior",
            "the shares of the classes among the labels, the same for every jet",
            view="nothing",
            kind="fitted",
            tunable=False,
            floor=True,
            chance=True,
        ),
    ],
)
