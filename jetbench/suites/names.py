"""What a user calls arms and runs: which plans have them, and what there is where none has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jetbench.errors import StoreError
from jetbench.registry import nearest
from jetbench.suites.graph import Graph
from jetbench.suites.instances import latest_instance, remembered
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.plans import plan_remembered

__all__ = ["ArmName", "arm_called", "cells_called", "named_plans", "unknown_name"]

ARM = re.compile(r"(?P<arm>.+?)(/n(?P<labels>\d+)(/s(?P<seed>\d+))?)?")  # "simclr", "simclr/n100", "simclr/n100/s0"


class ArmName(NamedTuple):
    """An arm, at one label budget where `labels` is one, and there at one seed where `seed` is one."""

    arm: str
    labels: int | None = None
    seed: int | None = None

    @property
    def text(self) -> str:
        labels, seed = (f"/{letter}{n}" if n is not None else "" for letter, n in zip("ns", self[1:], strict=True))
        return f"{self.arm}{labels}{seed}"


def named_plans(root: Path, suite: str | None = None, scale: str | None = None) -> Iterator[Graph]:
    """Plan what a store remembers, one after the other, the latest first: those in which a name is looked for. What can no longer
    be planned is passed over, for others may have it. With a `suite`, or as much of the name of an instance as no other begins
    with, its latest alone, at a `scale` where one is given. Raises `StoreError` where the store has no such instance, or none
    that can be planned."""
    latest = latest_instance(root, suite, scale)
    if suite is not None:
        yield plan_remembered(latest, root)
        return
    lost, there = [], [one for one in reversed(remembered(root).values()) if scale in (None, one.scale)]
    for instance in there:
        try:
            plan = plan_remembered(instance, root)
        except StoreError as error:
            lost.append(str(error))
            continue
        yield plan
    if len(lost) == len(there):
        raise StoreError("\n".join(lost))


def arm_called(plan: Graph, what: str) -> ArmName | None:
    """Read the name of an arm of a plan, as in "simclr", "simclr/n100" or "simclr/n100/s0", each also with the model in front;
    None where the plan runs no such arm."""
    name = _read(plan, what)
    return name if name is not None and isinstance(plan, Plan) and name.arm in [*plan.arms, *plan.faulty] else None


def _read(plan: Graph, what: str) -> ArmName | None:
    parts = ARM.fullmatch(what)
    if parts is None:
        return None
    labels, seed = (None if parts[one] is None else int(parts[one]) for one in ("labels", "seed"))
    model, _, rest = parts["arm"].partition("/")
    arms = plan.instance.settings.arms
    return ArmName(rest if rest in arms and arms[rest].model == model else parts["arm"], labels, seed)


def cells_called(plan: Plan, name: ArmName) -> list[CellKey]:
    """Return the cells of a plan that a name stands for; none for a budget or seed that the arm has not."""
    cells = [cell for cell in plan.cells if cell.arm == name.arm and name.labels in (None, cell.labels)]
    return [cell for cell in cells if name.seed in (None, cell.seed)]


def _unknown_cell(plan: Plan, name: ArmName) -> str:
    """Say which budgets an arm has, and with a seed which seeds, where it has not those of a name."""
    cells = cells_called(plan, name._replace(seed=None)) or cells_called(plan, ArmName(name.arm))
    seeds = name.seed is not None and name.labels == cells[0].labels
    there = {ArmName(cell.arm, cell.labels, cell.seed if seeds else None) for cell in cells}
    return f"there {'is' if len(there) == 1 else 'are'} {', '.join(one.text for one in sorted(there))}"


def unknown_name(what: str, where: object, plans: Iterable[Graph], besides: Iterable[str] = ()) -> str:
    """Say that none of the plans of a store or instance has a name, what may be meant by it, and which arms they have, or which
    budgets and seeds one of them has of that arm, or why it skips the arm; `besides` are other valid words."""
    arms, names = set(besides), set[str]()
    sentence = f"{where} has no run or arm of the name or key {what!r}"
    for plan in plans:
        if reason := _skipped(plan, what):
            return f"{sentence}; {plan.instance.name} skips it: {reason}"
        names.update(run.name for run in plan.runs.values())
        if isinstance(plan, Plan):
            if name := arm_called(plan, what):
                return f"{plan.instance.name} has no {what}; {_unknown_cell(plan, name)}"
            arms.update(plan.arms)
            names.update(ArmName(cell.arm, cell.labels, cell.seed).text for cell in plan.cells)
            names.update(ArmName(cell.arm, cell.labels).text for cell in plan.cells)
    return f"{sentence}; {nearest(what, arms, names)}" if arms | names else sentence


def _skipped(plan: Graph, what: str) -> str | None:
    """Why a plan skips the arm of a name, where it does."""
    name = _read(plan, what)
    return None if name is None else dict(plan.skipped).get(f"arm {name.arm}")
