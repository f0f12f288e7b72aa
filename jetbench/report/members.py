"""The runs that a name stands for: one of them, or the finished seeds of an arm at a label budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jetbench.engine.survey import Survey, survey
from jetbench.errors import StoreError
from jetbench.registry import nearest
from jetbench.report.collect import collect
from jetbench.suites.graph import Graph
from jetbench.suites.instance import AnyInstance
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.plans import plannable
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["Members", "find_members", "find_run"]


@dataclass(frozen=True)
class Members:
    """Runs of an `instance` by name, each with its key. `name` is that of all of them; they are `reported` where the comparison
    shows what they say of the test jets, which is not to be looked at of trials that have not won. `missing` holds the reasons
    why seeds of the arm are not among them."""

    name: str
    instance: AnyInstance
    keys: dict[str, str]
    reported: bool
    missing: tuple[str, ...] = ()


def find_members(what: str, instances: Sequence[AnyInstance], store: Store) -> Members:
    """Find, in the first of the instances that has it, an arm at a budget ("scratch/n100", or "scratch" where there is one), one
    of its seeds ("scratch/n100/s0"), or any run by its name or the beginning of its key.

    A seed that tunes for itself is the trial that has won. Raises `StoreError` for what there is not, for a seed that is not
    finished, and for an arm of which none is.
    """
    arms: list[str] = []
    for plan in plannable(instances):
        found = _cells(plan, what, store) if isinstance(plan, Plan) else None
        if found := found or _run(plan, what, store):
            return found
        arms += plan.arms if isinstance(plan, Plan) else []
    hint = f"; {nearest(what, set(arms))}" if arms else ""
    raise StoreError(f"no run or arm in {store.root} has the name or key {what!r}{hint}")


def _cells(plan: Plan, what: str, store: Store) -> Members | None:
    """An arm, or a seed of it."""
    cells = [cell for cell in plan.cells if what in _names(plan, cell)]
    if not cells:
        return None
    if len(budgets := sorted({cell.labels for cell in cells})) > 1:
        names = " or ".join(f"{what}/n{labels}" for labels in budgets)
        raise StoreError(f"the arm {what!r} has {len(budgets)} label budgets; name one: {names}")
    results = collect(plan, store)
    finished = [cell for cell in cells if cell in results.cells]
    missing = tuple(f"seed {cell.seed}: {results.missing[cell]}" for cell in cells if cell in results.missing)
    if not finished:
        raise StoreError(f"no run of {what!r} in {plan.instance.name} is finished ({'; '.join(missing)})")
    return Members(what, plan.instance, {_name(cell): results.last[cell] for cell in finished}, True, missing)


def _name(cell: CellKey) -> str:
    return f"{cell.arm}/n{cell.labels}/s{cell.seed}"


def _names(plan: Plan, cell: CellKey) -> Iterator[str]:
    """What a cell is called: by its arm, with the budget, and with the seed, each also after the name of the model."""
    model = plan.runs[plan.cells[cell]].spec.model.name
    for name in (cell.arm, f"{cell.arm}/n{cell.labels}", _name(cell)):
        yield from (name, f"{model}/{name}")


def _run(plan: Graph, what: str, store: Store) -> Members | None:
    """Any run of the plan."""
    found = find_run(plan, what, store)
    if found is None:
        return None
    seen, key = found
    name = seen.runs[key].name
    reported = isinstance(plan, Plan) and key in collect(plan, store).last.values()
    return Members(name, plan.instance, {name: key}, reported)


def find_run(plan: Graph, what: str, store: Store) -> tuple[Survey, str] | None:
    """Find a run of a plan by its name or the beginning of its key: the state of the plan, and the key; None for none. Raises
    `StoreError` for several keys that begin so."""
    found = survey(plan, Ledger(store.work))
    keys = found.called(what)
    if len(keys) > 1:
        raise StoreError(f"{len(keys)} runs have keys that begin with {what}; write more of it")
    return (found, keys[0]) if keys else None
