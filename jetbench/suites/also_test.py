"""Whether every arm of a suite can be scored on its other test sets, and what to do where one cannot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.suites.choices import Arm
from jetbench.suites.expand import task_component, view_options
from jetbench.suites.instance import OtherJets, called
from jetbench.suites.suite import Instance
from jetbench.tasks import build_task
from jetbench.views.likeness import same_pt, unlike

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["refuse_also_test"]


def refuse_also_test(instance: Instance, arms: Iterable[str]) -> None:
    """Raise `SuiteError`, with the remedy, where the jets of another test set do not allow the task, have other classes than
    the dataset, or show themselves to one of the `arms` otherwise than the dataset's do; and where the own test jets have no such
    classes as they are to be thinned to."""
    named = list(arms)
    for one in instance.variations:
        if one.dataset is not None:
            said = called(one.name) if one.name else f"second test set {one.dataset.name!r}"
            _refuse_other(instance, said, instance.also[one.name], named)
        elif one.shares is not None:
            _refuse_shares(instance, called(one.name), [name for name, _ in one.shares])


def _refuse_other(instance: Instance, said: str, other: OtherJets, arms: list[str]) -> None:
    there, task = other.meta, build_task(task_component(instance.settings))
    if reason := task.unmet(there, other.targets):
        raise SuiteError(f"the {said}: its jets {reason}")
    if task.column == "label" and (reason := _other_classes(instance.meta.class_names, there.class_names)):
        raise SuiteError(f"the {said} {reason}")
    for arm in arms:
        if reason := _unlike(instance, instance.settings.arms[arm], there):
            raise SuiteError(f"the {said} cannot be shown to the arm {arm!r}: {reason}")


def _refuse_shares(instance: Instance, said: str, names: list[str]) -> None:
    """A sample without one of the classes would be no test of the task."""
    classes = instance.meta.class_names if "label" in instance.targets else ()
    if set(names) != set(classes):
        found = ", ".join(classes) or "none"
        raise SuiteError(f"the {said} has shares of {', '.join(names)}; name each class of these jets once ({found})")


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
