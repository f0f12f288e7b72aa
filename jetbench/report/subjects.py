"""What a name stands for: a finished run, or the finished runs of an arm at one label budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from jetbench.engine.survey import survey
from jetbench.errors import StoreError
from jetbench.faults import fault_text
from jetbench.plugins import adopt
from jetbench.report.collect import collect
from jetbench.report.results import Results
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, PlannedRun, listed
from jetbench.suites.instance import AnyInstance
from jetbench.suites.names import ArmName, arm_called, cells_called, named_plans, unknown_name
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.specs import read_spec
from jetbench.tracking.store import Store

__all__ = ["FinishedRun", "Subject", "Unfinished", "also_in", "find_in", "find_subject"]


@dataclass(frozen=True)
class FinishedRun:
    """A run as it was planned, after those that it starts from, first to last, and its folder. Its `name` is its place in the
    comparison, "ARM/n100/s0", where it has one, and else the name that the plan gives it."""

    chain: tuple[PlannedRun, ...]
    folder: RunFolder
    name: str

    @property
    def planned(self) -> PlannedRun:
        return self.chain[-1]

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
    """What is named: one run, or those of an arm at a label budget, seed by seed; and the plan that has them.

    They are `reported` where the comparison shows what they say of the test jets. `missing` holds the reasons why seeds of the
    arm are not among them, and `remarks` say what was taken where the name could mean more than that.
    """

    name: str
    plan: Graph
    runs: tuple[FinishedRun, ...]
    reported: bool
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def instance(self) -> AnyInstance:
        return self.plan.instance

    @property
    def keys(self) -> dict[str, str]:
        """The key of each run by its name."""
        return {run.name: run.planned.key for run in self.runs}

    @property
    def faults_told(self) -> list[str]:
        """Say of a subject with a fault what the fault is, and that it is no result."""
        return [f"{self.name} is {fault_text(fault)}: it shows what the fault does, and is no result." for fault in self.faults]

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that its runs have on purpose."""
        return tuple(dict.fromkeys(run.planned.spec.fault for run in self.runs if run.planned.spec.fault is not None))

    def refuse_lost(self) -> None:
        """Raise `StoreError` for a trial that has not won its study."""
        if self.runs[0].planned.kind == "trial":
            raise StoreError(f"{self.name} is a trial that has not won: what it says of the test jets stays sealed")


class Unfinished(NamedTuple):
    """Something is called so, and the reason why it cannot be looked into yet."""

    reason: str


def find_subject(what: str, store: Store, suite: str | None = None) -> Subject:
    """Find an arm by its name, at its largest finished budget or as "ARM/n100", with all finished seeds or as "ARM/n100/s0"; or a
    run by its name or the beginning of its key. Without a `suite`, or an instance of one, the latest instance counts in which
    something is finished that is called so. A seed that tunes for itself is the trial that has won.

    Raises `StoreError` where nothing finished is called so, and for several keys that begin so.
    """
    searched: list[Graph] = []
    unfinished = None
    plans = named_plans(store.root, suite)
    for plan in plans:
        found = find_in(plan, what, store)
        if isinstance(found, Subject):
            others = also_in([*searched, *plans], [what], store)
            adopt(found.instance.plugins, store.root)  # those of another instance may count by now
            return _with_others(found, what, others)
        unfinished = unfinished or found
        searched.append(plan)
    if unfinished is not None:
        raise StoreError(unfinished.reason)
    raise StoreError(unknown_name(what, searched[0].instance.name if len(searched) == 1 else store.root, searched))


def find_in(plan: Graph, what: str, store: Store) -> Subject | Unfinished | None:
    """Find what a plan has of a name as `find_subject` does; None for no such name."""
    name = arm_called(plan, what)
    if name is not None and isinstance(plan, Plan) and (cells := cells_called(plan, name)):
        return _arm(collect(plan, store), name, cells)
    return _run(plan, what, store)


