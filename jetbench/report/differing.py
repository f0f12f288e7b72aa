"""What sets two runs or arms apart that are called by their names, finished or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jetbench.engine.survey import survey
from jetbench.errors import StoreError
from jetbench.report.subjects import Subject, also_in, find_in
from jetbench.spec import RunSpec
from jetbench.suites.difference import arm_differences, chain_differences
from jetbench.suites.fairness import Difference
from jetbench.suites.graph import Graph
from jetbench.suites.names import ArmName, arm_called, cells_called, unknown_name
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["Differences", "find_differences"]


class Differences(NamedTuple):
    """Differences, by the label budgets of two arms at which they are these, none for runs; remarks on what was compared; and of
    each side that was tuned what was tried."""

    found: dict[tuple[int, ...], list[Difference]]
    remarks: tuple[str, ...]
    tuned: tuple[str, ...] = ()


class Chain(NamedTuple):
    """The specs of a run after those that it starts from, first to last, remarks on what its name was taken for, and what was
    tried where it was tuned."""

    specs: Sequence[RunSpec]
    remarks: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()


def find_differences(one: str, other: str, plans: Iterable[Graph], store: Store) -> Differences:
    """Compare two arms without a budget, at all budgets, or else two runs, as the first of the plans that has both declares them;
    where none has, two runs each as the first that has it. A run goes by its name or the beginning of its key, as a seed of an
    arm, or as the first seed of an arm at its largest finished budget. Where a study has yet to decide, the specs say what it
    searches.

    Raises `StoreError` for a name that no plan has, and for several keys that begin so, `SuiteError` as `arm_differences` does.
    """
    searched: list[Graph] = []
    plans = iter(plans)
    for plan in plans:
        if found := _compared(plan, one, other, store):
            others = also_in(plans, [one, other], store)
            return found._replace(remarks=(*found.remarks, *_others(plan, others)))
        searched.append(plan)
    left, right = (_first(what, searched, store) for what in (one, other))
    return _between(left, right)


def _compared(plan: Graph, one: str, other: str, store: Store) -> Differences | None:
    """The differences in a plan; None where it has not both."""
    names = [arm_called(plan, what) for what in (one, other)]
    if isinstance(plan, Plan) and all(name is not None and name.labels is None for name in names):
        arms = [name.arm for name in names if name is not None]
        tuned = (line for arm in arms for line in _tuned(plan, arm, cells_called(plan, ArmName(arm))))
        return Differences(arm_differences(plan, *arms), (), tuple(tuned))
    left, right = (_cell(plan, what, store) or _run(plan, what, store) for what in (one, other))
    return _between(left, right) if left and right else None


def _between(left: Chain, right: Chain) -> Differences:
    found = chain_differences(left.specs, right.specs)
    return Differences({(): found}, (*left.remarks, *right.remarks), (*left.tuned, *right.tuned))


def _tuned(plan: Plan, what: str, cells: Iterable[CellKey]) -> tuple[str, ...]:
    """What was tried for cells, where they are tuned: two arms may differ by what came of it and by nothing that is declared."""
    studies = dict.fromkeys(plan.tuned[cell] for cell in cells if cell in plan.tuned)
    tried = dict.fromkeys(one.text for digest in studies for one in plan.studies[digest].searched)
    each = ", by each seed for itself" if plan.seeds_tune else ""
    return (f"{what} is tuned on its validation labels{each}; tried: {'; '.join(tried)}",) if tried else ()


def _others(plan: Graph, others: Sequence[str]) -> Iterator[str]:
    """What to say where other instances have both names too."""
    if others:
        have = f"{' and '.join(others)} {'has' if len(others) == 1 else 'have'} both too"
        yield f"both are those of {plan.instance.name}, the latest that has them; {have}: --suite names one"


def _first(what: str, plans: Sequence[Graph], store: Store) -> Chain:
    """The run of the first plan that has the name, with a word on which that is."""
    for plan in plans:
        if found := _cell(plan, what, store) or _run(plan, what, store):
            return found._replace(remarks=(*found.remarks, f"{what} is that of {plan.instance.name}: no instance has both"))
    raise StoreError(unknown_name(what, plans[0].instance.name if len(plans) == 1 else store.root, plans))


def _cell(plan: Graph, what: str, store: Store) -> Chain | None:
    name = arm_called(plan, what)
    if name is None or not isinstance(plan, Plan) or not (cells := cells_called(plan, name)):
        return None
    found = find_in(plan, what, store)
    if isinstance(found, Subject):
        run = found.runs[0].name
        taken = [cell for cell in cells if ArmName(cell.arm, cell.labels, cell.seed).text == run]
        return Chain(found.runs[0].specs, _taken(name, run), _tuned(plan, run, taken))
    cell = max(cells, key=lambda cell: (cell.labels, -cell.seed))
    run = ArmName(cell.arm, cell.labels, cell.seed).text
    return Chain(plan.declared(cell), _taken(name, run), _tuned(plan, run, [cell]))


def _taken(name: ArmName, run: str) -> tuple[str, ...]:
    """What to say where an arm was named without its budget or a seed."""
    return () if name.seed is not None else (f"{name.text} is taken at its run {run}; name another one for that",)


def _run(plan: Graph, what: str, store: Store) -> Chain | None:
    found = survey(plan, Ledger(store.work))
    key = found.one_called(what)
    return None if key is None else Chain([run.spec for run in found.chain(key)])
