"""What is predicted and how that is judged: target, loss, metrics and the paired statistic. The table is torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.registry import Entry, Registry

__all__ = ["TaskEntry", "tasks"]


@dataclass(frozen=True)
class TaskEntry(Entry):
    """`options` are the keywords that a suite may set."""

    options: tuple[str, ...] = ()


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
            options=("target", "scale"),
        ),
    ],
)
