"""Two or more subjects side by side: on the same test jets, the first of them as the baseline of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from jetbench.errors import StoreError
from jetbench.insight.agreement import common_jets, paired_test, seed_pairs
from jetbench.insight.evidence import Evidence
from jetbench.insight.inspection import Inspection
from jetbench.report.pairing import Scores
from jetbench.statistics.comparison import Comparison

__all__ = ["SideBySide", "common_seed"]


@dataclass(frozen=True, eq=False)
class SideBySide:
    """`inspections` of subjects, the baseline first. Of each the first run is shown, see `common_seed`."""

    inspections: tuple[Inspection, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the runs that are shown."""
        return tuple(one.shown.run.name for one in self.inspections)

    @property
    def baseline(self) -> Inspection:
        return self.inspections[0]

    @property
    def class_names(self) -> tuple[str, ...]:
        return () if self.baseline.regression else self.baseline.meta.class_names

    @cached_property
    def scores(self) -> list[Scores]:
        """Rows, truth and predictions of the test jets by the run of each subject that is shown."""
        return common_jets([one.shown for one in self.inspections])

    @cached_property
    def truth(self) -> np.ndarray:
        """The truth of the test jets (n,)."""
        return self.scores[0][1]

    @cached_property
    def predictions(self) -> list[np.ndarray]:
        """What each subject predicts of them, (n,) or (n, K)."""
        return [predicted for _, _, predicted in self.scores]

    @cached_property
    def pairs(self) -> list[list[tuple[Evidence, Evidence]]]:
        """The runs of each subject but the first, each with that of the first which it is compared with."""
        return [seed_pairs(one.seeds, self.baseline.seeds) for one in self.inspections[1:]]

    @cached_property
    def comparisons(self) -> list[Comparison | None]:
        """The paired test of each subject but the first against that one; None where they have no seed in common."""
        instance = self.baseline.subject.plan.instance
        pool = instance.jets - instance.settings.test_jets
        return [paired_test(pairs, pool) if pairs else None for pairs in self.pairs]

    def warnings(self) -> list[str]:
        """Say of each arm that is compared at another label budget than the first one that the difference is not about arms."""
        first, found = self.baseline, list[str]()
        for one in self.inspections[1:]:
            labels, others = one.shown.spec.labels, first.shown.spec.labels
            if labels != others and one.shown.run.planned.arm != first.shown.run.planned.arm:
                found.append(
                    f"{one.subject.name} has {labels} labels and {first.subject.name} has {others}: what differs between them is "
                    f"not about the arms alone; name both at one budget, as {first.shown.run.planned.arm}/n{labels}"
                )
        return found

    def check(self) -> None:
        """Raise `StoreError` for subjects that are the same, have predicted nothing, or cannot be set side by side."""
        if len(set(self.names)) < len(self.names):
            raise StoreError(f"{' and '.join(one.subject.name for one in self.inspections)} name the same thing; name two")
        for one in self.inspections:
            if not one.shown.tested:
                raise StoreError(f"{one.subject.name} is a pretraining, which predicts nothing; name runs that start from it")
        for one, other in pairwise(self.inspections):
            if one.regression != other.regression:
                raise StoreError(f"{one.subject.name} and {other.subject.name} have different tasks, and cannot be compared")
        assert self.scores


def common_seed(inspections: Sequence[Inspection]) -> tuple[Inspection, ...]:
    """Return the inspections with the runs of the seeds that all have in front, so that the same seed of each is shown."""
    seeds = set.intersection(*({one.spec.seed for one in side.seeds} for side in inspections))
    ordered = (sorted(side.seeds, key=lambda one: one.spec.seed not in seeds) for side in inspections)
    return tuple(replace(side, seeds=runs) for side, runs in zip(inspections, ordered, strict=True))
