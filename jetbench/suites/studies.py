"""Studies: a search over scalars of an arm's runs, as a value. What it comes to depends on the study and its trials alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from itertools import product
from typing import Literal

from jetbench.spaces import Space
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.parameters import Chain, decided, reseeded
from jetbench.values import Spec

__all__ = ["LEARNING_RATE", "VALIDATION_LOSS", "Aim", "Pruner", "Sampler", "Searched", "Study", "named", "plain"]

ROUND = 4  # trials that are asked for at once, before any of them is told
LEARNING_RATE = "recipe.learning_rate"

Sampler = Literal["grid", "random", "qmc", "tpe", "gp", "cma-es", "nsga2"]
Pruner = Literal["none", "asha", "wilcoxon"]


class Searched(Spec):
    """A parameter by its path in the chain of runs, where it is searched, and the value that it has without any search."""

    path: str
    space: Space
    own: Scalar

    @property
    def name(self) -> str:
        """The parameter as people read it: "learning rate"."""
        return named(self.path)

    @property
    def text(self) -> str:
        """As people read it, as in "learning rate 0.001, 0.003" or "dropout 0 … 0.5"."""
        ends = self.space.choices or (self.space.low, self.space.high)
        return f"{self.name} {(', ' if self.space.choices else ' … ').join(map(plain, ends))}"


def named(path: str) -> str:
    """Write a parameter as people read it: "learning rate", "pretraining learning rate", "translation distance"."""
    before = "pretraining " * path.count("pretraining.")
    rest = path.replace("pretraining.", "").replace("recipe.augmentation.", "augmentation.").split(".", 1)[1]
    return before + rest.replace(".", " ").replace("_", " ")


def plain(value: Scalar) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class Aim(Spec):
    """A metric of the validation labels or a cost, "val/loss" or "cost/flops", that a study makes small or large."""

    metric: str
    larger_is_better: bool = False

    @property
    def worst(self) -> float:
        return -math.inf if self.larger_is_better else math.inf


VALIDATION_LOSS = Aim(metric="val/loss")


class Study(Spec):
    """A search over parameters of a chain of runs that ends with `template`; it has the values of the arm without any search.

    `before` are the runs that lead to the template, first to last, where trials train them anew; else the template starts from a
    run that all trials share. A trial is a chain for each of the `seeds`, encoders included, and alone at the template's own seed
    where none is named. A "grid" tries each combination of choices once; every other sampler tries the template's own values
    first, and then what it asks for. Trials are compared by their `aims`: one, or several that make a front. Of one aim, `rule`
    says how the winner is selected (`winner.selection_rule`).
    """

    template: RunSpec
    searched: tuple[Searched, ...]
    sampler: Sampler
    trials: int
    before: Chain = ()
    seeds: tuple[int, ...] = ()
    pruner: Pruner = "none"
    aims: tuple[Aim, ...] = (VALIDATION_LOSS,)
    rule: Literal["ahead", "best"] = "ahead"

    @cached_property
    def unsearched(self) -> dict[str, Scalar]:
        """The values by path that the runs have without any search, or the nearest to them that are tried."""
        return {one.path: one.space.nearest(one.own) for one in self.searched}

    @property
    def chain(self) -> Chain:
        """The runs of a trial at the first seed, with the values that they have without any search."""
        return (*self.before, self.template)

    @property
    def runs_per_trial(self) -> int:
        """How many last runs a trial has, one per seed."""
        return max(1, len(self.seeds))

    def chains(self, values: Mapping[str, Scalar]) -> tuple[Chain, ...]:
        """Return the runs of a trial with these values by path: a chain per seed, each first to last."""
        chain = decided(self.chain, values)
        return tuple(reseeded(chain, seed) for seed in self.seeds) or (chain,)

    def trial(self, values: Mapping[str, Scalar]) -> RunSpec:
        """Return the last run, at the first seed, of a trial with these values by path."""
        return self.chains(values)[0][-1]

    @cached_property
    def grid(self) -> tuple[dict[str, Scalar], ...]:
        """The values of all trials of a grid, by path."""
        paths = [one.path for one in self.searched]
        return tuple(dict(zip(paths, choice, strict=True)) for choice in product(*(one.space.choices for one in self.searched)))

    def known_values(self) -> tuple[dict[str, Scalar], ...]:
        """Return the values of the trials that are certain before anything has run: the first round of a grid, of a search its
        first trial."""
        return self.grid[: len(self.rounds()[0])] if self.sampler == "grid" else (self.unsearched,)

    @cached_property
    def sampled_by(self) -> str:
        """What the numbers of its samplers depend on. A study of which more trials are asked for later goes on as it began; that
        of a suite has its number of trials from the suite."""
        less: Study = self if self.rule == "ahead" else self.replace(trials=1)
        return less.digest()

    def rounds(self) -> list[range]:
        """Return the numbers of the trials, round by round; a grid of which nothing is stopped early is one round."""
        size = self.trials if self.sampler == "grid" and self.pruner == "none" else ROUND
        return [range(first, min(first + size, self.trials)) for first in range(0, self.trials, size)]
