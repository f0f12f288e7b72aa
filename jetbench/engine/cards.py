"""How a run presents itself to a tracker: name, tags and flat parameters, from the plan and the resolved spec."""

from __future__ import annotations

import json

from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.roles import Role
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.tracker import RunCard

__all__ = ["run_card"]


def run_card(plan: Graph, planned: PlannedRun, spec: RunSpec, ledger: Ledger) -> RunCard:
    """Return what a tracker shows of a run: its name, tags and flat parameters. `spec` is the resolved one, in which nothing
    waits for a study."""
    instance = plan.instance
    tags = {
        f"jetbench.{instance.kind}": instance.title,
        "jetbench.scale": instance.scale,
        "jetbench.instance": instance.name,
        "jetbench.arm": planned.arm if planned.kind != "pretrain" else "",
        "jetbench.dataset": spec.dataset.name,
        "jetbench.dataset_digest": spec.dataset.sha256,
        "jetbench.also_test": " ".join(one.name or (one.dataset.name if one.dataset else "") for one in spec.variations),
        "jetbench.also_test_digest": " ".join(one.dataset.sha256 for one in spec.variations if one.dataset),
        "jetbench.weights": spec.weights.name if spec.weights else "",
        "jetbench.weights_digest": spec.weights.sha256 if spec.weights else "",
        "jetbench.scores": spec.scores.name if spec.scores else "",
        "jetbench.scores_digest": spec.scores.sha256 if spec.scores else "",
        "jetbench.plugins": ", ".join(plugin.text for plugin in spec.plugins),
        "jetbench.fault": spec.fault or "",
        "jetbench.role": Role.FAULTY if spec.fault else "",
        "jetbench.reused_from": _trained_by_another(ledger.run(planned.key), instance.name),
    }
    return RunCard(
        key=planned.key,
        name=planned.name,
        kind=planned.kind,
        folder=ledger.folder(planned.key),
        tags=tuple((name, value) for name, value in tags.items() if value),
        params=tuple(_flat_params(planned, spec).items()),
        datasets=((spec.dataset.name, spec.dataset.sha256),),
    )


def _trained_by_another(folder: RunFolder, instance: str) -> str:
    """The instance that a run was trained for, where that is not this one."""
    try:
        trained_for = str(json.loads(folder.environment.read_text())["instance"])
    except (OSError, ValueError, KeyError):
        return ""
    return trained_for if trained_for != instance and folder.done.exists() else ""


def _flat_params(planned: PlannedRun, spec: RunSpec) -> dict[str, str]:
    recipe = spec.recipe
    values = {
        "arm": planned.arm if planned.kind != "pretrain" else "pretraining",
        "model": spec.model.name,
        **{f"model.{name}": value for name, value in spec.model.options},
        **{f"view.{name}": value for name, value in spec.view.options},
        "objective": spec.objective.name,
        **{f"objective.{name}": value for name, value in spec.objective.options},
        "task": spec.task.name if planned.labelled else "none",
        "precision": spec.precision,
        "labels": {"true": "all"}.get(spec.targets, spec.targets) if spec.labels is None else spec.labels,
        "seed": spec.seed,
        "recipe": recipe.name,
        **{f"recipe.{name}": value for name, value in recipe if name not in APART and value is not None},
        "recipe.augmentation": " ".join(step.name for step in recipe.augmentation),
        "start": spec.start or "",
        "trains": spec.trains,
    }
    return {name: str(value) for name, value in values.items()}


APART = {"name", "augmentation"}  # fields of a recipe that are written in words of their own
