"""Toy jets and outputs for tasks: what a network says that knows the truth, with more or less noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jetbench.jets import Jets
from jetbench.registry import Entry
from jetbench.spaces import Configured
from jetbench.tasks.task import Task
from jetbench.testing.properties import each, expect
from jetbench.testing.toys import pronged_jets, toy_jets

__all__ = ["JETS", "LATE", "Judged", "TaskCase", "near", "samples"]

JETS = 400
LATE = 10  # jets that are no training labels


class Judged:
    """A task as all toy jets but the last ten, as training labels, have it."""

    def __init__(self, entry: Entry, jets: Jets) -> None:
        self.entry, self.jets, self.meta = entry, jets, jets.meta
        self.blank: Task = entry.load()()
        self.truth = self.blank.target(jets)
        self.task: Task = self.blank.fitted(self.truth[:-LATE], jets.meta)

    @property
    def target(self) -> Tensor:
        return torch.from_numpy(self.truth)

    @property
    def encoded(self) -> Tensor:
        return self.task.encode(self.target, self.meta)

    def perfect(self) -> Tensor:
        """Return outputs that no loss can be below by much: what the task encodes, with classes ten units apart."""
        return 10 * self.encoded if self.task.headline.larger_is_better else self.encoded

    def blurred(self, noise: float, seed: int = 0) -> Tensor:
        clean = self.perfect()
        return clean + noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))


def samples(entry: Entry) -> Iterator[tuple[str, Judged]]:
    """Yield a task on toy jets of two classes and of four, where they allow it."""
    for name, jets in (("two classes", toy_jets(JETS)), ("four classes", pronged_jets(JETS, 4))):
        if not entry.load()().unmet(jets.meta, set(jets.targets)):
            yield name, Judged(entry, jets)


@dataclass(frozen=True)
class TaskCase:
    """A task, and toy jets that allow it."""

    entry: Configured

    def each(self, check: Callable[[Judged], None]) -> None:
        """Try something on each sample of toy jets."""
        found = list(samples(self.entry))
        expect(found, "no toy jets allow it: they have classes, masses and a pT")
        each(found, check)


def near(found: float | None, expected: float, relative: float = 1e-5) -> bool:
    """Tell whether a number is the expected one but for rounding."""
    return found is not None and bool(np.isclose(found, expected, rtol=relative, atol=1e-12))
