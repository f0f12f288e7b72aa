"""What a suite's task says of its numbers, as far as a report needs it: the one place that names the metric of the headline."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.suites.plan import Plan
from jetbench.values import Value

__all__ = ["Metric", "Task", "task_of"]


class Metric(Value):
    """A number that judges: its key in journals and run folders, its name for people, the direction and the range that it has,
    and the digits that are worth printing. A bound that does not exist is None; `unit` is empty for a pure number."""

    key: str
    name: str
    larger_is_better: bool = True
    low: float | None = None
    high: float | None = None
    unit: str = ""
    digits: int = 4

    @property
    def best(self) -> float | None:
        """The value that nothing can surpass, where there is one."""
        return self.high if self.larger_is_better else self.low


@dataclass(frozen=True)
class Task:
    """`headline` is the metric of the test set that arms are compared by, `tuning` that of a trial on its validation labels,
    `chance` the headline of a model that knows nothing of a jet, where that is a fixed number. `sections` names the parts of the
    report that suit this task alone."""

    headline: Metric
    tuning: Metric
    chance: float | None
    sections: tuple[str, ...]


def task_of(plan: Plan) -> Task:
    """The task of a plan; of more than two classes its AUC is the mean over the pairs of them."""
    name = "AUC (one-vs-one)" if len(plan.meta.class_names) > 2 else "AUC"
    area = Metric(key="auc", name=name, low=0.0, high=1.0, digits=4)  # the last digit is below the error of some 10⁵ test jets
    return Task(headline=area, tuning=area, chance=0.5, sections=("rejection", "scores", "classes", "roc"))
