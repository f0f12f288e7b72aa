"""What a plan will cost: runs, passes, and an estimate of time from measured rates."""

from __future__ import annotations

from collections import Counter

from jetbench.models import models
from jetbench.suites.plan import Plan, PlannedRun
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["describe", "run_cost"]

RATE = 500.0  # passes per second and core where nothing has been measured yet: ResNet-15 16-32-64 at 32×32 on a busy core
RUN_SECONDS = 1.5  # of a run beside its passes: process, data, evaluation, pictures


def run_cost(run: PlannedRun) -> float:
    """Return the cost of a run in passes, with the fixed part of a run counted as passes too."""
    passes = run.spec.recipe.passes if models[run.spec.model.name].kind == "network" else 0
    return passes + RUN_SECONDS * RATE


def _measured_rate(plan: Plan, ledger: Ledger) -> float | None:
    """Passes per second of this plan's finished networks."""
    passes = seconds = 0.0
    for key, run in plan.runs.items():
        if models[run.spec.model.name].kind == "network" and ledger.done(key):
            metrics = ledger.metrics(key)
            passes += metrics["cost/labelled_passes"] + metrics["cost/unlabelled_passes"]
            seconds += metrics["cost/seconds"]
    return passes / seconds if seconds > 1 else None


def _simulation(plan: Plan) -> tuple[int, float]:
    """Jets that are yet to be simulated, and the seconds that one core needs for them."""
    datasets = (plan.instance.find_dataset(), plan.instance.find_unlabelled())
    missing = [dataset for dataset in datasets if dataset is not None and not dataset.ready]
    return sum(dataset.jets for dataset in missing), sum(dataset.jets / dataset.recipe.rate for dataset in missing)


def describe(plan: Plan, store: Store, trainings: int, simulations: int) -> str:
    """Say in words what is planned: a line per kind of run, what is done, passes, and the time that the rest should take with so
    many trainings and simulations at a time."""
    ledger = Ledger(store.work)
    done = {key for key, run in plan.runs.items() if ledger.done(key) or (run.kind == "trial" and ledger.diverged(key))}
    unasked = sum(study.trials - len(study.known_trials()) for study in plan.studies.values())
    lines = [plan.instance.name, f"{'kind':<12}{'runs':>6}{'done':>6}{'passes':>14}"]
    kinds = Counter(run.kind for run in plan.runs.values())
    for kind, count in kinds.items():
        mine = [run for run in plan.runs.values() if run.kind == kind]
        passes = sum(run.spec.recipe.passes for run in mine)
        lines.append(f"{kind:<12}{count:>6}{sum(run.key in done for run in mine):>6}{passes:>14,}".replace(",", " "))
    lines += [f"skipped {line}" for line in plan.skipped_lines()]
    if unasked:
        lines.append(f"and up to {unasked} trials that the search chooses as it goes")
    rate = _measured_rate(plan, ledger)
    left = [run for key, run in plan.runs.items() if key not in done]
    passes_left = sum(run_cost(run) - RUN_SECONDS * RATE for run in left)
    training = passes_left / (rate or RATE) + RUN_SECONDS * len(left)
    jets, simulation = _simulation(plan)
    minutes = (training / trainings + simulation / simulations) / 60
    duration = f"about {minutes:.0f} min" if minutes >= 1 else "less than a minute"
    basis = "measured here" if rate else "assumed"
    lines.append(
        f"{duration} with {trainings} trainings at a time, at {rate or RATE:.0f} passes/s each ({basis})"
        + (f", simulation of {jets} jets included" if jets else "")
    )
    return "\n".join(lines)
