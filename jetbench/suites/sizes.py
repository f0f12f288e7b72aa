"""Test set and label budgets that fit into a dataset, as they are typed."""

from __future__ import annotations

from collections.abc import Iterable

from jetbench.errors import SuiteError
from jetbench.suites.instance import AnyInstance
from jetbench.suites.settings import Settings

__all__ = ["check_pool", "check_size", "set_labels"]

FEW = 50  # labels that are worth a larger part of the jets than the test set leaves
SHARE = 3  # of a dataset too small for its test set, the part that is tested


def check_size(instance: AnyInstance) -> None:
    """Raise `SuiteError`, with sizes that fit, where test set and largest budget do not fit into the dataset."""
    test, budgets, jets = instance.settings.test_jets, instance.budgets, instance.jets
    if test + budgets[-1] <= jets:
        return
    said = f"{test} test jets and {budgets[-1]} labels do not fit into the {jets} jets of {instance.dataset.name!r}"
    smaller = jets - test < min(FEW, budgets[0])
    test = _rounded(jets // SHARE) if smaller else test
    fitting = set_labels(instance, _fitting(budgets, jets - test))
    remedy = f"{f'--set test_jets={test} ' if smaller else ''}{fitting} fits, or take"
    raise SuiteError(f"{said}; {remedy if jets > FEW else 'take'} a larger dataset")


def set_labels(instance: AnyInstance, budgets: Iterable[int]) -> str:
    """Write the options that set the budgets of a suite, or the one of a study, and those of arms that are at others alone."""
    settings, labels = instance.settings, tuple(dict.fromkeys(budgets))
    if not isinstance(settings, Settings):
        return f"--set labels={labels[-1]}"
    options = [f"--set labels=[{_listed(labels)}]"]
    for name, arm in settings.arms.items():
        if not isinstance(arm.labels, str) and (kept := tuple(n for n in arm.labels if n in labels)) != arm.labels:
            options.append(f"--set arms.{name}.labels={f'[{_listed(kept)}]' if kept else 'all'}")
    return " ".join(options)


def check_pool(instance: AnyInstance, pool: int) -> None:
    """Raise `SuiteError`, with budgets that fit, where so many jets beside the test jets are fewer than the largest budget."""
    if (largest := instance.budgets[-1]) > pool:
        fitting = f"{set_labels(instance, _fitting(instance.budgets, pool))} fits" if pool > FEW else "take a larger dataset"
        left = "1 jet is" if pool == 1 else f"{pool} jets are"
        cause = f"{left} left beside the test jets, since those of one event stay together"
        raise SuiteError(f"label budget {largest}: {cause}; {fitting}")


def _fitting(budgets: tuple[int, ...], room: int) -> tuple[int, ...]:
    """The budgets for which there is room, or else one that is smaller than all."""
    return tuple(n for n in budgets if n <= room) or (_rounded(room),)


def _rounded(number: int) -> int:
    """A number down to its first digit."""
    size = 10 ** (len(str(number)) - 1)
    return number // size * size


def _listed(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
