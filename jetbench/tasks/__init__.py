"""What is predicted and how that is judged: target, loss, metrics and the paired statistic. The table is torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.registry import Registry
from jetbench.spaces import Allowed, Configured
from jetbench.spec import Component

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["build_task", "tasks"]


tasks: Registry[Configured] = Registry(
    "task",
    [
        Configured(
            "classification",
            "jetbench.tasks.classification:Classification",
            "which class a jet is of: cross-entropy, judged by the AUC with DeLong's error",
            revision=2,
        ),
        Configured(
            "regression",
            "jetbench.tasks.regression:Regression",
            "a mass or another number of each jet [GeV]: smooth L1, judged by the RMSE with a bootstrap error",
            revision=3,
            defaults=(("scale", 100.0), ("target", "gen_sdmass")),
            allowed=(("scale", Allowed(above=0)),),
        ),
    ],
)


def build_task(component: Component) -> Task:
    """Construct the named task with its options."""
    task: Task = tasks[component.name].load()(**component.keywords())
    return task
