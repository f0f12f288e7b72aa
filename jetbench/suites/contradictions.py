"""Augmentations that contradict the target: they show a jet that has another mass than the one to be predicted."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.suites.graph import Graph, PlannedRun
from jetbench.views import augmentations

__all__ = ["contradictions"]


def contradictions(plan: Graph) -> list[str]:
    """Write a warning for each augmentation of the plan that changes what the target measures, with the arms that have it, for
    trainings with labels and for those without."""
    arms, found = _arms(plan), dict[tuple[str, bool], dict[str, None]]()
    for key, run in plan.runs.items():
        for name in _changing(run, plan.task.quantity):
            found.setdefault((name, run.labelled), {}).update(arms[key])
    return [_warning(plan, name, labelled, list(some)) for (name, labelled), some in found.items()]


def _arms(plan: Graph) -> dict[str, dict[str, None]]:
    """The arms behind each run, by its key: its own, and those of the runs that start from it."""
    found: dict[str, dict[str, None]] = {key: {} for key in plan.runs}
    for key, run in reversed(plan.runs.items()):
        found[key] = {run.arm: None, **found[key]}
        if run.spec.start is not None:
            found[run.spec.start].update(found[key])
    return found


def _changing(run: PlannedRun, quantity: str) -> Iterator[str]:
    return (step.name for step in run.spec.recipe.augmentation if quantity in augmentations[step.name].changes)


def _warning(plan: Graph, name: str, labelled: bool, arms: list[str]) -> str:
    quantity = plan.task.quantity
    effect = (
        f"jets are shown with another {quantity} than their target says"
        if labelled
        else f"the encoder learns to ignore the {quantity} before it is to tell it"
    )
    return (
        f"the augmentation {name} contradicts the target {plan.task.column!r}: it changes the {quantity} of a jet, so that in "
        f"{'the trainings with labels' if labelled else 'the pretraining'} of {', '.join(arms)} {effect}; "
        "leave it out of the recipe's `augmentation`"
    )
