"""The contract of a task's own metric: in its range, better for better predictions, whatever order and unit jets have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from jetbench.evaluation.metrics import metrics as added
from jetbench.registry import Entry, Registry
from jetbench.seeds import torch_rng
from jetbench.spaces import Configured
from jetbench.tasks import tasks
from jetbench.tasks.task import Metric
from jetbench.testing.judged import Judged, samples
from jetbench.testing.properties import Contract, LeftOut, each, expect

__all__ = ["CONTRACT", "TaskMetric", "metrics"]

RANKS = {"auc"}  # metrics that look at the order of scores alone


@dataclass(frozen=True)
class TaskMetric(Entry):
    """A metric that registered `tasks` name, as their headline or as what an epoch is selected by."""

    tasks: tuple[Configured, ...] = ()


def metrics() -> Registry[Entry]:
    """List the metrics of all tasks by key, and after them what is added beside these."""
    found: dict[str, TaskMetric] = {}
    for task in tasks:
        for metric in {task.load().headline, *task.load().selectors}:
            known = found.get(metric.key, TaskMetric(metric.key, "", metric.name))
            found[metric.key] = replace(known, tasks=(*known.tasks, task))
    return Registry("metric", [*(found[key] for key in sorted(found)), *added])


@dataclass(frozen=True)
class MetricCase:
    """A metric, and the tasks that name it on toy jets."""

    entry: TaskMetric

    def each(self, check: Callable[[Judged, Metric], None]) -> None:
        """Try something with each task, on each sample of toy jets."""
        each(self._judged(), lambda one: check(*one))

    def _judged(self) -> Iterator[tuple[str, tuple[Judged, Metric]]]:
        for task in self.entry.tasks:
            for name, one in samples(task):
                named = {metric.key: metric for metric in (one.task.headline, *one.task.selectors)}
                yield f"{task.name} with {name}", (one, named[self.entry.name])

    def value(self, one: Judged, outputs: torch.Tensor) -> float:
        return one.task.validate(outputs, one.target)[self.entry.name]


CONTRACT: Contract[MetricCase] = Contract(lambda entry, sample: MetricCase(entry), lambda entry: isinstance(entry, TaskMetric))
holds = CONTRACT.property


@holds
def it_says_what_it_is(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        expect(
            metric.key.isidentifier() and metric.name, f"its key {metric.key!r} names files, and its name {metric.name!r} is read"
        )
        low, high = metric.low, metric.high
        expect(low is None or high is None or low < high, f"its range is from {low} to {high}")
        expect(0 <= metric.digits <= 8, f"a reader is shown {metric.digits} digits")

    case.each(check)


@holds
def values_are_finite_and_in_its_range(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        for outputs in (one.perfect(), one.blurred(5.0), one.blurred(100.0), -one.perfect(), torch.zeros_like(one.perfect())):
            found = case.value(one, outputs)
            low, high = metric.low, metric.high
            inside = np.isfinite(found) and (low is None or found >= low) and (high is None or found <= high)
            expect(inside, f"its value {found} is outside of its range, from {low} to {high}")

    case.each(check)


@holds
def better_predictions_are_better(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        found = [case.value(one, one.blurred(noise)) for noise in (0.1, 10.0, 60.0)]
        falling = all(metric.is_better(good, poor) for good, poor in pairwise(found))
        expect(falling, f"with more and more noise it is {found}, and larger_is_better is {metric.larger_is_better}")
        expect(not metric.is_better(found[0], found[0]), "a value is better than itself")

    case.each(check)


@holds
def perfect_predictions_have_the_best_value(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        best = metric.high if metric.larger_is_better else metric.low
        if best is None:
            raise LeftOut("its range has no best value")
        found = case.value(one, one.perfect())
        expect(
            abs(found - best) < 1e-4 * (1 + abs(case.value(one, one.blurred(60.0)))),
            f"perfect predictions have {found}, not {best}",
        )

    case.each(check)


@holds
def the_order_of_jets_does_not_matter(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        outputs, order = one.blurred(5.0), torch.randperm(len(one.jets), generator=torch_rng("order"))
        found, expected = one.task.validate(outputs[order], one.target[order])[metric.key], case.value(one, outputs)
        expect(np.isclose(found, expected, rtol=1e-5), f"in another order of the same jets it is {found} instead of {expected}")
        expect(case.value(one, outputs) == expected, "the second time it is another value")

    case.each(check)


@holds
def it_scales_with_its_unit(case: MetricCase) -> None:
    """In MeV it would be a thousand times as large."""

    def check(one: Judged, metric: Metric) -> None:
        if metric.unit != "GeV":
            raise LeftOut("it has no unit")
        column = one.task.column
        scaled = replace(one.jets, targets={**one.jets.targets, column: 1000 * one.jets.targets[column]})
        other = Judged(one.entry, scaled)
        found, expected = case.value(other, other.blurred(0.5)), 1000 * case.value(one, one.blurred(0.5))
        expect(np.isclose(found, expected, rtol=1e-4), f"a thousand times the target gives {found} instead of {expected}")

    case.each(check)


@holds
def only_the_order_of_scores_matters_to_a_metric_of_ranks(case: MetricCase) -> None:
    def check(one: Judged, metric: Metric) -> None:
        if metric.key not in RANKS:
            raise LeftOut("it looks at more than ranks")
        if one.task.outputs(one.meta) > 2:
            return  # shares of more classes are ranked in pairs, by more than one number
        outputs = one.blurred(8.0)
        found, expected = case.value(one, 0.3 * outputs), case.value(one, outputs)
        expect(np.isclose(found, expected, rtol=1e-9), f"after a rising map of all scores it is {found} instead of {expected}")

    case.each(check)
