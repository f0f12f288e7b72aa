"""What sets two runs or arms apart that are called by their names, finished or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jetbench.engine.survey import survey
from jetbench.errors import StoreError
from jetbench.report.subjects import Subject, find_in
from jetbench.spec import RunSpec
from jetbench.suites.difference import arm_differences, chain_differences
from jetbench.suites.fairness import Difference
from jetbench.suites.graph import Graph
from jetbench.suites.names import arm_called, cells_called, unknown_name
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["Differences", "find_chain", "find_differences"]


class Differences(NamedTuple):
    """Differences, by the label budgets of two arms at which they are these, none for runs; and remarks on what was compared."""

    found: dict[tuple[int, ...], list[Difference]]
    remarks: tuple[str, ...]


class Chain(NamedTuple):
    """The specs of a run after those that it starts from, first to last, and remarks on what its name was taken for."""

    specs: Sequence[RunSpec]
    remarks: tuple[str, ...] = ()


def find_differences(one: str, other: str, plans: Iterable[Graph], store: Store) -> Differences:
    """Compare two arms without a budget as the first of the plans that has both declares them, at all budgets; else two runs as
    `find_chain` finds them. Raises errors as that and `arm_differences` do."""
    plans = list(plans)
    for plan in plans:
        names = [arm_called(plan, what) for what in (one, other)]
        if isinstance(plan, Plan) and all(name is not None and name.labels is None for name in names):
            mine, theirs = (name.arm for name in names if name is not None)
            return Differences(arm_differences(plan, mine, theirs), (f"these are arms of {plan.instance.name}",))
    left, right = (find_chain(what, plans, store) for what in (one, other))
    return Differences({(): chain_differences(left.specs, right.specs)}, (*left.remarks, *right.remarks))


def find_chain(what: str, plans: Iterable[Graph], store: Store) -> Chain:
    """Find, in the first of the plans that has it, a run by its name or the beginning of its key, a seed of an arm, or the first
    seed of an arm at its largest finished budget. Where a study has yet to decide, the specs say what it searches. Raises
    `StoreError` for none, and for several keys that begin so."""
    searched = []
    for plan in plans:
        if found := _cell(plan, what, store) or _run(plan, what, store):
            return found
        searched.append(plan)
    raise StoreError(unknown_name(what, searched[0].instance.name if len(searched) == 1 else store.root, searched))


def _cell(plan: Graph, what: str, store: Store) -> Chain | None:
    name = arm_called(plan, what)
    if name is None or not isinstance(plan, Plan) or not (cells := cells_called(plan, name)):
        return None
    found = find_in(plan, what, store)
    if isinstance(found, Subject):
        return Chain(found.runs[0].specs, found.remarks)
    return Chain(plan.declared(max(cells, key=lambda cell: (cell.labels, -cell.seed))))


def _run(plan: Graph, what: str, store: Store) -> Chain | None:
    found = survey(plan, Ledger(store.work))
    key = found.one_called(what)
    return None if key is None else Chain([run.spec for run in found.chain(key)])
