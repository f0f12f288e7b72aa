"""The contract of a metric beside a task's own: of stored predictions, in its range, better for better ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from jetbench.evaluation.metrics import MetricEntry
from jetbench.tasks import tasks
from jetbench.testing.judged import Judged, samples
from jetbench.testing.properties import Contract, each, expect

__all__ = ["CONTRACT"]

NOISE = (0.1, 10.0, 60.0)  # of a network's outputs, which are ten apart between classes


@dataclass(frozen=True)
class AddedCase:
    """A metric, and the predictions that it judges: of the tasks that it names, of two classes where these are classes."""

    entry: MetricEntry

    def each(self, check: Callable[[Judged], None]) -> None:
        each(self._judged(), check)

    def value(self, one: Judged, noise: float) -> float:
        return self.entry.judge(one.truth, one.task.predict(one.blurred(noise)))

    def _judged(self) -> Iterator[tuple[str, Judged]]:
        for task in tasks:
            if not self.entry.tasks or task.name in self.entry.tasks:
                yield from ((f"{task.name} with {name}", one) for name, one in samples(task) if name == "two classes")


CONTRACT: Contract[AddedCase] = Contract(lambda entry, sample: AddedCase(entry), lambda entry: isinstance(entry, MetricEntry))
holds = CONTRACT.property


@holds
def it_says_what_it_is(case: AddedCase) -> None:
    entry = case.entry
    expect(entry.heading, "it has no `heading`, by which tables name it")
    expect(entry.low is None or entry.high is None or entry.low < entry.high, f"its range is from {entry.low} to {entry.high}")
    expect(0 <= entry.digits <= 8, f"a reader is shown {entry.digits} digits")
    strange = sorted(set(entry.tasks) - {task.name for task in tasks})
    expect(not strange, f"it is of the task {strange[0] if strange else ''!r}, which there is not")


@holds
def values_are_in_its_range(case: AddedCase) -> None:
    def check(one: Judged) -> None:
        for noise in (0.0, *NOISE):
            case.value(one, noise)  # which raises where it is out of its range

    case.each(check)


@holds
def better_predictions_are_better(case: AddedCase) -> None:
    def check(one: Judged) -> None:
        found = [case.value(one, noise) for noise in NOISE]
        sign = 1 if case.entry.larger_is_better else -1
        falling = all(sign * good >= sign * poor for good, poor in pairwise(found)) and found[0] != found[-1]
        expect(falling, f"with more and more noise it is {found}, and larger_is_better is {case.entry.larger_is_better}")

    case.each(check)


@holds
def the_order_of_jets_does_not_matter(case: AddedCase) -> None:
    def check(one: Judged) -> None:
        predictions = one.task.predict(one.blurred(5.0))
        found, expected = case.entry.judge(one.truth[::-1], predictions[::-1]), case.entry.judge(one.truth, predictions)
        expect(np.isclose(found, expected, rtol=1e-9), f"in another order of the same jets it is {found} instead of {expected}")
        expect(case.entry.judge(one.truth, predictions) == expected, "the second time it is another value")

    case.each(check)


@holds
def what_it_judges_is_left_as_it_is(case: AddedCase) -> None:
    def check(one: Judged) -> None:
        given = one.truth.copy(), one.task.predict(one.blurred(5.0))
        before = [array.copy() for array in given]
        case.entry.judge(*given)
        expect(all(map(np.array_equal, given, before)), "it writes into the truth or the predictions")

    case.each(check)
