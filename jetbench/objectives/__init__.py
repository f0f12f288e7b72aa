"""What a training minimises, supervised or self-supervised alike. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.registry import Registry
from jetbench.spaces import Allowed, Configured, Space

__all__ = ["TASK_LOSS", "ObjectiveEntry", "objectives"]

TASK_LOSS = "supervised"  # the objective that is nothing but the loss of the task


@dataclass(frozen=True)
class ObjectiveEntry(Configured):
    """`labelled`: it uses labels, and its passes count against the cap on labelled passes."""

    labelled: bool = True


# whether each class has the same weight in the loss of a training, however many labels it has
CLASS_WEIGHTS = ("class_weights", "none")
BALANCED = ("class_weights", Allowed(choices=("none", "balanced")))

objectives: Registry[ObjectiveEntry] = Registry(
    "objective",
    [
        ObjectiveEntry(
            TASK_LOSS,
            "jetbench.objectives.supervised:Supervised",
            "the loss of the task: of classes their cross-entropy",
            defaults=(CLASS_WEIGHTS,),
            allowed=(BALANCED,),
        ),
        ObjectiveEntry(
            "mixup",
            "jetbench.objectives.supervised:Mixup",
            "supervised training on mixed jets and labels: of images the mean, of constituents the union with scaled energies",
            "Zhang et al., arXiv:1710.09412",
            defaults=(("alpha", 0.2), CLASS_WEIGHTS),
            allowed=(("alpha", Allowed(above=0)), BALANCED),
            spaces=(("alpha", Space(low=0.05, high=2.0, log=True)),),
        ),
        ObjectiveEntry(
            "simclr",
            "jetbench.objectives.simclr:SimCLR",
            "SimCLR: InfoNCE between two augmented views of a jet, with a learnable temperature and a projection head",
            "Chen et al., arXiv:2002.05709; learnable temperature as in Radford et al., arXiv:2103.00020",
            labelled=False,
            defaults=(("projection", 128), ("temperature", 0.07)),
            allowed=(("projection", Allowed(least=1)), ("temperature", Allowed(least=0.01, most=1))),
            spaces=(
                ("projection", Space(low=32, high=512, log=True)),
                ("temperature", Space(low=0.02, high=1.0, log=True)),
            ),
        ),
        ObjectiveEntry(
            "moco",
            "jetbench.objectives.moco:MoCo",
            "MoCo: InfoNCE between a view of a jet and a queue of views that a momentum encoder has made",
            "He et al., arXiv:1911.05722; projection head of version 2, arXiv:2003.04297",
            labelled=False,
            defaults=(("momentum", 0.99), ("projection", 128), ("queue", 2048), ("temperature", 0.2)),
            allowed=(
                ("momentum", Allowed(least=0, below=1)),
                ("projection", Allowed(least=1)),
                ("queue", Allowed(least=1)),
                ("temperature", Allowed(above=0)),
            ),
            spaces=(
                ("momentum", Space(low=0.9, high=0.9995)),
                ("projection", Space(low=32, high=512, log=True)),
                ("temperature", Space(low=0.02, high=1.0, log=True)),
            ),
        ),
    ],
)
