"""Trainings beside the comparison at other learning rates and lengths: how far does the result of an arm hang on them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.spec import RunSpec
from jetbench.suites.expand import Cells, Ground, expand
from jetbench.suites.settings import Sensitivity, Settings

__all__ = ["GridPlace", "grid_chains"]


@dataclass(frozen=True)
class GridPlace:
    """A training of the grid: the arm, the factors on learning rate and length of its last stage, and the seed."""

    arm: str
    rate: float
    length: float
    seed: int


def grid_chains(ground: Ground, settings: Settings, grid: Sensitivity) -> Iterator[tuple[GridPlace, tuple[RunSpec, ...]]]:
    """Yield each training of the grid with the runs before it, which are those of the arm's own cell: pretrainings are shared.

    An epoch stays the same share of all passes, and a schedule is stretched or shortened as a whole. Raises `SuiteError` for an
    arm that is fitted in one go, and for a length that is less than a batch.
    """
    labels = settings.labels_at(grid.labels)
    for name in grid.arms:
        arm = settings.arms[name]
        if models[arm.model].kind != "network":
            raise SuiteError(f"sensitivity: the arm {name!r} is fitted in one go and has no length; name arms of networks")
        seeds = range(arm.seed_offset, arm.seed_offset + settings.seeds)
        for seed, chain in enumerate(expand(ground, arm, Cells(labels, seeds))):
            for rate, length in product(grid.learning_rate, grid.length):
                yield GridPlace(name, rate, length, seed), (*chain[:-1], _at(chain[-1], rate, length))


def _at(run: RunSpec, rate: float, length: float) -> RunSpec:
    passes = round(length * run.recipe.passes)
    if passes < run.recipe.batch_size:  # a batch would be trained all the same
        raise SuiteError(
            f"sensitivity: at the length {length:g} {passes} of the {run.recipe.passes} passes of the recipe {run.recipe.name!r} "
            f"are left, less than a batch of {run.recipe.batch_size}; take a larger factor"
        )
    recipe = run.recipe.replace(learning_rate=rate * run.recipe.learning_rate, passes=passes)
    found: RunSpec = run.replace(recipe=recipe)
    return found
