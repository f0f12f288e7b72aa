"""An objective on trial: with a small encoder of each sort, and toy jets as that sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.network import Network, network_for
from jetbench.objectives import ObjectiveEntry
from jetbench.objectives.base import Look, Objective, build_objective
from jetbench.seeds import torch_rng
from jetbench.spec import Component
from jetbench.tasks import build_task, tasks
from jetbench.tasks.task import Task
from jetbench.testing.network_case import small_model, small_view
from jetbench.testing.tensors import seeded
from jetbench.testing.toys import toy_jets
from jetbench.testing.training import taught
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView

__all__ = ["ROUNDS", "SIZE", "STEPS", "Bench", "Built", "ObjectiveCase", "steps_of", "trial"]

ENCODERS = ("deep-sets", "resnet15-bn")  # one of sets, and one of images with statistics of the batch
STEPS = (Component(name="rotation"), Component(name="flip"), Component(name="drop"))
JETS, SIZE, ROUNDS = 160, 16, 3


@dataclass(frozen=True)
class Bench:
    """A small encoder, and toy jets as it sees them."""

    model: str
    jets: Jets
    view: FittedView


@dataclass(frozen=True)
class ObjectiveCase:
    """An objective, which is tried on each bench."""

    entry: ObjectiveEntry

    @cached_property
    def benches(self) -> list[Bench]:
        jets = toy_jets(JETS)
        batch = JetTensors(jets).batch(torch.arange(JETS))
        return [Bench(name, jets, small_view(models[name].view, batch)) for name in ENCODERS]

    @cached_property
    def task(self) -> Task:
        """The first task whose labels it can use, as the labels of the toy jets have it."""
        name = self.entry.tasks[0] if self.entry.tasks else next(iter(tasks)).name
        jets, task = self.benches[0].jets, build_task(Component(name=name))
        return task.fitted(task.target(jets), jets.meta)

    def build(self, bench: Bench, seed: int = 3, look: Look | None = None) -> tuple[Network, Objective]:
        network = network_for(small_model(models[bench.model]), bench.view, self.task.outputs(bench.jets.meta), seed)
        look = look or Look(bench.view, STEPS)
        return network, build_objective(Component(name=self.entry.name), network, self.task, look, seed)

    def batches(self, bench: Bench) -> tuple[Batch, Batch]:
        """Return jets of the training, scored by a teacher, and jets of the pool."""
        tensors = taught(bench.jets)
        return tensors.batch(torch.arange(SIZE)), tensors.batch(torch.arange(SIZE, 2 * SIZE))


@dataclass(frozen=True)
class Built:
    """An objective with its network, and the batches that it is shown."""

    network: Network
    objective: Objective
    batch: Batch
    pool: Batch

    def shown(self, seed: int = 0) -> tuple[Inputs, ...]:
        with seeded("shown", seed):
            return self.objective.shown(self.batch, self.pool, torch_rng("views", seed))

    def out(self, shown: tuple[Inputs, ...] | None = None, seed: int = 0) -> dict[str, Tensor]:
        """Return what a forward pass of the training gives."""
        with seeded("step", seed):
            return self.objective(self.network, self.shown(seed) if shown is None else shown)


def trial(case: ObjectiveCase, bench: Bench, seed: int = 3, look: Look | None = None) -> Built:
    """Build it for a training, with the batches of a step."""
    network, objective = case.build(bench, seed, look)
    return Built(network.train(), objective.train(), *case.batches(bench))


def steps_of(one: Built, first: int = 0, steps: int = ROUNDS) -> list[float]:
    """Take a few steps as the loop does; returns their losses."""
    trained = [p for module in (one.network, one.objective) for p in module.parameters() if p.requires_grad]
    optimizer, losses = torch.optim.SGD(trained, lr=1e-2), []
    for step in range(first, first + steps):
        loss = one.out(seed=step)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with seeded("after", step):
            one.objective.after_step(one.network, (step + 1) / (2 * ROUNDS))
        losses.append(float(loss.detach()))
    return losses
