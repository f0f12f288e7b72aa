"""What a name stands for: a finished run, or the finished runs of an arm at one label budget."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from jetbench.errors import StoreError
from jetbench.inference.loading import read_spec
from jetbench.report.collect import collect
from jetbench.report.members import find_run
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.suites.instances import latest_instance, remembered
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.plans import plan_remembered, plannable
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.store import Store

__all__ = ["FinishedRun", "Subject", "find_subject"]

ARM = re.compile(r"(?P<arm>.+?)(/n(?P<labels>\d+)(/s(?P<seed>\d+))?)?")  # "simclr", "simclr/n100", "simclr/n100/s0"


@dataclass(frozen=True)
class FinishedRun:
    """A run as it was planned, after those that it starts from, first to last, and its folder."""

    chain: tuple[PlannedRun, ...]
    folder: RunFolder

    @property
    def planned(self) -> PlannedRun:
        return self.chain[-1]

    @property
    def name(self) -> str:
        return self.planned.name

    @cached_property
    def spec(self) -> RunSpec:
        """The spec as it was trained: nothing in it waits for a study."""
        return read_spec(self.folder.path) if self.folder.spec.exists() else self.planned.spec

    @property
    def specs(self) -> tuple[RunSpec, ...]:
        """The specs of the chain as they were planned, first to last."""
        return tuple(one.spec for one in self.chain)


@dataclass(frozen=True)
class Subject:
    """What is looked at, by its name: one run, or those of an arm at a label budget, seed by seed; and the plan that has them."""

    name: str
    plan: Graph
    runs: tuple[FinishedRun, ...]


def find_subject(what: str, store: Store, suite: str | None = None) -> Subject:
    """Find an arm by its name, at its largest finished budget or as "ARM/n100", with all finished seeds or as "ARM/n100/s0"; or a
    run by its name or the beginning of its key. Without a `suite`, or an instance of one, the latest instance counts that has it.

    Raises `StoreError` where nothing finished is called so, and for a trial that has not won its study: what that says of the
    test jets stays sealed.
    """
    unfinished = ""
    for plan in _plans(store, suite):
        found = _arm(plan, what, store) if isinstance(plan, Plan) else None
        found = _run(plan, what, store) if found is None else found
        if isinstance(found, Subject):
            return found
        unfinished = unfinished or found or ""
    raise StoreError(
        unfinished or f"no arm or run in {store.root} has the name or key {what!r}; `jetbench status SUITE` lists runs"
    )


def _plans(store: Store, suite: str | None) -> Iterable[Graph]:
    """The plans that are searched, the latest first; those of an earlier version may no longer be possible."""
    if suite is not None:
        yield plan_remembered(latest_instance(store.root, suite))
        return
    yield from plannable(reversed(remembered(store.root).values()))


def _arm(plan: Plan, what: str, store: Store) -> Subject | str | None:
    """The finished runs of an arm; what to say where it has none, and None where there is no such arm."""
    parts = ARM.fullmatch(what)
    arm = _named(plan, parts["arm"]) if parts else None
    if parts is None or arm is None:
        return None
    results = collect(plan, store)
    budgets = [int(parts["labels"])] if parts["labels"] else sorted(plan.instance.settings.labels, reverse=True)
    for labels in budgets:
        seeds = [seed for seed in results.seeds(arm, labels) if parts["seed"] in (None, str(seed))]
        if seeds:
            cells = [CellKey(arm, labels, seed) for seed in seeds]
            runs = [
                FinishedRun(_chain(plan, results.runs, results.chain(cell), cell), _folder(results.last[cell], store))
                for cell in cells
            ]
            return Subject(f"{arm}/n{labels}{f'/s{seeds[0]}' if parts['seed'] else ''}", plan, tuple(runs))
    return f"no run of {what!r} in {plan.instance.name} is finished; `jetbench status {plan.instance.title}` says why"


def _named(plan: Plan, text: str) -> str | None:
    """The arm of this name, with its model in front or not: the last run of a cell is called "MODEL/ARM/n100/s0"."""
    model, _, rest = text.partition("/")
    if rest in plan.arms and plan.instance.settings.arms[rest].model == model:
        return rest
    return text if text in plan.arms else None


def _chain(plan: Plan, runs: dict[str, PlannedRun], keys: list[str], cell: CellKey) -> tuple[PlannedRun, ...]:
    """The runs of a cell, from the keys of the last to the first; a trial that has won is the cell's last run by its name."""
    *before, last = [runs[key] for key in reversed(keys)]
    return (*before, plan.final(plan.tuned[cell], last) if last.kind == "trial" else last)


def _run(plan: Graph, what: str, store: Store) -> Subject | str | None:
    """A run by its name or key; what to say where it is not finished or sealed, and None where there is no such run."""
    seen = find_run(plan, what, store)
    if seen is None:
        return None
    found, key = seen
    run = found.runs[key]
    if not Ledger(store.work).done(key):
        return f"{run.name} is {found.states[key]}: only a finished run can be looked into"
    if run.kind == "trial":
        return _winner(plan, key, store) or f"{run.name} is a trial that has not won: what it says of the test jets stays sealed"
    return Subject(run.name, plan, (FinishedRun(tuple(found.chain(key)), _folder(key, store)),))


def _winner(plan: Graph, key: str, store: Store) -> Subject | None:
    """The cell whose last run a trial has become."""
    if not isinstance(plan, Plan):
        return None
    results = collect(plan, store)
    cell = next((cell for cell, last in results.last.items() if last == key and cell in results.cells), None)
    if cell is None:
        return None
    chain = _chain(plan, results.runs, results.chain(cell), cell)
    return Subject(chain[-1].name, plan, (FinishedRun(chain, _folder(key, store)),))


def _folder(key: str, store: Store) -> RunFolder:
    return Ledger(store.work).run(key)
