"""The scalars of a run that a study may search, by their dotted paths, and a run with values that were chosen for them."""

from __future__ import annotations

from collections.abc import Mapping

from jetbench.models import ModelEntry, models
from jetbench.objectives import ObjectiveEntry, objectives
from jetbench.recipes import RECIPE_SPACES
from jetbench.spaces import Space
from jetbench.spec import Recipe, RunSpec, Scalar, normalised

__all__ = ["decided", "entries", "parameters", "scalar"]


def entries(run: RunSpec) -> dict[str, ModelEntry | ObjectiveEntry]:
    """Return the table's entries of the parts of a run whose options may be searched."""
    return {"model": models[run.model.name], "objective": objectives[run.objective.name]}


def parameters(run: RunSpec) -> dict[str, tuple[Scalar, Space | None]]:
    """Return the scalars of a run by path, each with the value that it has now and with the default range that stands beside its
    component or recipe."""
    beside: dict[str, Space] = {f"recipe.{name}": space for name, space in RECIPE_SPACES}
    fields = Recipe.model_fields if models[run.model.name].kind == "network" else ("learning_rate",)  # all that trees follow
    found: dict[str, Scalar] = {f"recipe.{name}": getattr(run.recipe, name) for name in fields}
    for part, entry in entries(run).items():
        values = dict(entry.defaults) | getattr(run, part).keywords()
        found |= {f"{part}.{name}": value for name, value in values.items()}
        beside |= {f"{part}.{name}": space for name, space in entry.spaces}
    scalars = {path: value for path, value in found.items() if not isinstance(value, tuple) and path != "recipe.name"}
    return {path: (value, beside.get(path)) for path, value in scalars.items()}


def scalar(run: RunSpec, path: str) -> Scalar:
    """Return the value that a run has at a path."""
    return parameters(run)[path][0]


def decided(run: RunSpec, values: Mapping[str, Scalar]) -> RunSpec:
    """Return the run with chosen values at their paths, written as the run of an arm that has them without any search: equal
    trainings have equal digests."""
    run = run.with_values(values.items())
    for part, entry in entries(run).items():
        component = getattr(run, part)
        run = run.replace(**{part: component.replace(options=normalised(component.keywords(), entry.defaults))})
    return run
