"""Short trainings by the real loop, on toy jets that a teacher has scored, which may be stopped and go on."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import Jets
from jetbench.models.network import Network
from jetbench.objectives.base import Objective
from jetbench.objectives.distilled import PROBABILITIES
from jetbench.spec import Recipe
from jetbench.testing.properties import expect
from jetbench.testing.tensors import expect_same_state
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal, read
from jetbench.training.loop import fit
from jetbench.training.stops import Stopped

__all__ = ["STEPS", "expect_exact_resume", "taught"]

STEPS, STOP = 7, 3  # of a training, and after how many of them it is stopped
RECIPE = Recipe(name="contract", learning_rate=1e-3, batch_size=16, epochs=2, warmup=0.3)

Build = Callable[[], tuple[Network, Objective]]


def taught(jets: Jets) -> JetTensors:
    """Return the jets as tensors; a teacher is the surer the further a jet stands down, from 0.6 for its own class to 0.95."""
    tensors, classes = JetTensors(jets), len(jets.meta.class_names)
    own = one_hot(tensors.targets["label"].long(), classes).float()
    sure = torch.linspace(0.6, 0.95, len(jets))[:, None]
    tensors.targets[PROBABILITIES] = sure * own + (1 - sure) * (1 - own) / (classes - 1)
    return tensors


class _After:
    """A flag that is set after it was asked so many times, as a loop asks once in each step."""

    def __init__(self, steps: int | None) -> None:
        self.left = steps

    def is_set(self) -> bool:
        if self.left is None:
            return False
        self.left = max(0, self.left - 1)
        return self.left == 0


@dataclass(frozen=True)
class _End:
    """What a training ends with."""

    network: dict[str, Tensor]
    objective: dict[str, Tensor]
    losses: list[float]


def expect_exact_resume(build: Build, jets: Jets) -> None:
    """Train twice what `build` makes, once with a stop in between after which everything is built again: weights, state of the
    objective and losses must be the same to the last bit. A third one, without a stop, tells whether two are alike at all."""
    with tempfile.TemporaryDirectory() as folder:
        whole, again, stopped = (Path(folder, name) for name in ("whole", "again", "stopped"))
        expected = _train(build, jets, whole, None)
        _expect_alike(_train(build, jets, again, None), expected, "two trainings under one seed differ")
        expect(_train(build, jets, stopped, STOP) is None, "the training was to stop")
        _expect_alike(
            _train(build, jets, stopped, None), expected, f"a training that was stopped after {STOP} steps goes on otherwise"
        )


def _expect_alike(found: _End | None, expected: _End | None, told: str) -> None:
    assert found is not None and expected is not None  # noqa: PT018 (neither was stopped)
    expect_same_state(found.network, expected.network, f"{told}: weights")
    expect_same_state(found.objective, expected.objective, f"{told}: state of the objective")
    expect(found.losses == expected.losses, f"{told}: losses {found.losses} against {expected.losses}")


def _train(build: Build, jets: Jets, folder: Path, stop: int | None) -> _End | None:
    """Train in a folder, from its checkpoint where there is one; None where it was stopped."""
    folder.mkdir(exist_ok=True)
    network, objective = build()
    recipe = RECIPE.replace(passes=STEPS * RECIPE.batch_size * objective.views_per_jet)
    half = len(jets) // 2
    batches = Batches(taught(jets), np.arange(half), RECIPE.batch_size, seed=3)
    pool = Batches(JetTensors(jets), np.arange(half, len(jets)), RECIPE.batch_size, seed=3) if objective.beside else None
    with Journal(RunFolder(folder).journal) as journal:
        try:
            fit(recipe, network, objective, batches, journal, folder, _After(stop), seed=3, precision="fp32", pool=pool)
        except Stopped:
            return None
    losses = [record.metrics["train/loss"] for record in read(RunFolder(folder).journal)[0]]
    return _End(network.cpu().state_dict(), objective.cpu().state_dict(), losses)
