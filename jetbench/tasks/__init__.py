"""What is predicted and how that is judged: target, loss, metrics and the paired statistic. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from jetbench.plugins import OpenRegistry
from jetbench.spaces import Allowed, Configured
from jetbench.spec import Component

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["TaskEntry", "build_task", "tasks"]


@dataclass(frozen=True)
class TaskEntry(Configured):
    """`target` is a subclass of `Task`."""

    table: ClassVar[str] = "tasks"


tasks: OpenRegistry[TaskEntry] = OpenRegistry(
    "task",
    [
        TaskEntry(
            "classification",
            "jetbench.tasks.classification:Classification",
            "which class a jet is of: cross-entropy, judged by the AUC with DeLong's error",
            revision=2,
            defaults=(("loss", "cross-entropy"),),
            allowed=(("loss", Allowed(choices=("cross-entropy", "bce"))),),
        ),
        TaskEntry(
            "regression",
            "jetbench.tasks.regression:Regression",
            "a mass or another number of each jet [GeV]: smooth L1, judged by the RMSE with a bootstrap error",
            revision=3,
            defaults=(("target", "gen_sdmass"),),
        ),
    ],
)


def build_task(component: Component) -> Task:
    """Construct the named task with its options."""
    task: Task = tasks[component.name].load()(**component.keywords())
    return task
