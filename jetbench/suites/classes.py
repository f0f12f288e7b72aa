"""Are there enough jets of every class, in the test set and in each label budget? Known from the labels, before anything runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from jetbench.data.splits import split_jets
from jetbench.errors import SuiteError
from jetbench.suites.regimes import TUNING_SEED

if TYPE_CHECKING:
    from jetbench.suites.plan import Plan

__all__ = ["check_classes", "check_equal_classes"]

MARGIN = 100  # jets of each class beyond what a suite asks for: enough to find the size that would do


def check_equal_classes(plan: Plan, jets: int, class_names: tuple[str, ...]) -> None:
    """The same as `check_classes` for a dataset that is not yet made, whose classes will share its `jets` equally."""
    settings = plan.instance.settings
    enough = settings.test_jets + settings.labels[-1] + MARGIN * len(class_names)
    rows = np.arange(min(jets, enough))
    check_classes(plan, rows % len(class_names), rows, class_names)


def check_classes(plan: Plan, labels: np.ndarray, events: np.ndarray, class_names: tuple[str, ...]) -> None:
    """Raise `SuiteError`, which names a class that is too rare and the smallest size that would do, for labels (n,) in 0 … K−1
    and event ids (n,).

    Two test jets of each class are needed and, where a budget is tuned, two validation labels: an AUC of fewer has no error.
    Budgets are nested and stratified: what holds for the smallest one holds for the larger ones, and hardly depends on the seed.
    """
    settings, digest = plan.instance.settings, plan.instance.dataset.sha256
    tuned = [study.template.labels for study in plan.studies.values() if study.template.labels is not None]

    def counts(part: str, test_jets: int, budget: int | None) -> np.ndarray:
        split = split_jets(labels, events, test_jets, budget, TUNING_SEED, digest)
        return np.bincount(labels[getattr(split, part)], minlength=len(class_names))

    def of_test(size: int) -> np.ndarray:
        return counts("test", size, None)

    def of_training(size: int) -> np.ndarray:
        return counts("train", settings.test_jets, size)

    def of_validation(size: int) -> np.ndarray:
        return counts("validation", settings.test_jets, size)

    pool = len(labels) - int(of_test(settings.test_jets).sum())
    _require(2, of_test, settings.test_jets, len(labels) - 1, "test jets", "test_jets", class_names)
    _require(1, of_training, settings.labels[0], pool, "training labels", "label budget", class_names)
    if tuned:
        _require(
            2,
            of_validation,
            min(tuned),
            pool,
            "validation labels, on which the learning rate is tuned,",
            "label budget",
            class_names,
        )


def _require(
    least: int, counts: Callable[[int], np.ndarray], size: int, largest: int, part: str, key: str, class_names: tuple[str, ...]
) -> None:
    """`counts` gives the jets of each class for a size; it rises with the size, so that the smallest that does is bisected."""
    found = counts(size)
    if found.min() >= least:
        return
    name, sizes = class_names[int(found.argmin())], range(size, largest + 1)
    place = bisect_left(sizes, True, key=lambda size: bool(counts(size).min() >= least))
    remedy = (
        f"the smallest {key} that gives as many is {sizes[place]}" if place < len(sizes) else "the dataset has too few of them"
    )
    raise SuiteError(f"{key} {size}: the class {name!r} has {found.min()} of {found.sum()} {part} and needs {least}; {remedy}")
