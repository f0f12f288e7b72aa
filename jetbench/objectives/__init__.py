"""What a training minimises, supervised or self-supervised alike. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.registry import Entry, Registry

__all__ = ["ObjectiveEntry", "objectives"]


@dataclass(frozen=True)
class ObjectiveEntry(Entry):
    """`labelled`: it uses labels, and its passes count against the cap on labelled passes. `options` are the keywords that a
    suite may set."""

    labelled: bool = True
    options: tuple[str, ...] = ()


objectives: Registry[ObjectiveEntry] = Registry(
    "objective",
    [
        ObjectiveEntry("supervised", "jetbench.objectives.supervised:Supervised", "cross-entropy of the class labels"),
        ObjectiveEntry(
            "mixup",
            "jetbench.objectives.supervised:Mixup",
            "cross-entropy on convex combinations of two images and of their labels",
            "Zhang et al., arXiv:1710.09412",
            options=("alpha",),
        ),
        ObjectiveEntry(
            "simclr",
            "jetbench.objectives.simclr:SimCLR",
            "InfoNCE between two augmented views of a jet, with a learnable temperature and a projection head",
            "Chen et al., arXiv:2002.05709; learnable temperature as in Radford et al., arXiv:2103.00020",
            labelled=False,
            options=("projection", "temperature"),
        ),
    ],
)
