"""The scalars of an arm's runs that a study may search, by their dotted paths, and runs with values that were chosen for them.

A path is one of the last run, as in "recipe.learning_rate", "objective.alpha" or "recipe.augmentation.translation.distance";
"pretraining." in front makes it one of the run before. What stands below "model." and "view." holds for all runs of a chain, so
that each can take over the encoder of the one before; options of the head are those of the last run alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from jetbench.models import HEAD_OPTIONS, ModelEntry, models
from jetbench.objectives import ObjectiveEntry, objectives
from jetbench.recipes import RECIPE_SPACES, recipes
from jetbench.spaces import Space
from jetbench.spec import AUGMENTATION, Recipe, RunSpec, Scalar, normalised
from jetbench.views import ViewEntry, augmentations, views

__all__ = ["BEFORE", "Chain", "decided", "entries", "local", "parameters", "reseeded", "resolved", "scalar", "shapes_before"]

Chain = tuple[RunSpec, ...]  # first to last: each run starts from the one before
Parameters = dict[str, tuple[Scalar, Space | None]]
BEFORE = "pretraining."
EVERYWHERE = ("model", "view")


def entries(run: RunSpec) -> dict[str, ModelEntry | ObjectiveEntry | ViewEntry]:
    """Return the table's entries of the parts of a run whose options may be searched."""
    return {"model": models[run.model.name], "objective": objectives[run.objective.name], "view": views[run.view.name]}


def parameters(chain: Sequence[RunSpec]) -> Parameters:
    """Return the scalars of a chain by path, each with the value that it has now and with the default range that stands beside
    its component or recipe."""
    found: Parameters = {}
    for back, run in enumerate(reversed(chain)):
        found |= {BEFORE * back + path: one for path, one in _own(run).items() if not back or not _everywhere(path)}
    return found


def _own(run: RunSpec) -> Parameters:
    """Those of one run, by the paths that they have there."""
    return {path: one for path, one in _candidates(run) if not isinstance(one[0], tuple) and path != "recipe.name"}


def _candidates(run: RunSpec) -> Iterator[tuple[str, tuple[Scalar, Space | None]]]:
    beside = dict(RECIPE_SPACES) | dict(recipes[run.recipe.name].spaces)
    # a learning rate is all that fitted models follow
    for name in Recipe.model_fields if models[run.model.name].kind == "network" else ("learning_rate",):
        if name != "encoder_rate" or _fine_tunes(run):
            yield f"recipe.{name}", (getattr(run.recipe, name), beside.get(name))
    for step in run.recipe.augmentation:
        entry = augmentations[step.name]
        for name, default in entry.defaults:
            yield f"{AUGMENTATION}{step.name}.{name}", (step.keywords().get(name, default), dict(entry.spaces).get(name))
    for part, component in entries(run).items():
        given = getattr(run, part).keywords()
        # a view that is settled has all the options that count for its jets
        values = given if isinstance(component, ViewEntry) and component.settles else dict(component.defaults) | given
        for name, value in values.items():
            yield f"{part}.{name}", (value, dict(component.spaces).get(name))


def _fine_tunes(run: RunSpec) -> bool:
    """Whether it goes on training an encoder that was trained before: no other has a rate of its own."""
    return run.trains == "all" and (run.start is not None or run.weights is not None)


def scalar(chain: Sequence[RunSpec], path: str) -> Scalar:
    """Return the value that a chain has at a path."""
    return parameters(chain)[path][0]


def local(path: str, back: int) -> str | None:
    """Return what a path of a chain is called in the run that stands `back` runs before the last; None where it says nothing of
    that run."""
    rest = path.removeprefix(BEFORE * back)
    if _everywhere(path):
        return None if back and path.split(".")[1] in HEAD_OPTIONS else path
    return rest if path.startswith(BEFORE * back) and not rest.startswith(BEFORE) else None


def shapes_before(path: str) -> bool:
    """Tell whether a value at a path changes a run before the last, where there is one."""
    return path.startswith(BEFORE) or local(path, 1) is not None


def _everywhere(path: str) -> bool:
    return path.split(".", 1)[0] in EVERYWHERE


def decided(chain: Sequence[RunSpec], values: Mapping[str, Scalar]) -> Chain:
    """Return the chain with chosen values at their paths, written as that of an arm that has them without any search: equal
    trainings have equal digests."""
    found: list[RunSpec] = []
    for back, run in zip(reversed(range(len(chain))), chain, strict=True):
        mine = {here: value for path, value in values.items() if (here := local(path, back)) is not None}
        run = _with(run, mine)
        found.append(_started(run, found[-1].digest()) if found else run)
    return tuple(found)


def resolved(run: RunSpec, values: Mapping[str, Scalar]) -> RunSpec:
    """Return a run, of any place in its chain, with the values by path that a study has chosen for it."""
    mine = {one.path.replace(BEFORE, ""): values[one.path] for one in run.chosen}
    decided_run: RunSpec = _with(run, mine).replace(chosen=())
    return decided_run


def _with(run: RunSpec, values: Mapping[str, Scalar]) -> RunSpec:
    """The run with values at its own paths. A strength of an augmentation that has its default anyway is not written down."""
    written = {path: value for path, value in values.items() if not (_strength(path) and _own(run)[path][0] == value)}
    if not values:
        return run
    run = run.with_values(written.items()).replace(chosen=tuple(one for one in run.chosen if one.path not in values))
    for part in {path.split(".", 1)[0] for path in written} & {"model", "objective", "view"}:
        entry, component = entries(run)[part], getattr(run, part)
        if not (isinstance(entry, ViewEntry) and entry.settles):
            run = run.replace(**{part: component.replace(options=normalised(component.keywords(), entry.defaults))})
    return run


def _strength(path: str) -> bool:
    return path.startswith(AUGMENTATION)


def _started(run: RunSpec, start: str) -> RunSpec:
    return run if run.start == start else cast(RunSpec, run.replace(start=start))


def reseeded(chain: Sequence[RunSpec], seed: int) -> Chain:
    """Return the chain at another seed, encoders included."""
    found: list[RunSpec] = []
    for run in chain:
        run = run if run.seed == seed else run.replace(seed=seed)
        found.append(_started(run, found[-1].digest()) if found else run)
    return tuple(found)
