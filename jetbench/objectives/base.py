"""The shape of an objective, and what it may ask of the training that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from jetbench.data.batch import Batch
from jetbench.errors import RunError
from jetbench.models.network import Network
from jetbench.objectives import objectives
from jetbench.seeds import derive
from jetbench.spec import Component
from jetbench.tasks.task import Task
from jetbench.views import augment
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView

__all__ = ["Look", "Objective", "TwoViews", "build_objective"]


@dataclass(frozen=True)
class Look:
    """How a training sees a batch: augmented anew by `steps`, and shown by the model's `view`."""

    view: FittedView
    steps: tuple[Component, ...] = ()

    def __call__(self, batch: Batch, rng: torch.Generator) -> Inputs:
        return self.view(self.augmented(batch, rng))

    def augmented(self, batch: Batch, rng: torch.Generator) -> Batch:
        """Return the batch as the view is given it."""
        return augment(batch, self.steps, rng)


class Objective(nn.Module, ABC):
    """`views` shows a batch to the network (no gradient, explicit generator), `forward` gives the loss and its diagnostics.

    Teachers, queues and projection heads are submodules or buffers of the objective, so that checkpoints hold them. A subclass
    adds its options as keywords with defaults; what it draws at construction comes from torch's generator, which `build` seeds.
    `views_per_jet` counts a step's passes. `beside` is an objective that looks at jets of the pool in each step, without labels.
    """

    views_per_jet = 1

    def __init__(self, network: Network, task: Task, look: Look) -> None:
        super().__init__()
        self.task = task
        self.look = look
        self.beside: Objective | None = None

    @classmethod
    def build(cls, network: Network, task: Task, look: Look, seed: int, **options: Any) -> Self:
        """Construct it for a network, with numbers that depend on the seed alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive("init", "projection", seed))
            return cls(network, task, look, **options)

    @abstractmethod
    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        """Show a batch, `views_per_jet` times."""

    def shown(self, jets: Batch, pool: Batch | None, rng: torch.Generator) -> tuple[Inputs, ...]:
        """Show a batch, and after it the batch of the pool that an objective beside this one looks at."""
        own = self.views(jets, rng)
        return own if self.beside is None or pool is None else (*own, *self.beside.views(pool, rng))

    @abstractmethod
    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        """Return "loss" (scalar, fp32, with gradient) and named diagnostics (scalars, detached)."""

    def after_step(self, network: Network, progress: float) -> None:
        """Move teachers and queues after an optimiser's step; `progress` is the share of all steps that are done."""


class TwoViews(Objective):
    """Sees each jet twice, augmented anew."""

    views_per_jet = 2

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        return self.look(jets, rng), self.look(jets, rng)

    def features(self, network: Network, inputs: tuple[Inputs, ...]) -> tuple[Tensor, ...]:
        """Compute the features (n, features) of either view, of both in one pass."""
        return network.encoder(Inputs.join(inputs)).chunk(2)


def build_objective(component: Component, network: Network, task: Task, look: Look, seed: int) -> Objective:
    """Build the named objective with its options. Raises `RunError` where it looks at jets more or less often than its row says:
    plans count passes by the row."""
    entry = objectives[component.name]
    code: type[Objective] = entry.load()
    objective = code.build(network, task, look, seed, **component.keywords())
    if objective.views_per_jet != entry.views:
        row = f"its row says views={entry.views}, by which passes are counted"
        told = f"{row}, and its class views_per_jet={objective.views_per_jet}"
        raise RunError(f"the objective {entry.name!r}: {told}; give both the same number")
    return objective
