"""Training runs anew: what there is of them is set aside, never removed, and the next command finds nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from jetbench.engine.custody import idle
from jetbench.engine.survey import Survey, survey
from jetbench.errors import BusyError, UnknownNameError
from jetbench.files import file_lock, move_aside
from jetbench.plugins import scope
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.instances import remembered
from jetbench.suites.names import arm_called, cells_called, unknown_name
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.plans import plan_remembered
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["chosen", "set_aside", "sharing"]


def chosen(what: str, found: Survey) -> list[PlannedRun]:
    """Return the runs that are to be trained anew: the diverged ones for "failed" (others that failed are tried again anyway,
    from their checkpoints), every one that has begun for "all", one by its name or the beginning of its key, or the last runs of
    an arm, of a budget of it or of a seed, for "ARM", "ARM/n100" and "ARM/n100/s0", which are all trials where a seed tunes for
    itself; with all that start from them or wait for a study that they are trials of.

    Raises `UnknownNameError` where nothing is called so, `StoreError` where several keys begin so.
    """
    if what == "failed":
        return [found.runs[key] for key, state in found.states.items() if state == "diverged"]
    keys = set(found.runs) if what == "all" else _depending(_called(what, found), found)
    return [run for key, run in found.runs.items() if key in keys and found.states[key] != "planned"]


def _called(what: str, found: Survey) -> set[str]:
    plan = found.plan
    name = arm_called(plan, what)
    if name is not None and isinstance(plan, Plan) and (cells := cells_called(plan, name)):
        return {key for cell in cells for key in _last_runs(plan, cell, found)}
    if (key := found.one_called(what)) is None:
        raise UnknownNameError(unknown_name(what, plan.instance.name, [plan], ["failed", "all"]))
    return {key}


def _last_runs(plan: Plan, cell: CellKey, found: Survey) -> list[str]:
    """The key of a cell's last run; the trials of its study where it has one of its own."""
    return found.asked[plan.tuned[cell]] if plan.seeds_tune and cell in plan.tuned else [plan.cells[cell]]


def _depending(first: set[str], found: Survey) -> set[str]:
    """Runs and all that start from them, or wait for a study that one of them is a trial of."""
    keys: set[str] = set()
    grown = first
    while grown:
        keys |= grown
        studies = {digest for digest, asked in found.asked.items() if keys & set(asked)}
        after = {key for key, run in found.runs.items() if run.spec.start in keys or found.plan.study_of(key) in studies}
        grown = after - keys
    return keys


def sharing(plan: Graph, runs: Iterable[PlannedRun], store: Store) -> dict[str, int]:
    """Return the other instances of the store that have some of these runs too, and how many. Raises `StoreError` for one that
    can no longer be planned."""
    keys, found = {run.key for run in runs}, {}
    for name, instance in remembered(store.root).items():
        if name == plan.instance.name:
            continue
        with scope():
            runs_there = survey(plan_remembered(instance, store.root), Ledger(store.work)).runs
        if shared := len(keys & runs_there.keys()):
            found[name] = shared
    return found


def set_aside(plan: Graph, what: str, store: Store) -> list[str]:
    """Set aside what there is of the chosen runs, and say so in a line or two.

    Raises `BusyError`, and moves nothing, where a process runs this instance, another that shares one of the runs, or a run.
    """
    ledger = Ledger(store.work)
    runs = chosen(what, survey(plan, ledger))
    if not runs:
        return [f"nothing to train again: no run of {plan.instance.name} has {'diverged' if what == 'failed' else 'begun'}"]
    shared = sharing(plan, runs, store)
    target = store.aside / time.strftime("%Y-%m-%dT%H-%M-%S")
    with idle(store, [plan.instance.name, *shared]):
        _refuse_running(runs, ledger)
        for run in runs:
            _move(run, ledger, target)
    lines = [f"{len(runs)} runs are set aside in {target} and trained again; `jetbench store gc aside` removes them"]
    if shared:
        told = ", ".join(f"{count} of {name}" for name, count in shared.items())
        lines.append(f"they are runs of other instances too ({told}), which then show the new ones")
    return lines


def _refuse_running(runs: Iterable[PlannedRun], ledger: Ledger) -> None:
    for run in runs:
        if ledger.run(run.key).under_way():
            raise BusyError(f"another process trains {run.name}; wait for it, or stop it first")


def _move(run: PlannedRun, ledger: Ledger, target: Path) -> None:
    folder = ledger.run(run.key)
    with ExitStack() as held:
        if not held.enter_context(file_lock(folder.lock, wait=False)):
            raise BusyError(f"another process trains {run.name}; what was set aside before it lies in {target}")
        move_aside(folder.path, target)