def also_in(plans: Iterable[Graph], names: Sequence[str], store: Store) -> list[str]:
    """Return the instances of those plans that have all of these names too, finished or not."""
    return [plan.instance.name for plan in plans if all(_has(plan, what, store) for what in names)]


def _has(plan: Graph, what: str, store: Store) -> bool:
    name = arm_called(plan, what)
    if name is not None and isinstance(plan, Plan) and cells_called(plan, name):
        return True
    return bool(survey(plan, Ledger(store.work)).called(what))


def _arm(results: Results, name: ArmName, cells: Sequence[CellKey]) -> Subject | Unfinished:
    """Those cells of an arm that are finished, at the largest such budget."""
    instance, finished = results.plan.instance, [cell for cell in cells if cell in results.cells]
    if not finished:
        reasons = "; ".join(_reasons(results, cells))
        command = f"`jetbench status {instance.name}` shows how far it is"
        return Unfinished(f"no run of {name.text!r} in {instance.name} is finished ({reasons}); {command}")
    labels = max(cell.labels for cell in finished)
    missing = tuple(_reasons(results, [cell for cell in cells if cell.labels == labels]))
    runs = tuple(_finished(results, cell) for cell in finished if cell.labels == labels)
    return Subject(name._replace(labels=labels).text, results.plan, runs, True, missing, _budgets(name.arm, labels, cells))


def _reasons(results: Results, cells: Iterable[CellKey]) -> Iterator[str]:
    """Why cells are missing, "seeds 0 and 1: not run yet", reason by reason."""
    seeds: dict[str, dict[int, None]] = {}
    for cell in cells:
        if cell in results.missing:
            seeds.setdefault(results.missing[cell], {})[cell.seed] = None
    for reason, those in seeds.items():
        yield f"{listed('seed', [*map(str, those)])}: {reason}"


def _budgets(arm: str, taken: int, cells: Iterable[CellKey]) -> tuple[str, ...]:
    """What to say where an arm was named without one of its budgets."""
    others = " or ".join(f"{arm}/n{labels}" for labels in sorted({cell.labels for cell in cells} - {taken}))
    remark = f"{arm} is taken at {taken} labels, the largest of its budgets that has finished runs; name {others} for another"
    return (remark,) if others else ()


def _finished(results: Results, cell: CellKey) -> FinishedRun:
    """The last run of a cell: of one that tunes for itself the trial that has won, by the name of the cell."""
    plan = results.plan
    *before, last = [results.runs[key] for key in reversed(results.chain(cell))]
    chain = (*before, plan.final(plan.tuned[cell], last) if last.kind == "trial" else last)
    return FinishedRun(chain, results.ledger.run(last.key), ArmName(cell.arm, cell.labels, cell.seed).text)


def _run(plan: Graph, what: str, store: Store) -> Subject | Unfinished | None:
    """A run by its name or key; None where there is no such run."""
    ledger = Ledger(store.work)
    found = survey(plan, ledger)
    if (key := found.one_called(what)) is None:
        return None
    run = found.runs[key]
    if not ledger.done(key):
        return Unfinished(f"{run.name} of {plan.instance.name} is {found.states[key]}: only a finished run can be looked into")
    results = collect(plan, store) if isinstance(plan, Plan) else None
    if results and (cell := next((cell for cell in results.cells if results.last[cell] == key), None)):
        ended = _finished(results, cell)
        return Subject(ended.name, plan, (ended,), True)
    return Subject(run.name, plan, (FinishedRun(tuple(found.chain(key)), ledger.run(key), run.name),), False)


def _with_others(found: Subject, what: str, others: Sequence[str]) -> Subject:
    """The subject with a word on the other instances that have what was named."""
    if not others:
        return found
    remark = (
        f"{what} is that of {found.instance.name}, the latest in which something of that name is finished; "
        f"{' and '.join(others)} {'has' if len(others) == 1 else 'have'} it too: --suite names one"
    )
    return replace(found, remarks=(*found.remarks, remark))
