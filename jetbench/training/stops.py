"""What ends a training before its last epoch: its driver, or a study that has seen enough of it. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from jetbench.tracking.journal import read

__all__ = ["Flag", "Limits", "Pruned", "Stopped", "behind", "first_behind"]

Limits = Mapping[int, float]  # the largest validation loss with which a training goes on, by epoch, counted from 1


class Flag(Protocol):
    def is_set(self) -> bool: ...


class Stopped(Exception):  # noqa: N818 (it is no error)
    """The training was asked to stop and has written a checkpoint to go on from."""


class Pruned(Exception):  # noqa: N818 (it is no error)
    """The training is behind others of its study after an epoch, counted from 1, and has written a checkpoint to go on from;
    `costs` are the passes and seconds that it has taken."""

    def __init__(self, epoch: int, costs: Mapping[str, float]) -> None:
        super().__init__(f"stopped after epoch {epoch}")
        self.epoch, self.costs = epoch, dict(costs)


def behind(losses: Iterable[tuple[int, float]], limits: Limits) -> int | None:
    """Return the first epoch whose validation loss is beyond its limit; None where there is none."""
    return next((epoch for epoch, loss in losses if epoch in limits and loss > limits[epoch]), None)


def first_behind(journal: Path, limits: Limits) -> int | None:
    """Return the first epoch of a journal that is behind, those of earlier attempts included; None where there is none."""
    if not limits:
        return None
    records = read(journal)[0]
    return behind(((one.step + 1, one.metrics["val/loss"]) for one in records if "val/loss" in one.metrics), limits)
