"""What a suite's task says of its numbers, as far as a report needs it: the one place that names the metric of the headline."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from jetbench.statistics.comparison import Comparison, compare, seed_weights
from jetbench.statistics.delong import mean_difference_variance, paired_delong
from jetbench.suites.plan import Plan
from jetbench.values import Value

__all__ = ["Metric", "Task", "task_of"]


class Metric(Value):
    """A number that judges: its key in journals and run folders, its name for people, the direction and the range that it has,
    and the digits that are worth printing. A bound that does not exist is None; `unit` is empty for a pure number."""

    key: str
    name: str
    larger_is_better: bool
    low: float | None = None
    high: float | None = None
    unit: str = ""
    digits: int = 4


@dataclass(frozen=True)
class Task:
    """`headline` is the metric of the test set that arms are compared by, `tuning` that of a trial on its validation labels,
    `chance` the headline of a model that knows nothing of a jet, where that is a fixed number. `sections` names the parts of the
    report that suit this task alone."""

    headline: Metric
    tuning: Metric
    chance: float | None
    sections: tuple[str, ...]

    def margin_text(self, baseline: str) -> str:
        """Describe the margin of equivalence for a baseline of this name."""
        return f"3 % of what {baseline} leaves"

    def compare(self, truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, clusters: list[int] | None) -> Comparison:
        """Compare two arms by their scores (s, n) or (s, n, K) of the test jets, row i of both being seed i.

        The test sample's error is DeLong's of the *mean* difference. Calibration measures that form at its nominal error rate;
        the mean of the seeds' single variances counts the noise of each model twice, as it shows up between the seeds too."""
        values, baselines, variances = paired_delong(truth, arm, baseline)
        of_mean = mean_difference_variance(truth, arm, baseline, seed_weights(len(values), clusters))
        return compare(values, baselines, variances, clusters, test_variance=of_mean)


def task_of(plan: Plan) -> Task:
    """The task of a plan; of more than two classes its AUC is the mean over the pairs of them."""
    name = "AUC (one-vs-one)" if len(plan.meta.class_names) > 2 else "AUC"
    area = Metric(key="auc", name=name, larger_is_better=True, low=0.0, high=1.0)
    return Task(headline=area, tuning=area, chance=0.5, sections=("rejection", "scores", "classes", "roc"))
