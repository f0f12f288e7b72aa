"""What a training minimises, supervised or self-supervised alike. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from jetbench.plugins import OpenRegistry
from jetbench.spaces import Allowed, Configured, Space
from jetbench.spec import Component

__all__ = ["TASK_LOSS", "UNLABELLED", "ObjectiveEntry", "objectives", "passes_beside"]

TASK_LOSS = "supervised"  # the objective that is nothing but the loss of the task


@dataclass(frozen=True)
class ObjectiveEntry(Configured):
    """`labelled`: it uses labels, and its passes count against the cap on labelled passes. `trains_head`: the network's head is
    trained with the encoder, so that its outputs can be validated; else a training gives an encoder alone, for others to start
    from. `views` is how often it looks at each jet of a batch. `beside` is the option that names the objective which it has on
    jets of the pool in each step; nothing where it has none. `taught`: it follows the scores of a finished run.
    `sample_weight`: its loss knows weights of jets. `tasks` are those whose labels it can use, any where none is named."""

    table: ClassVar[str] = "objectives"

    labelled: bool = True
    trains_head: bool = True
    views: int = 1
    beside: str = ""
    taught: bool = False
    sample_weight: bool = False
    tasks: tuple[str, ...] = ()


# whether each class has the same weight in the loss of a training, however many labels it has
CLASS_WEIGHTS = ("class_weights", "none")
BALANCED = ("class_weights", Allowed(choices=("none", "balanced")))
# those that see jets without labels, and so can look at the pool beside the label budget
UNLABELLED = ("simclr", "moco", "barlow-twins", "vicreg", "byol", "obow", "masked")
# of what looks at two views through a projection head
PROJECTION = ("projection", Allowed(least=1))
PROJECTIONS = ("projection", Space(low=32, high=512, log=True))
TEMPERATURES = ("temperature", Space(low=0.02, high=1.0, log=True))
MOMENTUM = ("momentum", Allowed(least=0, below=1))
MOMENTA = ("momentum", Space(low=0.9, high=0.9995))
WEIGHT = Allowed(least=0)

objectives: OpenRegistry[ObjectiveEntry] = OpenRegistry(
    "objective",
    [
        ObjectiveEntry(
            TASK_LOSS,
            "jetbench.objectives.supervised:Supervised",
            "the loss of the task: of classes their cross-entropy",
            sample_weight=True,
            defaults=(CLASS_WEIGHTS,),
            allowed=(BALANCED,),
        ),
        ObjectiveEntry(
            "mixup",
            "jetbench.objectives.supervised:Mixup",
            "supervised training on mixed jets and labels: of images the mean, of constituents the union with scaled energies",
            "Zhang et al., arXiv:1710.09412",
            sample_weight=True,
            defaults=(("alpha", 0.2), CLASS_WEIGHTS),
            allowed=(("alpha", Allowed(above=0)), BALANCED),
            spaces=(("alpha", Space(low=0.05, high=2.0, log=True)),),
        ),
        ObjectiveEntry(
            "labels+ssl",
            "jetbench.objectives.labels_ssl:LabelsAndPool",
            "in each step the loss of the task on the label budget, and a self-supervised one on as many jets of the pool",
            "both losses in one training: Zhai et al., S4L, arXiv:1905.03670",
            beside="ssl",
            sample_weight=True,
            defaults=(CLASS_WEIGHTS, ("ssl", "simclr"), ("weight", 1.0)),
            allowed=(BALANCED, ("ssl", Allowed(choices=UNLABELLED)), ("weight", WEIGHT)),
            spaces=(("ssl", Space(choices=UNLABELLED)), ("weight", Space(low=0.03, high=3.0, log=True))),
        ),
        ObjectiveEntry(
            "distilled",
            "jetbench.objectives.distilled:Distilled",
            "distillation: the outputs follow a teacher's probabilities, stored scores of a finished run, both softened",
            "Hinton et al., arXiv:1503.02531",
            taught=True,
            tasks=("classification",),
            sample_weight=True,
            defaults=(("temperature", 2.0),),
            allowed=(("temperature", Allowed(above=0)),),
            spaces=(("temperature", Space(low=1.0, high=10.0, log=True)),),
        ),
        ObjectiveEntry(
            "simclr",
            "jetbench.objectives.simclr:SimCLR",
            "SimCLR: InfoNCE between two augmented views of a jet, with a learnable temperature and a projection head",
            "Chen et al., arXiv:2002.05709; learnable temperature as in Radford et al., arXiv:2103.00020",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("projection", 128), ("temperature", 0.07)),
            allowed=(PROJECTION, ("temperature", Allowed(least=0.01, most=1))),
            spaces=(PROJECTIONS, TEMPERATURES),
        ),
        ObjectiveEntry(
            "moco",
            "jetbench.objectives.moco:MoCo",
            "MoCo: InfoNCE between a view of a jet and a queue of views that a momentum encoder has made",
            "He et al., arXiv:1911.05722; projection head of version 2, arXiv:2003.04297",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("momentum", 0.99), ("projection", 128), ("queue", 2048), ("temperature", 0.2)),
            allowed=(MOMENTUM, PROJECTION, ("queue", Allowed(least=1)), ("temperature", Allowed(above=0))),
            spaces=(MOMENTA, PROJECTIONS, TEMPERATURES),
        ),
        ObjectiveEntry(
            "barlow-twins",
            "jetbench.objectives.barlow_twins:BarlowTwins",
            "Barlow Twins: the cross-correlation between the projections of two views of a jet becomes the identity",
            "Zbontar et al., arXiv:2103.03230",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("projection", 256), ("redundancy", 0.005)),
            allowed=(PROJECTION, ("redundancy", WEIGHT)),
            spaces=(PROJECTIONS, ("redundancy", Space(low=0.0005, high=0.05, log=True))),
        ),
        ObjectiveEntry(
            "vicreg",
            "jetbench.objectives.vicreg:VICReg",
            "VICReg: two views of a jet agree, while each dimension of their projection varies and no two of them vary together",
            "Bardes et al., arXiv:2105.04906",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("covariance", 1.0), ("invariance", 25.0), ("projection", 256), ("variance", 25.0)),
            allowed=(("covariance", WEIGHT), ("invariance", WEIGHT), PROJECTION, ("variance", WEIGHT)),
            spaces=(
                ("covariance", Space(low=0.1, high=10.0, log=True)),
                ("invariance", Space(low=2.5, high=50.0, log=True)),
                PROJECTIONS,
                ("variance", Space(low=2.5, high=50.0, log=True)),
            ),
        ),
        ObjectiveEntry(
            "byol",
            "jetbench.objectives.byol:BYOL",
            "BYOL: from one view of a jet a predictor tells what a momentum teacher makes of another view; no jet repels another",
            "Grill et al., arXiv:2006.07733",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("momentum", 0.99), ("projection", 128)),
            allowed=(MOMENTUM, PROJECTION),
            spaces=(MOMENTA, PROJECTIONS),
        ),
        ObjectiveEntry(
            "obow",
            "jetbench.objectives.obow:OBoW",
            "OBoW: from one view of a jet, the words are predicted that a momentum teacher reads in the parts of another view",
            "Gidaris et al., arXiv:2012.11552",
            labelled=False,
            trains_head=False,
            views=2,
            defaults=(("momentum", 0.99), ("scale", 5.0), ("sharpness", 0.1), ("words", 512)),
            allowed=(MOMENTUM, ("scale", Allowed(above=0)), ("sharpness", Allowed(above=0)), ("words", Allowed(least=2))),
            spaces=(
                MOMENTA,
                ("scale", Space(low=1.0, high=20.0, log=True)),
                ("sharpness", Space(low=0.02, high=1.0, log=True)),
                ("words", Space(low=64, high=8192, log=True)),
            ),
        ),
        ObjectiveEntry(
            "masked",
            "jetbench.objectives.masked:Masked",
            "masked deposits: a part of the jet is hidden, and a decoder predicts it from the features of the rest",
            "context encoders: Pathak et al., arXiv:1604.07379; of particles: Golling et al., arXiv:2401.13537, and "
            "Leigh et al., arXiv:2409.12589",
            labelled=False,
            trains_head=False,
            defaults=(("decoder", 128), ("hidden", 0.4)),
            allowed=(("decoder", Allowed(least=1)), ("hidden", Allowed(above=0, below=1))),
            spaces=(("decoder", Space(low=32, high=512, log=True)), ("hidden", Space(low=0.1, high=0.8))),
        ),
        ObjectiveEntry(
            "supcon",
            "jetbench.objectives.supcon:SupCon",
            "SupCon: views of all jets of a class attract, those of others repel; it is told the classes of the whole pool",
            "Khosla et al., arXiv:2004.11362",
            trains_head=False,
            views=2,
            tasks=("classification",),
            defaults=(("projection", 128), ("temperature", 0.1)),
            allowed=(PROJECTION, ("temperature", Allowed(above=0))),
            spaces=(PROJECTIONS, TEMPERATURES),
        ),
    ],
)


def passes_beside(component: Component) -> int:
    """Return how many passes of the pool's jets an objective makes for each one of the jets that the training is of."""
    entry = objectives[component.name]
    if not entry.beside:
        return 0
    chosen = {**dict(entry.defaults), **component.keywords()}[entry.beside]
    return objectives[chosen].views
