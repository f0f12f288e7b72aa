"""Training runs anew: what there is of them is set aside, never removed, and the next command finds nothing."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from jetbench.engine.custody import idle
from jetbench.engine.survey import Survey, survey
from jetbench.errors import BusyError, JetbenchError, UnknownNameError
from jetbench.files import file_lock, is_locked, move_aside
from jetbench.registry import nearest
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.instances import remembered
from jetbench.suites.plans import plan_remembered
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["chosen", "set_aside", "sharing"]


def chosen(what: str, found: Survey) -> list[PlannedRun]:
    """Return the runs that are to be trained anew: the diverged ones for "failed" (others that failed are tried again anyway,
    from their checkpoints), every one that has begun for "all", or one by its name or the beginning of its key, with all that
    start from it or wait for a study that it is a trial of.

    Raises `UnknownNameError` where nothing is called so, `JetbenchError` where several keys begin so, and where one is running.
    """
    if what == "failed":
        return [found.runs[key] for key, state in found.states.items() if state == "diverged"]
    keys = set(found.runs) if what == "all" else _depending(_called(what, found), found)
    return [run for key, run in found.runs.items() if key in keys and found.states[key] != "planned"]


def _called(what: str, found: Survey) -> str:
    keys = found.called(what)
    if len(keys) > 1:
        raise JetbenchError(f"{len(keys)} runs have keys that begin with {what}; write more of it")
    if not keys:
        close = difflib.get_close_matches(what, [run.name for run in found.runs.values()], cutoff=0.5)
        raise UnknownNameError(
            f"no run of {found.plan.instance.name} has the name or key {what!r}; {nearest(what, ['failed', 'all', *close])}"
        )
    return keys[0]


def _depending(first: str, found: Survey) -> set[str]:
    """A run and all that start from it, or wait for a study that one of them is a trial of."""
    keys: set[str] = set()
    grown = {first}
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
        if name != plan.instance.name and (
            shared := len(keys & survey(plan_remembered(instance), Ledger(store.work)).runs.keys())
        ):
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
        if is_locked(ledger.run(run.key).lock):
            raise BusyError(f"another process trains {run.name}; wait for it, or stop it first")


def _move(run: PlannedRun, ledger: Ledger, target: Path) -> None:
    folder = ledger.run(run.key)
    with ExitStack() as held:
        if not held.enter_context(file_lock(folder.lock, wait=False)):
            raise BusyError(f"another process trains {run.name}; what was set aside before it lies in {target}")
        move_aside(folder.path, target)
