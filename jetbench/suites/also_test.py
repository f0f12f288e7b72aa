"""Whether every arm of a suite can be scored on its second test set, and what to do where one cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.suites.choices import Arm
from jetbench.suites.expand import task_component, view_options
from jetbench.suites.suite import Instance
from jetbench.tasks import build_task
from jetbench.views.likeness import same_pt, unlike

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["refuse_also_test"]


def refuse_also_test(instance: Instance, arms: Iterable[str]) -> None:
    """Raise `SuiteError`, with the remedy, where the jets of the second test set do not allow the task, have other classes than
    the dataset, or show themselves to one of the `arms` otherwise than the dataset's do."""
    there = instance.also_meta
    if there is None or instance.also_test is None:
        return
    name, task = instance.also_test.name, build_task(task_component(instance.settings))
    if reason := task.unmet(there, instance.also_targets):
        raise SuiteError(f"the second test set {name!r}: its jets {reason}")
    if task.column == "label" and (reason := _other_classes(instance.meta.class_names, there.class_names)):
        raise SuiteError(f"the second test set {name!r} {reason}")
    for arm in arms:
        if reason := _unlike(instance, instance.settings.arms[arm], there):
            raise SuiteError(f"the second test set {name!r} cannot be shown to the arm {arm!r}: {reason}")


def _other_classes(mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    """How the names of the classes differ, in the order of the labels, and the remedy; new names do not mend another order."""
    if mine == theirs:
        return ""
    remedy = "where only the names differ, convert it again with --class-names"
    if sorted(mine) == sorted(theirs):
        remedy = "write it anew (jetbench.jets.save_jets) with the labels in that order"
    return f"has the classes {', '.join(theirs)} against {', '.join(mine)} of the dataset, in the order of the labels; {remedy}"


def _unlike(instance: Instance, arm: Arm, there: Meta) -> str:
    """What the arm's view would find otherwise, and the remedy; empty where nothing is."""
    view = models[arm.model].view_of(instance.meta)
    reads = view_options(instance.settings, arm, view).get("channels", view.reads)
    if reads == "classes":
        return _other_classes(instance.meta.class_names, there.class_names)
    found = unlike(view, reads, instance.meta, there)
    return f"{found}; {_remedy(instance.meta, there, view.name, reads)}" if found else ""


def _remedy(here: Meta, there: Meta, view: str, reads: object) -> str:
    """The pT alone, where that is what both have in common."""
    if reads == "all" and same_pt(here, there):
        return f"--set view.{view}.channels=pt shows every network the pT of both alone"
    return "take jets that were made alike, or arms that do not look at this"
