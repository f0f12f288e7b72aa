"""Every difference between two arms of a suite or two runs, as dotted paths with both values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.spec import COMPONENTS, Component, RunSpec
from jetbench.suites.fairness import Difference, compare_chains, flat
from jetbench.suites.plan import CellKey, Plan
from jetbench.tasks import tasks
from jetbench.views import views

__all__ = ["arm_differences", "chain_differences", "difference_lines", "value_text"]

Chain = Sequence[RunSpec]
TABLES: dict[str, Any] = {"task": tasks, "model": models, "view": views, "objective": objectives}
NOTHING, DEFAULT = "-", "its default"


def arm_differences(plan: Plan, one: str, other: str) -> dict[tuple[int, ...], list[Difference]]:
    """Return the differences between two arms that a plan runs, by the label budgets at which they are these.

    Raises `SuiteError` for two that are trained at no common budget.
    """
    found: dict[str, tuple[list[int], list[Difference]]] = {}
    for labels in plan.instance.settings.labels:
        cells = [CellKey(arm, labels, 0) for arm in (one, other)]
        if all(cell in plan.cells for cell in cells):
            differences = chain_differences(*(plan.declared(cell) for cell in cells))
            found.setdefault(repr(differences), ([], differences))[0].append(labels)
    if not found:
        raise SuiteError(f"arms {one!r} and {other!r} are trained at no common label budget")
    return {tuple(budgets): differences for budgets, differences in found.values()}


def chain_differences(one: Chain, other: Chain) -> list[Difference]:
    """Return the differences between two runs, each with those that it starts from, first to last. An option that one of them
    leaves out has its default; of a run that only one has, all is listed that the run after it has otherwise."""
    found = [part for difference in compare_chains(one, other) for part in _steps(*difference)]
    found = [(path, _value(path, left, one), _value(path, right, other)) for path, left, right in found]
    for back in range(min(len(one), len(other)), max(len(one), len(other))):
        longer = one if len(one) > len(other) else other
        before, after = flat(longer[-1 - back]), flat(longer[-back])
        own = [("pretraining." * back + path, value) for path, value in before.items() if value != after.get(path)]
        for path, value, _ in (part for whole in own for part in _steps(*whole, None)):
            said = NOTHING if value is None else value
            found.append((path, said, NOTHING) if longer is one else (path, NOTHING, said))
    return [difference for difference in found if difference[1] != difference[2]]


def _steps(path: str, left: Any, right: Any) -> Iterator[Difference]:
    """A difference of augmentations step by step and strength by strength."""
    if not path.endswith("recipe.augmentation"):
        yield path, left, right
        return
    mine, theirs = ({step.name: step for step in steps or ()} for steps in (left, right))
    for name in dict.fromkeys([*mine, *theirs]):
        if name not in mine or name not in theirs:
            yield f"{path}.{name}", _strengths(mine.get(name)), _strengths(theirs.get(name))
            continue
        ours, others = (step.keywords() for step in (mine[name], theirs[name]))
        for option in dict.fromkeys([*ours, *others]):
            yield f"{path}.{name}.{option}", ours.get(option, DEFAULT), others.get(option, DEFAULT)
    if [*mine] != [*theirs] and {*mine} == {*theirs}:
        yield path, " ".join(mine), " ".join(theirs)


def _strengths(step: Component | None) -> str | None:
    return None if step is None else " ".join(["yes", *(f"{name}={value}" for name, value in step.options)])


def _value(path: str, value: Any, chain: Chain) -> Any:
    """The value itself, or the default of an option that is left out."""
    if value is not None:
        return value
    back = path.count("pretraining.")
    part, _, name = path.replace("pretraining.", "").partition(".")
    if part not in COMPONENTS:
        return NOTHING
    component = getattr(chain[-1 - back], part)
    return dict(TABLES[part][component.name].defaults).get(name, NOTHING)


def difference_lines(names: tuple[str, str], found: Sequence[Difference]) -> list[str]:
    """Return a table of paths and both values."""
    if not found:
        return [f"no difference between {names[0]} and {names[1]}"]
    rows = [("", *names), *((path, value_text(left), value_text(right)) for path, left, right in found)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"{path:<{widths[0]}}  {left:<{widths[1]}}  {right}".rstrip() for path, left, right in rows]


def value_text(value: Any) -> str:
    """Write one side of a difference."""
    return " ".join(map(value_text, value)) if isinstance(value, tuple) else getattr(value, "name", None) or str(value)
