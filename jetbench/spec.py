"""What a training is, as frozen values: equal specs have equal digests, and a digest names a run's folder.

Nothing here imports torch. A spec holds tuples, never dicts, so that it can be hashed and cannot be changed in passing.
"""

from __future__ import annotations

from typing import Any, Literal

from jetbench.values import Value

__all__ = ["Component", "DatasetRef", "Options", "Recipe", "RunSpec", "WinnerOf", "options"]

Options = tuple[tuple[str, bool | int | float | str], ...]


def options(values: dict[str, Any]) -> Options:
    """Keyword options in canonical (sorted) order."""
    return tuple(sorted(values.items()))


class Component(Value):
    """A registered component at a revision, with its options."""

    name: str
    revision: int = 1
    options: Options = ()

    def keywords(self) -> dict[str, Any]:
        return dict(self.options)


class DatasetRef(Value):
    """A dataset by name and by the sha256 of its recipe (simulated) or of its content (a file)."""

    name: str
    sha256: str


class WinnerOf(Value):
    """A learning rate that a study decides: known by the study's digest before anything has run."""

    winner_of: str


class Recipe(Value):
    """Optimiser, schedule, length and views of one training. Lengths are passes: one jet seen once (or one augmented view of
    it, in self-supervised training) is one pass; an epoch is 1/`epochs` of all passes, not a loop over the data."""

    name: str
    learning_rate: float | WinnerOf
    optimizer: Literal["adamw", "adam"] = "adamw"
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine", "plateau"] = "cosine"
    warmup: float = 0.0  # share of all steps, linear from zero
    passes: int = 0
    batch_size: int = 64
    epochs: int = 1
    clip: float | None = None  # largest norm of the gradient
    select: Literal["last", "best"] = "last"  # which epoch's weights are kept; "best" is by validation accuracy
    patience: int | None = None  # epochs without a better validation before the training stops
    augmentation: tuple[Component, ...] = ()


class RunSpec(Value):
    """One training and its evaluation.

    `labels` is the label budget, validation labels included; None means every label of the pool (for an objective that uses
    labels). `start` is the digest of the run whose encoder and preprocessing this one starts from.
    """

    protocol: int = 1  # raised by hand when splits, batches or evaluation change their numbers
    stage: Literal["pretrain", "trial", "final"]
    dataset: DatasetRef
    unlabelled: DatasetRef | None = None
    test_jets: int
    pool: tuple[tuple[str, float], ...] | None = None  # share of each class in the unlabelled pool; None: as the jets come
    labels: int | None = None
    seed: int
    model: Component
    view: Component
    objective: Component
    recipe: Recipe
    start: str | None = None
    frozen: bool = False  # train the head only
