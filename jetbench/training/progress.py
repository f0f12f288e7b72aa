"""How far a training is: what, beside modules and optimiser, its checkpoint holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from jetbench.tasks.task import Metric

__all__ = ["Progress"]


@dataclass
class Progress:
    """`seconds` are those of the whole training, `step_seconds` those of its steps alone, without validations."""

    step: int = 0
    epoch: int = 0
    sums: dict[str, float] = field(default_factory=dict)  # of the running epoch's diagnostics, as of the last checkpoint
    steps_in_epoch: int = 0
    plateau: list[float] | None = None
    best: float | None = None  # of the metric that the recipe selects by
    best_epoch: int = -1
    best_step: int = 0
    best_seconds: float = 0.0
    stopped_early: bool = False
    seconds: float = 0.0
    step_seconds: float = 0.0
    journal: int = 0
    tail: list[float] = field(default_factory=list)  # sums of the loss over the last tenth of all steps

    def note_validation(self, metric: Metric, value: float, patience: int | None) -> bool:
        """Take in what a validation says of the running epoch, and tell whether it is the best so far. Without a better one for
        `patience` epochs, the training stops early."""
        better = self.best is None or metric.is_better(value, self.best)
        if better:
            self.best, self.best_epoch = value, self.epoch
        self.stopped_early = patience is not None and self.epoch - self.best_epoch >= patience
        return better
