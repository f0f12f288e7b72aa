"""Are there enough jets of every class, in the test set and in each label budget? Known from the labels, before anything runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from jetbench.data.splits import NONE_VALIDATES, Split, split_jets
from jetbench.errors import SuiteError
from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.sizes import check_pool, set_labels
from jetbench.tasks.task import Part

__all__ = ["check_budgets", "check_equal_classes"]

MARGIN = 100  # jets of each class beyond what a suite asks for: enough to find the size that would do
KEYS: dict[Part, str] = {"test": "test_jets", "train": "label budget", "validation": "label budget"}  # what makes a part larger


def check_equal_classes(plan: Graph) -> None:
    """Check the budgets of a dataset that is not yet made, whose classes will share its jets equally."""
    instance, classes = plan.instance, len(plan.instance.meta.class_names)
    settings = instance.settings
    enough = settings.test_jets + instance.budgets[-1] + MARGIN * classes
    rows = np.arange(min(instance.jets, enough))
    check_budgets(plan, rows % classes, rows)


def check_budgets(plan: Graph, strata: np.ndarray, events: np.ndarray) -> None:
    """Check that the task has what it needs in each part of the split, from strata (n,) and event ids (n,).

    Raises `SuiteError`, which names what is too rare and the smallest size that would do. Budgets are nested and stratified: what
    holds for the smallest one holds for the larger ones, and hardly depends on the seed.
    """
    settings, digest = plan.instance.settings, plan.instance.dataset.sha256
    tuned = [study.template.labels for study in plan.studies.values() if study.template.labels is not None]
    seed = -1  # of no reported run

    def split(part: Part, size: int) -> Split:
        test_jets, budget = (size, None) if part == "test" else (settings.test_jets, size)
        return split_jets(strata, events, test_jets, budget, seed, digest)

    def shortage(part: Part, size: int) -> str:
        return plan.task.shortage(part, strata[getattr(split(part, size), part)], plan.instance.meta)

    def none_validates(part: Part, size: int) -> str:
        return "" if len(split(part, size).validation) else f"none validates: {NONE_VALIDATES}"

    pool = len(split_jets(strata, events, settings.test_jets, None, seed, digest).pool)
    check_pool(plan.instance, pool)
    largest_event = int(np.unique(events, return_counts=True)[1].max())  # beyond the jets without it, none may be left
    _require(plan.instance, "test", shortage, settings.test_jets, len(strata) - largest_event)
    _require(plan.instance, "train", shortage, plan.instance.budgets[0], pool)
    if tuned:
        _require(plan.instance, "validation", shortage, min(tuned), pool)
    _require(plan.instance, "validation", none_validates, plan.instance.budgets[0], pool)


def _require(instance: AnyInstance, part: Part, shortage: Callable[[Part, int], str], size: int, largest: int) -> None:
    """What is enough stays enough when jets are added, so that the smallest size that does is bisected."""
    found = shortage(part, size)
    if not found:
        return
    key, sizes = KEYS[part], range(size, largest + 1)
    place = bisect_left(sizes, True, key=lambda size: not shortage(part, size))
    if place == len(sizes):
        raise SuiteError(f"{key} {size}: {found}; the dataset has too few of them")
    least = sizes[place]
    typed = f"--set test_jets={least}" if part == "test" else set_labels(instance, (max(n, least) for n in instance.budgets))
    raise SuiteError(f"{key} {size}: {found}; the smallest {key} that gives as many is {least}: {typed}")
