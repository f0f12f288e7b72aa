"""What is predicted and how that is judged: target, loss, metrics and the paired statistic. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.registry import Entry, Registry
from jetbench.spec import Component, Options

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["TaskEntry", "build_task", "tasks"]


@dataclass(frozen=True)
class TaskEntry(Entry):
    """`defaults` are the options that a suite may set, with their defaults."""

    defaults: Options = ()


tasks: Registry[TaskEntry] = Registry(
    "task",
    [
        TaskEntry(
            "classification",
            "jetbench.tasks.classification:Classification",
            "which class a jet is of: cross-entropy, judged by the AUC with DeLong's error",
        ),
        TaskEntry(
            "regression",
            "jetbench.tasks.regression:Regression",
            "a mass or another number of each jet [GeV]: smooth L1, judged by the RMSE with a bootstrap error",
            defaults=(("scale", 100.0), ("target", "gen_sdmass")),
        ),
    ],
)


def build_task(component: Component) -> Task:
    """Construct the named task with its options."""
    task: Task = tasks[component.name].load()(**component.keywords())
    return task
