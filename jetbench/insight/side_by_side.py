"""Two or more subjects side by side: on the same test jets, the first of them as the baseline of the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from jetbench.errors import StoreError
from jetbench.insight.agreement import common_jets, paired_test, seed_pairs
from jetbench.insight.inspection import Inspection
from jetbench.report.pairing import Scores
from jetbench.statistics.comparison import Comparison

__all__ = ["SideBySide"]


@dataclass(frozen=True, eq=False)
class SideBySide:
    """`inspections` of subjects, the baseline first."""

    inspections: tuple[Inspection, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.subject.name for one in self.inspections)

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
    def comparisons(self) -> list[Comparison | None]:
        """The paired test of each subject but the first against that one; None where they have no seed in common."""
        instance = self.baseline.subject.plan.instance
        pool = instance.jets - instance.settings.test_jets
        paired = [seed_pairs(one.seeds, self.baseline.seeds) for one in self.inspections[1:]]
        return [paired_test(pairs, pool) if pairs else None for pairs in paired]

    def check(self) -> None:
        """Raise `StoreError` for subjects that are the same, have predicted nothing, or cannot be set side by side."""
        if len(set(self.names)) < len(self.names):
            raise StoreError(f"{' and '.join(self.names)} name the same thing; name two")
        for one in self.inspections:
            if not one.shown.tested:
                raise StoreError(f"{one.subject.name} is a pretraining, which predicts nothing; name runs that start from it")
        for one, other in pairwise(self.inspections):
            if one.regression != other.regression:
                raise StoreError(f"{one.subject.name} and {other.subject.name} have different tasks, and cannot be compared")
        assert self.scores
